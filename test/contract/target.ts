// What any downstream app must come to, whatever its manners: after random changes with faults all along, it has what the
// directory has, nothing twice, and it was never treated badly.
import assert from 'node:assert/strict';
import { makeRandom } from '#demo/tenant.ts';
import { type Database, sql } from '#store/database.ts';
import { type Editor, makeEditor, type PushTest, startPush } from '../support/push.ts';
import { type Personality, type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';

export interface Manners {
  readonly name: string;
  readonly personality: (random: () => number) => Personality;
  readonly settings?: (app: ScimAppServer) => Record<string, unknown>;
  /** Its groups are kept without members, or not at all. */
  readonly types?: readonly ('User' | 'Group')[];
}

const often =
  (random: () => number, share: number): (() => boolean) =>
  () =>
    random() < share;

/** A dozen apps, each with something that real ones do. */
export const PERSONALITIES: readonly Manners[] = [
  { name: 'strict', personality: () => ({}) },
  { name: 'without PATCH', personality: () => ({ patch: false }) },
  { name: 'without PATCH, and says otherwise', personality: () => ({ patch: false, config: false }) },
  {
    name: 'without PUT, one operation a request',
    personality: () => ({ put: false, oneOperation: true }),
    settings: () => ({ dialect: { onePerRequest: true } }),
  },
  { name: 'without filters', personality: () => ({ filter: 'no' }) },
  { name: 'ignoring filters, in short pages', personality: () => ({ filter: 'ignore', pageMax: 7 }) },
  { name: 'rate limited, with seconds', personality: () => ({ rate: 60, retryAfter: 'seconds' }) },
  { name: 'rate limited, with a date', personality: () => ({ rate: 60, retryAfter: 'date' }) },
  { name: 'dropping connections after having applied', personality: (random) => ({ dropAfter: often(random, 0.05) }) },
  { name: 'dropping connections before anything', personality: (random) => ({ dropBefore: often(random, 0.03) }) },
  { name: 'failing now and then', personality: (random) => ({ failing: () => (random() < 0.02 ? 503 : undefined) }) },
  { name: 'with odd ETags', personality: () => ({ etag: 'odd' }) },
  { name: 'with ETags, by PUT', personality: () => ({ etag: 'weak', patch: false }) },
  { name: 'with Bulk', personality: () => ({ bulk: true }), settings: () => ({ bulk: true }) },
  {
    name: 'with OAuth and short tokens',
    personality: () => ({ oauth: { lifeSeconds: 1 } }),
    settings: (app) => ({
      auth: { kind: 'oauth', tokenUrl: app.tokenUrl, clientId: 'client', clientSecret: 's3cret' },
    }),
  },
  {
    name: 'with few members a request, hidden',
    personality: () => ({ membersMax: 5, hidesMembers: true }),
    settings: () => ({ members: { perRequest: 5, hidden: true } }),
  },
  {
    name: 'showing members as an empty list, and dropping connections after having applied',
    personality: (random) => ({ hidesMembers: 'empty', dropAfter: often(random, 0.05) }),
    settings: () => ({ members: { hidden: true } }),
  },
  { name: 'answering creates with nothing', personality: () => ({ noIdOnCreate: true }) },
  { name: 'plain JSON only', personality: () => ({ plainJson: true }) },
  { name: 'filtering by userName only', personality: () => ({ filterBy: 'userName' }) },
  { name: 'knowing whom it has made only later', personality: () => ({ shownAfterMs: 200 }) },
  { name: 'saying of each page that it is all', personality: () => ({ filter: 'no', pageMax: 7, countsPage: true }) },
  { name: 'slow', personality: () => ({ delayMs: 5 }) },
];

export interface Run {
  readonly database: Database;
  readonly changes: number;
  readonly seed: string;
}

/** Random changes between turns; then compares. */
export async function converge(manners: Manners, { database, changes, seed }: Run): Promise<void> {
  const random = makeRandom(`${seed} ${manners.name}`);
  const faults = makeRandom(`faults ${seed} ${manners.name}`);
  const app = await startScimApp();
  app.personality = manners.personality(faults);
  const edit = makeEditor(database);
  const world: World = { users: [], groups: [], count: 0 };
  let push: PushTest | undefined;
  try {
    for (let n = 0; n < 20; n += 1) await changeOnce(edit, world, random);
    const more = manners.settings?.(app) ?? {};
    push = await startPush(
      database,
      { baseUrl: app.url, auth: { kind: 'none' }, guard: null, ...more },
      { random: faults },
    );
    for (let n = 0; n < changes; n += 1) {
      await changeOnce(edit, world, random);
      if (random() < 0.1) await push.pump.turn();
    }
    await push.settle(3_600_000);
    await compare(database, app);
    assert.deepEqual(app.violations, []);
    app.takeWrites();
    await sql(database.knex, `update targets set backfill = '{"mode":"all","type":"User","pos":"0"}'`);
    await push.settle();
    assert.deepEqual(
      app.takeWrites().filter(({ path }) => path !== '/token'),
      [],
      'nothing has changed, and something was sent',
    );
  } finally {
    await push?.close();
    await app.close();
  }
}

interface World {
  users: string[];
  groups: string[];
  count: number;
}

async function changeOnce(edit: Editor, world: World, random: () => number): Promise<void> {
  const pick = (ids: readonly string[]): string | undefined => ids[Math.floor(random() * ids.length)];
  const [user, group, dice] = [pick(world.users), pick(world.groups), random()];
  world.count += 1;
  if (user === undefined || dice < 0.2) {
    const name = { givenName: `Given ${world.count}`, familyName: 'Family' };
    const emails = [{ value: `u${world.count}@example.com`, type: 'work', primary: true }];
    world.users.push(await edit.user(`User${world.count}`, { name, emails }));
  } else if (group === undefined || dice < 0.27)
    world.groups.push(await edit.group(`Group ${world.count}`, user ? [user] : []));
  else if (dice < 0.4) await edit.change('User', user, 'title', random() < 0.3 ? null : `Title ${world.count}`);
  else if (dice < 0.48) await edit.change('User', user, 'name.givenName', `Other ${world.count}`);
  else if (dice < 0.55) await edit.change('User', user, 'active', random() < 0.5);
  else if (dice < 0.6)
    await edit.change(
      'User',
      user,
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
      random() < 0.3 ? null : `D${world.count}`,
    );
  else if (dice < 0.78) await edit.addMember(group, user);
  else if (dice < 0.88) await edit.removeMember(group, user);
  else if (dice < 0.93) await edit.change('Group', group, 'displayName', `Renamed ${world.count}`);
  else if (dice < 0.97) {
    await edit.remove('User', user);
    world.users = world.users.filter((id) => id !== user);
  } else {
    await edit.remove('Group', group);
    world.groups = world.groups.filter((id) => id !== group);
  }
}

/** What the app has of us, against the directory. */
async function compare(database: Database, app: ScimAppServer): Promise<void> {
  const { rows } = await sql<{ id: string; resource_type: string; body: string; members: string[] | null }>(
    database.knex,
    `select id, resource_type, body, (select array_agg(member_id::text order by member_id) from group_members where group_id = r.id) as members
     from resources r where deleted_at is null`,
  );
  const bodies = new Map(rows.map((row) => [row.id, { ...row, body: JSON.parse(row.body) }]));
  const externalIds = [...app.users.values(), ...app.groups.values()].map((doc) => String(doc['externalId']));
  assert.equal(new Set(externalIds).size, externalIds.length, 'somebody is there twice');
  const ourIds = new Map([...app.users.values()].map((user) => [String(user['id']), String(user['externalId'])]));
  const active = rows.filter(
    ({ id, resource_type }) => resource_type === 'User' && bodies.get(id)?.body.active !== false,
  );
  const there = [...app.users.values()].filter((user) => user['active'] !== false);
  assert.deepEqual(
    there.map((user) => String(user['externalId'])).sort(),
    active.map(({ id }) => id).sort(),
    'who is active',
  );
  for (const user of there) {
    const wanted = bodies.get(String(user['externalId']))?.body;
    assert.deepEqual(plain(user), plain(wanted), 'a user differs');
  }
  const groups = rows.filter(({ resource_type }) => resource_type === 'Group');
  assert.deepEqual(
    [...app.groups.values()].map((group) => String(group['externalId'])).sort(),
    groups.map(({ id }) => id).sort(),
    'which groups',
  );
  for (const group of app.groups.values()) {
    const wanted = bodies.get(String(group['externalId']));
    assert.equal(group['displayName'], wanted?.body.displayName);
    const members = ((group['members'] ?? []) as { value: string }[]).map(({ value }) => ourIds.get(value)).sort();
    const isThere = new Set(ourIds.values());
    assert.deepEqual(members, (wanted?.members ?? []).filter((id) => isThere.has(id)).sort(), 'members');
  }
}

function plain(doc: Record<string, unknown>): Record<string, unknown> {
  const { id: _id, schemas: _schemas, externalId: _external, $version: _version, ...rest } = doc;
  for (const name of Object.keys(rest)) if (name.includes(':gateway:')) delete rest[name];
  return JSON.parse(JSON.stringify(rest));
}
