// A few rounds of chaos; `npm run chaos` is the long one. CHAOS_SEED repeats one that failed.
import { describe, it } from 'node:test';
import { postgresMissing } from '../support/database.ts';
import { bouncerMissing } from '../support/pgbouncer.ts';
import { runChaos } from './chaos.ts';
import { runLoad } from './load.ts';

const SEED = process.env['CHAOS_SEED'] ?? 'chaos';
const ROUNDS = 1;
const LOAD_MS = 8_000;

describe(`chaos (CHAOS_SEED=${SEED})`, { skip: postgresMissing }, () => {
  it('ends with directory, journal and targets as they have to be, on one gateway that answers and one that works', async (test) => {
    const goesOn = (rounds: number): boolean => rounds < ROUNDS;
    const options = { users: 60, groups: 6, roles: ['all', 'api'] as const, pooled: false, seed: SEED, targets: 1 };
    const done = await runChaos({ ...options, actsPerRound: 8, goesOn, tell: (line) => test.diagnostic(line) });
    test.diagnostic(done);
  });

  it('answers every request rightly behind PgBouncer while gateways are killed, but those that it kills', {
    skip: bouncerMissing,
  }, async (test) => {
    const tell = (line: string): void => test.diagnostic(line);
    test.diagnostic(await runLoad({ seed: SEED, ms: LOAD_MS, clients: 3, pooled: true, tell }));
  });
});
