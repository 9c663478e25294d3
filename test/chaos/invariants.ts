// What has to hold when everything works again, whatever happened before.
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { type Api, expectStatus, type RunBody, untilOver } from '../support/gateway.ts';
import { pictureOf, readServed } from '../support/served.ts';
import type { World, WorldTarget } from './world.ts';

const SETTLE_WITHIN_MS = 600_000;

/** Waits until nothing is under way any more, and checks all of it. @throws {AssertionError} */
export async function checkInvariants(world: World): Promise<void> {
  await bringUpToDate(world.api());
  await directoryEqualsSource(world);
  for (const target of world.targets) await targetEqualsDirectory(world, target);
  await journalHasNoGaps(world);
  await oneProviderAndNoRun(world);
}

/** What a killed process left behind ends by itself; then one more run reads everything. */
async function bringUpToDate(api: Api): Promise<void> {
  const until = Date.now() + SETTLE_WITHIN_MS;
  for (;;) {
    const asked = { mode: 'full', allowLargeSync: true };
    const started = await api.call<RunBody & { runId?: string }>('POST', '/api/v1/sync-runs', asked);
    const run = await untilOver(api, started.status === 202 ? started.body.id : (started.body.runId ?? ''));
    if (started.status === 202 && run.status === 'succeeded') return;
    assert.ok(Date.now() < until, `no run succeeds: ${JSON.stringify(run)}`);
  }
}

async function directoryEqualsSource({ tenant, replicas }: World): Promise<void> {
  for (const { name, process, role } of replicas) {
    if (role === 'worker' || process === undefined) continue;
    const { ids, ...served } = await readServed(process);
    const picture = pictureOf(tenant);
    for (const type of ['users', 'groups'] as const)
      assert.equal(differenceOf(asTexts(picture[type]), asTexts(served[type])), undefined, name);
    assert.equal(new Set(Object.values(ids)).size, Object.keys(ids).length, 'somebody is there twice');
  }
}

interface Shown {
  readonly id: string;
  readonly userName?: string;
  readonly active?: boolean;
  readonly displayName?: string;
  readonly title?: string;
  readonly members?: readonly { value: string }[];
}

async function readAll(api: Api, type: 'Users' | 'Groups'): Promise<Shown[]> {
  const all: Shown[] = [];
  for (;;) {
    const path = `/scim/v2/${type}?startIndex=${all.length + 1}&count=500`;
    const { body } = await expectStatus(api.call<{ totalResults: number; Resources: Shown[] }>('GET', path), 200);
    all.push(...body.Resources);
    if (body.Resources.length === 0 || all.length >= body.totalResults) return all;
  }
}

type Held = Readonly<Record<string, string>>;

function asTexts(things: Readonly<Record<string, unknown>>): Held {
  return Object.fromEntries(Object.entries(things).map(([id, thing]) => [id, JSON.stringify(thing)]));
}

/** Active people and all groups, there as here. */
export async function targetEqualsDirectory(world: World, target: WorldTarget): Promise<void> {
  const api = world.api();
  const until = Date.now() + SETTLE_WITHIN_MS;
  const users = await readAll(api, 'Users');
  const groups = await readAll(api, 'Groups');
  const active = users.filter((user) => user.active);
  for (;;) {
    await bringBack(api, target);
    const there = new Set([...target.server.users.values(), ...target.server.groups.values()].map(ourId));
    // Whoever was inactive from the start was never made there, and can be nobody's member.
    const wanted = Object.fromEntries([
      ...active.map((user) => [user.id, describe(user)]),
      ...groups.map((group) => [group.id, describeGroup(group, (id) => id, there)]),
    ]);
    const difference = differenceOf(wanted, heldBy(target));
    if (difference === undefined && (await isIdle(api, target))) break;
    assert.ok(Date.now() < until, `target ${target.appId} differs: ${difference}; ${await stateOf(api, target)}`);
    await wait(250);
  }
  assert.deepEqual(target.server.violations, []);
}

function describe({ userName, displayName, title }: Shown): string {
  return JSON.stringify([userName, displayName, title]);
}

