// How fast the SCIM edge is: requests a second, as ratios to a bare route measured in turn with it, on the same
// database, in the same run.
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, USER_SCHEMA } from '../src/core/resource.ts';
import { type Database, openDatabase, sql } from '../src/store/database.ts';
import { madeGroups } from '../src/store/directory/served.ts';
import { migrate } from '../src/store/schema/migrate.ts';
import { fillDirectory, person } from './directory.ts';
import type { Load } from './load.ts';
import { type GatewayProcess, NUMBER, type Row, startGateway, TOKEN } from './processes.ts';
import type { NewStorage, Storage } from './storage.ts';

const USERS = Number(process.env['BENCH_SCIM_USERS'] ?? 200_000);
const FEW = 1_000;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const ROUND_MS = Number(process.env['BENCH_ROUND_MS'] ?? 3_000);
/** Both sides get faster for as long, until all of them is compiled. */
const WARM_MS = 6_000;
const SAMPLE = 5_000;

interface Directory {
  readonly storage: Storage;
  readonly users: readonly { readonly id: string; readonly name: string; readonly pos: string }[];
  readonly smallGroup: string;
  readonly largeGroup: string;
}

async function prepare(storage: Storage, users: number): Promise<Directory> {
  const database = await openDatabase(storage.options);
  await migrate(database);
  await fillDirectory(database.knex, users);
  const { rows } = await sql(
    database.knex,
    `select id, name_key as name, pos from resources where resource_type = 'User' order by random() limit ?`,
    [SAMPLE],
  );
  const group = async (size: number): Promise<string> => {
    const id = randomUUID();
    await sql(
      database.knex,
      `insert into resources (id, resource_type, origin, name_key, display, body, search, member_count)
       values (?::uuid, 'Group', 'manual', ?, ?, ?, '{}', ?::int)`,
      [id, `size ${size}`, `size ${size}`, JSON.stringify({ schemas: [], displayName: `size ${size}` }), size],
    );
    await sql(
      database.knex,
      `insert into group_members select ?::uuid, id, 'User' from resources where resource_type = 'User' order by pos limit ?`,
      [id, size],
    );
    return id;
  };
  await storeWhole(database);
  const smallGroup = await group(10);
  const largeGroup = await group(Math.min(10_000, users / 2));
  await database.close();
  return { storage, users: rows, smallGroup, largeGroup };
}

/** What the bare server sends: each user as the gateway answers it, as one text. */
async function storeWhole({ knex }: Database): Promise<void> {
  await sql(
    knex,
    `create table bare_users as select p.id, p.pos, replace(p.head || ${madeGroups()} || right(p.body, -1), chr(1), 'http://127.0.0.1:8080/scim/v2') as text
     from resources p where p.resource_type = 'User'`,
  );
  await sql(knex, 'alter table bare_users add primary key (id), add unique (pos)');
  await sql(knex, 'vacuum (analyze) bare_users');
  await sql(
    knex,
    'create table bare_made (id uuid primary key default gen_random_uuid(), name text unique, text text)',
  );
}

/** Requests a second, the median of some rounds, the two sides in turn. */
async function compare(load: ChildProcess, ours: Load, limit: Load): Promise<{ ours: number; limit: number }> {
  const all = { ours: [] as number[], limit: [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const side of ['limit', 'ours'] as const) {
      load.send({ ...(side === 'ours' ? ours : limit), ms: round === 0 ? WARM_MS : ROUND_MS });
      const [{ perSecond }] = (await once(load, 'message')) as [{ perSecond: number }];
      if (round > 0) all[side].push(perSecond);
    }
  return { ours: median(all.ours), limit: median(all.limit) };
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}

interface Case {
  readonly what: string;
  readonly aim: string;
  readonly ours: Pick<Load, 'paths'> & Partial<Load>;
  readonly limit: Pick<Load, 'paths'> & Partial<Load>;
}

function cases({ users }: Directory): Case[] {
  const one = users.map(({ id }) => `/one/${id}`);
  const page = users.map(({ pos }) => `/page/${pos}`);
  const patch = (value: string) =>
    JSON.stringify({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'title', value }],
    });
  const bodies = Array.from({ length: 997 }, (_, index) => patch(`Title ${index}`));
  const json = { 'content-type': 'application/json' };
  return [
    {
      what: 'get by id',
      aim: '> 1.4',
      ours: { paths: users.map(({ id }) => `/scim/v2/Users/${id}`) },
      limit: { paths: one },
    },
    {
      what: 'userName eq',
      aim: '> 0.9',
      ours: { paths: users.map(({ name }) => `/scim/v2/Users?filter=${encodeURIComponent(`userName eq "${name}"`)}`) },
      limit: { paths: one },
    },
    { what: 'page of 100', aim: '> 0.8', ours: { paths: ['/scim/v2/Users?count=100'] }, limit: { paths: page } },
    {
      what: 'PATCH of one attribute',
      aim: '> 0.4',
      ours: { paths: users.map(({ id }) => `/scim/v2/Users/${id}`), method: 'PATCH', bodies, headers: json },
      limit: { paths: one, method: 'PATCH', bodies, headers: json },
    },
  ];
}

