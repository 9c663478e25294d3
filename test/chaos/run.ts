// `npm run chaos`: kills, pauses, cuts and slows gateways, database, Graph and targets at random, for a long time.
// `npm run chaos -- --minutes 20 --seed x` sets how long, and decides the same as another run with that seed.
// `npm run chaos -- load` is the other mode: two gateways behind PgBouncer under load, one killed every few seconds.
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { makeRandom } from '#demo/tenant.ts';
import { bouncerMissing } from '../support/pgbouncer.ts';
import { runChaos } from './chaos.ts';
import { runLoad } from './load.ts';
import type { Role } from './replica.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '20' }, seed: { type: 'string' }, users: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = values.seed ?? randomBytes(4).toString('hex');
const tell = (line: string): void => void process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

const ROLES: readonly (readonly Role[])[] = [
  ['all', 'all'],
  ['all', 'api'],
  ['api', 'worker', 'worker'],
];

async function chaos(): Promise<void> {
  const until = performance.now() + minutes * 60_000;
  const random = makeRandom(seed);
  const roles = ROLES[Math.floor(random() * ROLES.length)] ?? ['all', 'all'];
  const pooled = bouncerMissing === false && random() < 0.5;
  tell(`roles ${roles.join(', ')}${pooled ? ', behind PgBouncer' : ''}`);
  const goesOn = (): boolean => performance.now() < until;
  const users = Number(values.users ?? 400);
  tell(await runChaos({ users, groups: 20, roles, pooled, seed, actsPerRound: 12, goesOn, tell }));
}

async function load(): Promise<void> {
  if (bouncerMissing !== false) tell(`${bouncerMissing}: without it`);
  tell(await runLoad({ seed, ms: minutes * 60_000, clients: 6, pooled: bouncerMissing === false, tell }));
}

tell(`seed ${seed}, ${minutes} minutes`);
await (positionals.includes('load') ? load() : chaos());