function describeGroup(group: Shown, idOf: (member: string) => string, among?: ReadonlySet<string>): string {
  const members = (group.members ?? []).map(({ value }) => idOf(value)).filter((id) => among?.has(id) ?? true);
  return JSON.stringify([group.displayName, members.sort()]);
}

function ourId(doc: Readonly<Record<string, unknown>>): string {
  return String(doc['externalId']);
}

/** Active people and groups, by our id. @throws {AssertionError} somebody is there twice */
function heldBy({ server }: WorldTarget): Held {
  const held: Record<string, string> = {};
  const ours = new Map<string, string>();
  for (const [id, doc] of [...server.users, ...server.groups]) ours.set(id, ourId(doc));
  assert.equal(new Set(ours.values()).size, ours.size, 'somebody is at the target twice');
  for (const doc of server.users.values())
    if (doc['active'] !== false) held[ourId(doc)] = describe(doc as unknown as Shown);
  for (const doc of server.groups.values())
    held[ourId(doc)] = describeGroup(doc as unknown as Shown, (id) => ours.get(id) ?? id);
  return held;
}

function differenceOf(wanted: Held, held: Held): string | undefined {
  for (const id of new Set([...Object.keys(wanted), ...Object.keys(held)]))
    if (wanted[id] !== held[id]) return `${id} is ${held[id]} there, and ${wanted[id]} here`;
  return undefined;
}

/** What an administrator does after an outage: puts the target into service, and sends again what was given up. */
async function bringBack(api: Api, { appId }: WorldTarget): Promise<void> {
  const { body } = await api.call<{ state: string; restUntil: string | null }>('GET', `/api/v1/apps/${appId}/push`);
  if (body.state !== 'active' || body.restUntil !== null) await api.call('POST', `/api/v1/apps/${appId}/push/resume`);
  const dead = await api.call<{ items: { id: string }[] }>('GET', `/api/v1/apps/${appId}/deliveries?state=dead`);
  for (const { id } of dead.body.items) await api.call('POST', `/api/v1/deliveries/${id}/replay`);
}

async function isIdle(api: Api, { appId }: WorldTarget): Promise<boolean> {
  const { body } = await api.call<{ backfill: unknown; deliveries: Record<string, number> }>(
    'GET',
    `/api/v1/apps/${appId}/push`,
  );
  const { pending = 0, sending = 0, dead = 0 } = body.deliveries;
  return body.backfill === null && pending + sending + dead === 0;
}

async function stateOf(api: Api, { appId }: WorldTarget): Promise<string> {
  return JSON.stringify((await api.call('GET', `/api/v1/apps/${appId}/push`)).body);
}

/** Every version of every resource is told of exactly once. */
export async function journalHasNoGaps({ query }: World): Promise<void> {
  const odd = await query(`
    select r.id, r.version, count(c.*)::int as changes, min(c.version) as first, max(c.version) as last
    from resources r left join changes c on c.resource_id = r.id group by r.id
    having count(c.*) <> count(distinct c.version) or count(c.*) <> r.version
      or min(c.version) <> 1 or max(c.version) <> r.version limit 5`);
  assert.deepEqual(odd, [], 'versions without a change, or with two');
}

export async function oneProviderAndNoRun({ query }: World): Promise<void> {
  const [row] = await query<Record<string, number>>(`select
    (select count(*)::int from provider_settings where active) as providers,
    (select count(*)::int from runs where status in ('queued', 'running')) as runs,
    (select count(*)::int from plans where status in ('building', 'ready', 'applying', 'approved')) as plans`);
  assert.deepEqual({ ...row }, { providers: 1, runs: 0, plans: 0 });
  const overwritten = `select r.id from runs r join plans p on p.id = r.plan_id where r.status = 'abandoned' and p.status = 'applied'`;
  assert.deepEqual(await query(overwritten), [], 'what a run came to was written over');
}

/** When everybody has gone home, nobody holds anything: what a killed process had ends by itself, and nobody renews it. */
export async function checkNoOrphans({ query }: World): Promise<void> {
  await query(`select pg_sleep(extract(epoch from max(expires_at) - clock_timestamp())) from leases
    where expires_at between clock_timestamp() and clock_timestamp() + interval '15 seconds'`);
  assert.deepEqual(await query('select name, owner from leases where expires_at > clock_timestamp()'), []);
}