/** All of it: at 16 connections, at one, deep pages, groups of two sizes, and a directory of 1,000 beside a large one. */
export async function benchScim(newStorage: NewStorage, closing: (() => Promise<unknown> | unknown)[]): Promise<Row[]> {
  const rows: Row[] = [];
  const large = await prepare(await newStorage('sluice_scim_large'), USERS);
  const small = await prepare(await newStorage('sluice_scim_small'), FEW);
  const load = fork('bench/load.ts');
  load.on('exit', (code) => code && process.exit(1));
  closing.push(() => load.disconnect());
  const bare = fork('bench/bare-server.ts', { env: { ...process.env, ...large.storage.beside().environment } });
  closing.push(() => bare.disconnect());
  const [{ port }] = (await once(bare, 'message')) as [{ port: number }];
  const gateway = await startGateway(large.storage, closing);
  const few = await startGateway(small.storage, closing);
  const at = (connections: number, side: Partial<Load> & Pick<Load, 'paths'>, origin: string): Load => ({
    connections,
    origin,
    ms: ROUND_MS,
    method: 'GET',
    ...side,
    headers: { authorization: `Bearer ${TOKEN}`, ...side.headers },
  });
  const bareOrigin = `http://127.0.0.1:${port}`;
  for (const connections of [16, 1])
    for (const { what, aim, ours, limit } of cases(large)) {
      const found = await compare(load, at(connections, ours, gateway.base), at(connections, limit, bareOrigin));
      note(rows, rowOf(`${what}, ${connections} connections`, found, connections === 1 ? '> 0.8' : aim));
    }
  await comparePages(rows, load, { gateway, at });
  await compareSizes(rows, load, { large, small, gateway, few, at });
  await compareGroups(rows, load, { large, gateway, at });
  // Last, since it makes the large directory larger.
  const body = JSON.stringify(newcomer());
  const made = { method: 'POST', headers: { 'content-type': 'application/json' }, bodies: [body] } as const;
  for (const connections of [16, 1]) {
    const ours = at(connections, { ...made, paths: ['/scim/v2/Users'] }, gateway.base);
    const found = await compare(load, ours, at(connections, { ...made, paths: ['/made'] }, bareOrigin));
    note(rows, rowOf(`create a user, ${connections} connections`, found, undefined));
  }
  return rows;
}

type At = (connections: number, side: Partial<Load> & Pick<Load, 'paths'>, origin: string) => Load;

/** Said as it comes too: the whole takes minutes. */
function note(rows: Row[], row: Row): void {
  rows.push(row);
  process.stderr.write(`${row.what}: ${row.value}, ${row.ratio?.toFixed(2)}\n`);
}

function rowOf(what: string, { ours, limit }: { ours: number; limit: number }, aim: string | undefined): Row {
  const note = aim === undefined ? 'beside a bare route that inserts one row' : `aim ${aim}`;
  return { what, value: `${Math.round(ours)}/s`, ratio: ours / limit, note };
}

/** Somebody new with each request: the load numbers them. */
function newcomer(): object {
  const { externalId: _, [GATEWAY_SCHEMA]: __, ...somebody } = person(0);
  return { ...somebody, userName: `made${NUMBER}@bench.example`, schemas: [USER_SCHEMA, ENTERPRISE_SCHEMA] };
}

async function comparePages(
  rows: Row[],
  load: ChildProcess,
  { gateway, at }: { gateway: GatewayProcess; at: At },
): Promise<void> {
  const first = '/scim/v2/Users?count=100&cursor=';
  let path = first;
  for (let page = 0; page < Math.min(1_500, USERS / 150); page += 1) {
    const answer = await fetch(`${gateway.base}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const { nextCursor } = (await answer.json()) as { nextCursor: string };
    path = `${first}${encodeURIComponent(nextCursor)}`;
  }
  const found = await compare(load, at(4, { paths: [path] }, gateway.base), at(4, { paths: [first] }, gateway.base));
  note(rows, rowOf('a deep page by cursor, to the first one', found, 'about 1'));
}

async function compareSizes(
  rows: Row[],
  load: ChildProcess,
  {
    large,
    small,
    gateway,
    few,
    at,
  }: { large: Directory; small: Directory; gateway: GatewayProcess; few: GatewayProcess; at: At },
): Promise<void> {
  for (const [index, { what, ours }] of cases(large).entries()) {
    const same = cases(small)[index];
    if (same === undefined) continue;
    const found = await compare(load, at(4, ours, gateway.base), at(4, same.ours, few.base));
    note(rows, rowOf(`${what}, ${USERS} users to ${FEW}`, found, '> 0.77'));
  }
}

/** Adds and removes members in turn, so that every request writes one row. */
async function compareGroups(
  rows: Row[],
  load: ChildProcess,
  { large, gateway, at }: { large: Directory; gateway: GatewayProcess; at: At },
): Promise<void> {
  const change = (group: string): Partial<Load> & Pick<Load, 'paths'> => ({
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    paths: large.users.slice(0, 400).flatMap(() => [`/scim/v2/Groups/${group}`, `/scim/v2/Groups/${group}`]),
    bodies: large.users
      .slice(0, 400)
      .flatMap(({ id }) => [
        operation({ op: 'add', path: 'members', value: [{ value: id }] }),
        operation({ op: 'remove', path: `members[value eq "${id}"]` }),
      ]),
  });
  const found = await compare(
    load,
    at(1, change(large.largeGroup), gateway.base),
    at(1, change(large.smallGroup), gateway.base),
  );
  note(rows, rowOf('one member into a group of 10,000, to one of 10', found, '> 0.5'));
}

function operation(change: object): string {
  return JSON.stringify({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [change] });
}
