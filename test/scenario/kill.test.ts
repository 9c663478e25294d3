import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { addUser, makeRandom, makeTenant, makeUser, removeUser, type Tenant, updateUser } from '#demo/tenant.ts';
import { makeFolder, postgresMissing } from '../support/database.ts';
import {
  expectStatus,
  freshStorage,
  type GatewayProcess,
  type RunBody,
  settingsFor,
  spawnGateway,
  startTenant,
  untilOver,
} from '../support/gateway.ts';
import { pictureOf, readServed } from '../support/served.ts';

/** Twenty in all. A process on embedded storage takes three times as long to start. */
const KILLS = { embedded: 6, postgres: 14 };
const SEED = process.env['KILL_SEED'] ?? 'kill';

for (const kind of ['embedded', 'postgres'] as const)
  describe(`kill -9 at ${KILLS[kind]} random moments of a sync (${kind}, KILL_SEED=${SEED})`, {
    skip: kind === 'postgres' && postgresMissing,
  }, () => {
    let tenant: Tenant;
    let graph: GraphServer;
    let storage: Record<string, string>;
    let ca: string;
    let gateway: GatewayProcess | undefined;
    const random = makeRandom(SEED);

    before(async () => {
      tenant = makeTenant({ users: 1_200, groups: 40, membersPerGroup: 20 });
      graph = await startTenant(tenant);
      ca = join(makeFolder(), 'ca.pem');
      writeFileSync(ca, graph.ca);
      storage = await freshStorage(kind);
    });
    after(async () => {
      await gateway?.kill();
      await graph?.close();
    });

    /** Joins the run that is under way, or starts one; then goes away at a random place of its progress. */
    async function runAndKill(round: number): Promise<void> {
      gateway = await spawnGateway(storage, ca);
      if (round === 0) {
        await expectStatus(gateway.call('PUT', '/api/v1/providers/microsoft365', settingsFor(tenant, graph)), 200);
        await gateway.call('POST', '/api/v1/providers/microsoft365/activate', {});
      } else await gateway.call('POST', '/api/v1/sync-runs', { allowLargeSync: true });
      // A number of answered requests is a moment, too, and needs no clock.
      const moments = Math.floor(random() * 40);
      for (let count = 0; count < moments; count += 1) await gateway.call('GET', '/api/v1/sync-runs?limit=1');
      await gateway.kill();
    }

    function change(round: number): void {
      const ids = [...tenant.users.keys()];
      addUser(tenant, makeUser('kill', 5_000 + round));
      removeUser(tenant, ids[Math.floor(random() * ids.length)] ?? '');
      updateUser(tenant, [...tenant.users.keys()][round] ?? '', { displayName: `Renamed in round ${round}` });
    }

    it('ends equal to the tenant, with one id for each, and no change told twice', async () => {
      for (let round = 0; round < KILLS[kind]; round += 1) {
        await runAndKill(round);
        change(round);
      }
      gateway = await spawnGateway(storage, ca);
      const last = await finishWhateverRuns(gateway);
      assert.equal(last.status, 'succeeded', JSON.stringify(last));
      const { ids, ...served } = await readServed(gateway);
      assert.deepEqual(served, pictureOf(tenant));
      assert.equal(new Set(Object.values(ids)).size, Object.keys(ids).length);
      const runs = await gateway.call<{ items: RunBody[] }>('GET', '/api/v1/sync-runs?limit=100');
      assert.ok(runs.body.items.every(({ status }) => status !== 'running' && status !== 'queued'));
      for (const { status, error } of runs.body.items)
        if (status === 'abandoned') assert.deepEqual([error?.code, error?.remedy === null], ['run-abandoned', false]);
    });
  });

/** What a killed process left behind ends by itself; then one more run brings everything up to date. */
async function finishWhateverRuns(gateway: GatewayProcess): Promise<RunBody> {
  for (;;) {
    const started = await gateway.call<RunBody & { runId?: string }>('POST', '/api/v1/sync-runs', {
      allowLargeSync: true,
    });
    const run = await untilOver(gateway, started.status === 202 ? started.body.id : (started.body.runId ?? ''));
    if (started.status === 202) return run;
  }
}
