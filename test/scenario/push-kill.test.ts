// Processes are killed while they push. PUSH_USERS=10000 PUSH_KILLS=12 is the long way; PUSH_REPLICAS on PostgreSQL.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeRandom } from '#demo/tenant.ts';
import { makeFolder, postgresMissing } from '../support/database.ts';
import { expectStatus, freshStorage, type GatewayProcess, spawnGateway } from '../support/gateway.ts';
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';

const KILLS = Number(process.env['PUSH_KILLS'] ?? 3);
const USERS = Number(process.env['PUSH_USERS'] ?? 100);
const SEED = process.env['KILL_SEED'] ?? 'push-kill';
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
/** Requests at the app between two kills, at most: of a whole push, some. */
const BETWEEN = Math.ceil(USERS * 0.6);
/** As often it is looked for them: there may be nothing left to be sent. */
const LOOKS = USERS + 100;

for (const [kind, replicas] of [
  ['embedded', 1],
  ['postgres', Number(process.env['PUSH_REPLICAS'] ?? 2)],
] as const)
  describe(`kill -9 at ${KILLS} random moments of a push, ${replicas} replica(s) (${kind}, KILL_SEED=${SEED})`, {
    skip: kind === 'postgres' && postgresMissing,
  }, () => {
    let app: ScimAppServer;
    let storage: Record<string, string>;
    let ca: string;
    let gateways: GatewayProcess[] = [];
    const random = makeRandom(`${SEED} ${kind}`);

    before(async () => {
      app = await startScimApp({ token: 'their-token' });
      ca = join(makeFolder(), 'ca.pem');
      writeFileSync(ca, '');
      storage = { ...(await freshStorage(kind)), ALLOW_LOOPBACK_WEBHOOKS: 'true' };
    });
    after(async () => {
      for (const gateway of gateways) await gateway.kill();
      await app?.close();
    });

    const any = (): GatewayProcess => {
      const [first] = gateways;
      if (first === undefined) throw new Error('no gateway runs');
      return first;
    };

    async function startAll(): Promise<void> {
      gateways = [];
      for (let n = 0; n < replicas; n += 1) gateways.push(await spawnGateway(storage, ca));
    }

    const ids: string[] = [];
    let group = '';

    async function makeUsers(): Promise<void> {
      for (let n = 0; n < USERS; n += 100) {
        const operations = Array.from({ length: Math.min(100, USERS - n) }, (_, k) => ({
          method: 'POST',
          path: '/Users',
          bulkId: String(n + k),
          data: { schemas: [USER], userName: `user${n + k}`, active: true },
        }));
        const body = { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'], Operations: operations };
        const { body: made } = await expectStatus(
          any().call<{ Operations: { location: string }[] }>('POST', '/scim/v2/Bulk', body),
          200,
        );
        ids.push(...made.Operations.map(({ location }) => location.split('/').at(-1) ?? ''));
      }
    }

    async function makeGroup(): Promise<void> {
      const members = ids.map((value) => ({ value }));
      const body = { schemas: [GROUP], displayName: 'Everybody', members };
      group = (await expectStatus(any().call<{ id: string }>('POST', '/scim/v2/Groups', body), 201)).body.id;
    }

    /** A number of its own for each change, so that the app can tell their order. */
    async function changeSome(round: number): Promise<void> {
      for (let n = 0; n < 20; n += 1) {
        const id = ids[Math.floor(random() * ids.length)];
        const operation = { op: 'replace', path: 'title', value: String(round * 1_000 + n).padStart(7, '0') };
        await any().call('PATCH', `/scim/v2/Users/${id}`, { schemas: [PATCH], Operations: [operation] });
        const membership =
          random() < 0.5
            ? { op: 'remove', path: `members[value eq "${id}"]` }
            : { op: 'add', path: 'members', value: [{ value: id }] };
        await any().call('PATCH', `/scim/v2/Groups/${group}`, { schemas: [PATCH], Operations: [membership] });
      }
    }

    async function untilDelivered(appId: string): Promise<void> {
      for (;;) {
        const { body } = await any().call<{ items: unknown[] }>(
          'GET',
          `/api/v1/apps/${appId}/deliveries?state=pending&limit=1`,
        );
        const sending = await any().call<{ items: unknown[] }>(
          'GET',
          `/api/v1/apps/${appId}/deliveries?state=sending&limit=1`,
        );
        const done = await any().call<{ items: unknown[] }>(
          'GET',
          `/api/v1/apps/${appId}/deliveries?state=delivered&limit=500`,
        );
        const isDone =
          body.items.length === 0 && sending.body.items.length === 0 && done.body.items.length >= Math.min(500, USERS);
        if (isDone && (await differing()).length === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }

    /** Names of users who have another title at the app than here, or are members of the group on one side only. */
    async function differing(): Promise<string[]> {
      const there = new Map([...app.users.values()].map((user) => [user['externalId'], user]));
      const [everybody] = app.groups.values();
      const membersThere = new Set(((everybody?.['members'] ?? []) as { value: string }[]).map(({ value }) => value));
      const { body: ours } = await any().call<{ members?: { value: string }[] }>('GET', `/scim/v2/Groups/${group}`);
      const members = new Set(ours.members?.map(({ value }) => value));
      return (await readUsers())
        .filter(({ id, title }) => {
          const other = there.get(id);
          return other?.['title'] !== title || membersThere.has(String(other?.['id'])) !== members.has(id);
        })
        .map(({ userName }) => userName);
    }

    async function readUsers(): Promise<readonly { id: string; userName: string; title?: string }[]> {
      const all: { id: string; userName: string; title?: string }[] = [];
      while (all.length < USERS) {
        const path = `/scim/v2/Users?count=1000&startIndex=${all.length + 1}`;
        const { body } = await expectStatus(any().call<{ Resources: typeof all }>('GET', path), 200);
        all.push(...body.Resources);
      }
      return all;
    }

    it('ends with everybody there once, as they are here, and never out of order', async () => {
      await startAll();
      await makeUsers();
      await makeGroup();
      const push = { baseUrl: app.url, auth: { kind: 'bearer', token: 'their-token' }, guard: null, timeoutSeconds: 2 };
      const { body } = await expectStatus(
        any().call<{ id: string }>('POST', '/api/v1/apps', { name: 'app', push }),
        201,
      );
      for (let round = 1; round <= KILLS; round += 1) {
        // A number of requests at the app is a moment, too, and needs no clock.
        const until = app.asked.length + Math.floor(random() * BETWEEN);
        await changeSome(round);
        for (let looks = 0; looks < LOOKS && app.asked.length < until; looks += 1)
          await new Promise((resolve) => setTimeout(resolve, 10));
        for (const gateway of gateways) await gateway.kill();
        await startAll();
      }
      await untilDelivered(body.id);
      assert.equal(app.users.size, USERS);
      assert.deepEqual(await differing(), []);
      assert.deepEqual(app.violations, []);
      assertInOrder(app);
    });
  });

function assertInOrder(app: ScimAppServer): void {
  const last = new Map<string, string>();
  for (const { method, path, body } of app.asked) {
    if (method !== 'PATCH') continue;
    const [operation] = (body as { Operations: { path: string; value: string }[] }).Operations;
    if (operation?.path !== 'title') continue;
    assert.ok(
      (last.get(path) ?? '') <= operation.value,
      `${path} was given ${operation.value} after ${last.get(path)}`,
    );
    last.set(path, operation.value);
  }
}
