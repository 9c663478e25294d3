// One directory that changes at random, one gateway, and many downstream services, each with manners of its own: in the
// end each has what it should have, and none of them was treated badly. DOWNSTREAM_CHANGES=5000 is the long way,
// DOWNSTREAM_ONLY a part of a name.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeRandom } from '#demo/tenant.ts';
import { type Database, openDatabase, sql } from '#store/database.ts';
import { postgresMissing } from '../support/database.ts';
import { compare } from '../support/downstream/compare.ts';
import { type Manners, SERVICES } from '../support/downstream/manners.ts';
import { type Doc, USER } from '../support/downstream/schema.ts';
import { type Service, startService } from '../support/downstream/service.ts';
import { startWalk, type Walk } from '../support/downstream/walk.ts';
import { expectStatus, freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';

const CHANGES = Number(process.env['DOWNSTREAM_CHANGES'] ?? 100);
const SEED = process.env['DOWNSTREAM_SEED'] ?? 'downstream';
const ONLY = process.env['DOWNSTREAM_ONLY'] ?? '';

/** What an administrator would set for such a service. */
function settingsFor({ membersMax, bulk }: Manners): Doc {
  return { ...(membersMax && { members: { perRequest: membersMax } }), ...(bulk && { bulk: true }) };
}

interface App {
  readonly id: string;
  readonly service: Service;
  readonly isScoped: boolean;
}

describe(`${CHANGES} random changes for downstream services of all kinds (DOWNSTREAM_SEED=${SEED})`, {
  skip: postgresMissing,
}, () => {
  const apps = new Map<string, App>();
  let gateway: TestGateway;
  let database: Database;
  let walk: Walk;
  let users: readonly Doc[];
  let groups: readonly Doc[];

  before(async () => {
    const storage = await freshStorage('postgres');
    gateway = await startGateway({ ...storage, ALLOW_LOOPBACK_WEBHOOKS: 'true' });
    database = await openDatabase({ databaseUrl: storage['DATABASE_URL'] ?? '' });
    walk = startWalk(gateway, makeRandom(`${SEED} walk`));
    for (let n = 0; n < 30; n += 1) await walk.step();
    for (const [name, manners] of Object.entries(SERVICES)) if (name.includes(ONLY)) await open(name, manners);
    for (let n = 0; n < CHANGES; n += 1) await walk.step();
    await untilQuiet();
    [users, groups] = [await walk.read('User'), await walk.read('Group')];
  });

  after(async () => {
    await gateway?.close();
    await database?.close();
    for (const { service } of apps.values()) await service.close();
  });

  async function open(name: string, manners: Manners): Promise<void> {
    const service = await startService(manners, makeRandom(`${SEED} ${name}`));
    service.seed('User', { schemas: [USER], userName: 'stranger', active: true });
    const [known] = await walk.read('User');
    const already = { schemas: [USER], userName: String(known?.['userName']), active: true, nickName: 'Theirs' };
    service.seed('User', already);
    const isScoped = apps.size % 3 === 2;
    const push = { baseUrl: service.base, auth: service.auth, guard: null, ...settingsFor(manners) };
    const scope = isScoped ? { userFilter: 'userType eq "Employee"' } : null;
    const { body } = await expectStatus(gateway.call<Doc>('POST', '/api/v1/apps', { name, scope, push }), 201);
    apps.set(name, { id: String(body['id']), service, isScoped });
  }

  /** Until nothing is left to do; what waits to be tried again is tried at once. */
  async function untilQuiet(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await sql(database.knex, `update deliveries set ready_at = now() where state = 'pending' and ready_at > now()`);
      const { rows } = await sql<{ busy: number }>(
        database.knex,
        `select (select count(*) from deliveries where state in ('pending', 'sending'))::int + (select count(*) from targets t where
           state <> 'quarantined' and (backfill is not null or place_xid is null or exists (select 1 from changes c where
             (c.xid, c.seq) > (t.place_xid, t.place_seq))))::int as busy`,
      );
      quiet = rows[0]?.busy === 0 ? quiet + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  for (const name of Object.keys(SERVICES))
    it(name, { skip: !name.includes(ONLY) }, async () => {
      const app = apps.get(name);
      assert.ok(app);
      const { id, service, isScoped } = app;
      const { body } = await gateway.call<{ items: Doc[] }>('GET', `/api/v1/apps/${id}/deliveries?state=dead&limit=3`);
      assert.deepEqual(
        body.items.map(({ error, log }) => ({ error, log })),
        [],
        'dead letters',
      );
      const isInScope = (user: Doc): boolean => !isScoped || user['userType'] === 'Employee';
      compare(service, { users, groups, isInScope });
      const stranger = service.resources('User').find(({ userName }) => userName === 'stranger');
      assert.deepEqual([stranger?.['active'], stranger?.['externalId']], [true, undefined], 'a stranger was changed');
      assert.deepEqual(service.books.violations, []);
    });

  it('sends nothing when everybody is looked at again', async () => {
    for (const { id, service } of apps.values()) {
      service.books.takeWrites();
      await expectStatus(gateway.call('POST', `/api/v1/apps/${id}/push/clear`, { backfill: true }), 200);
    }
    await untilQuiet();
    for (const [name, { service }] of apps) assert.deepEqual(service.books.takeWrites(), [], name);
  });
});
