// From one provider to another and back: ids stay, nobody is lost by it, one of two administrators wins, and a process
// that dies in the middle goes on.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { addUser, makeTenant, makeUser, removeUser, type Tenant } from '#demo/tenant.ts';
import { type Call, checkedCall } from '../support/checked.ts';
import { makeFolder, postgresMissing } from '../support/database.ts';
import {
  type Api,
  connect,
  freshStorage,
  type GatewayProcess,
  type RunBody,
  settingsFor,
  spawnGateway,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';
import { type IdentityProvider, makeIdentityProvider } from '../support/identity-provider.ts';
import { type Organisation, readOrganisation, writeOrganisation } from '../support/organisation.ts';

interface Impact {
  readonly planId: string;
  readonly runId: string;
  readonly status: string;
  readonly from: string | null;
  readonly users: Readonly<Record<string, number>>;
  readonly groups: Readonly<Record<string, number>>;
  readonly linkedBy: Readonly<Record<string, number>>;
}

async function makeImpact(api: Api, call: Call, kind: string, leftOvers = 'keep'): Promise<Impact> {
  const run = await call<RunBody>('POST', `/providers/${kind}/impact`, 202, { leftOvers });
  assert.equal((await untilOver(api, run.id)).status, 'succeeded');
  return call<Impact>('GET', `/providers/${kind}/impact`, 200);
}

async function switchTo(api: Api, call: Call, kind: string, leftOvers = 'keep'): Promise<RunBody> {
  const { planId, runId } = await makeImpact(api, call, kind, leftOvers);
  await call('POST', `/providers/${kind}/activate`, 200, { switch: true, planId, reason: 'a test' });
  return untilOver(api, runId);
}

const idsOf = ({ users, groups }: Organisation): readonly string[] =>
  [...Object.keys(users), ...Object.keys(groups)].sort();

/** With somebody's anchors left out: an identity provider need not give groups one. */
const withoutAnchors = ({ users, groups }: Organisation): unknown => ({
  users: Object.fromEntries(Object.entries(users).map(([id, { externalId: _anchor, ...body }]) => [id, body])),
  groups,
});

for (const kind of ['embedded', 'postgres'] as const)
  describe(`switching between providers (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    let tenant: Tenant;
    let graph: GraphServer;
    let gateway: TestGateway;
    let idp: IdentityProvider;
    let first: Organisation;
    const call = checkedCall(() => gateway);

    before(async () => {
      tenant = makeTenant({ users: 30, groups: 6, membersPerGroup: 8 });
      graph = await startTenant(tenant);
      gateway = await startGateway(await freshStorage(kind));
      idp = await makeIdentityProvider(gateway);
      assert.equal((await connect(gateway, settingsFor(tenant, graph))).status, 'succeeded');
      await call('PUT', '/providers/scim', 200, {});
      first = await readOrganisation(gateway);
    });
    after(async () => {
      await gateway?.close();
      await graph?.close();
    });

    it('refuses without a look, and makes the impact plan that is to be looked at', async () => {
      const refused = await call('POST', '/providers/scim/activate', 409, {});
      assert.deepEqual([refused['code'], refused['active']], ['another-provider-active', 'microsoft365']);
      const asked = await call('POST', '/providers/scim/activate', 409, { switch: true });
      assert.equal(asked['code'], 'impact-plan-required');
      const impact = await call<Impact>('GET', '/providers/scim/impact', 200);
      assert.deepEqual([asked['planId'], impact.status, impact.from], [impact.planId, 'held', 'microsoft365']);
      assert.equal(impact.users['leftOver'], Object.keys(first.users).length);
      assert.equal(impact.users['idsKept'], Object.keys(first.users).length);
      const approving = await call('POST', `/plans/${impact.planId}/approve`, 409);
      assert.equal(approving['code'], 'provider-not-active');
      const unknown = await call('POST', '/providers/scim/impact', 409, { leftOvers: 'delete' });
      assert.equal(unknown['code'], 'left-overs-unknown');
      assert.deepEqual(await readOrganisation(gateway), first);
    });

    it('refuses an identity provider while another provider is active, and names that', async () => {
      const answer = await idp.send<{ detail: string }>('POST', '/Users', { schemas: [], userName: 'x' });
      assert.ok(answer.status === 403 || answer.status === 400);
      const body = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'nobody@contoso.example' };
      const refused = await idp.send<{ detail: string }>('POST', '/Users', body);
      assert.deepEqual([refused.status, /microsoft365/.test(refused.body.detail)], [403, true]);
    });

    it('keeps every id when the same people are written over SCIM, and when it goes back', async () => {
      assert.equal((await switchTo(gateway, call, 'scim')).status, 'succeeded');
      assert.deepEqual(await readOrganisation(gateway), first, 'unseen is not gone');
      const ids = await writeOrganisation(idp, first);
      for (const [before, now] of ids) assert.equal(now, before);
      assert.deepEqual(withoutAnchors(await readOrganisation(gateway)), withoutAnchors(first));
      const again = await sync(gateway);
      assert.deepEqual([again.status, again.counts], ['succeeded', {}]);

      const impact = await makeImpact(gateway, call, 'microsoft365', 'delete');
      assert.deepEqual([impact.users['leftOver'], impact.users['created'], impact.groups['leftOver']], [0, 0, 0]);
      assert.equal(impact.users['linked'], Object.keys(first.users).length);
      assert.equal(impact.linkedBy['former'], idsOf(first).length);
      await call('POST', '/providers/microsoft365/activate', 200, { switch: true, planId: impact.planId });
      assert.equal((await untilOver(gateway, impact.runId)).status, 'succeeded');
      assert.deepEqual(await readOrganisation(gateway), first);
      const { body } = await gateway.call<{ totalResults: number }>(
        'GET',
        '/scim/v2/Users?count=0&filter=urn:sluice:params:scim:schemas:extension:gateway:2.0:User:origin%20ne%20%22microsoft365%22',
      );
      assert.equal(body.totalResults, 0);
    });

    it('tells consumers of updates, not of people who go and come', async () => {
      for (const id of Object.keys(first.users)) {
        const { items } = await call<{ items: { operation: string }[] }>('GET', `/users/${id}/history`, 200);
        const told = items.map(({ operation }) => operation);
        assert.deepEqual([told.at(-1), new Set(told.slice(0, -1))], ['create', new Set(['update'])]);
      }
    });

    it('says who deactivated what, and why', async () => {
      const { items } = await call<{
        items: { action: string; object: string; actor: string; detail: Record<string, unknown> }[];
      }>('GET', '/audit?limit=200', 200);
      const entry = items.find(({ action, object }) => action === 'provider.deactivate' && object === 'microsoft365');
      assert.deepEqual([entry?.detail['reason'], entry?.detail['switchedTo']], ['a test', 'scim']);
      assert.match(entry?.actor ?? '', /^token:/);
    });

    it('deactivates or deletes those left over as the plan said, and links those who come back', async () => {
      assert.equal((await switchTo(gateway, call, 'scim')).status, 'succeeded');
      const extra = await idp.createUser('only-scim@contoso.example');
      const club = await idp.createGroup('Only SCIM', [extra.id]);
      const [gone] = tenant.users.values();
      removeUser(tenant, gone?.id ?? '');
      const later = makeUser('later', 9_000);
      addUser(tenant, later);
      await writeOrganisation(idp, first);
      assert.equal((await switchTo(gateway, call, 'microsoft365', 'deactivate')).status, 'succeeded');
      const now = await readOrganisation(gateway);
      assert.equal(now.users[extra.id]?.['active'], false);
      assert.equal(now.groups[club.id], undefined);
      const leaver = Object.entries(first.users).find(([, body]) => body['externalId'] === gone?.id)?.[0] ?? '';
      assert.equal(now.users[leaver]?.['active'], false);
      assert.ok(Object.values(now.users).some((body) => body['externalId'] === later.id));
      const after = await sync(gateway);
      assert.equal(after.status, 'succeeded');
      assert.deepEqual(await readOrganisation(gateway), now);
    });

    it('settles those left over once the identity provider has written, by a plan of the active provider', async () => {
      const before = await readOrganisation(gateway);
      assert.equal((await switchTo(gateway, call, 'scim')).status, 'succeeded');
      const filter = encodeURIComponent(
        'urn:sluice:params:scim:schemas:extension:gateway:2.0:User:origin eq "microsoft365"',
      );
      const { body } = await gateway.call<{ Resources: { id: string }[] }>('GET', `/scim/v2/Users?filter=${filter}`);
      const others = body.Resources.map(({ id }) => id);
      assert.ok(others.length > 0, 'somebody whom the identity provider never wrote');
      const impact = await makeImpact(gateway, call, 'scim', 'deactivate');
      assert.deepEqual([impact.from, impact.users['deactivated']], ['scim', others.length]);
      await call('POST', `/plans/${impact.planId}/approve`, 202);
      assert.equal((await untilOver(gateway, impact.runId)).status, 'succeeded');
      const settled = await readOrganisation(gateway);
      for (const id of others) assert.equal(settled.users[id]?.['active'], false);
      assert.equal((await switchTo(gateway, call, 'microsoft365', 'deactivate')).status, 'succeeded');
      assert.deepEqual(await readOrganisation(gateway), before);
    });

    it('lets one of two administrators win, and tells the other; never are two active', async () => {
      const impact = await makeImpact(gateway, call, 'scim');
      const activate = (body: object) =>
        gateway.call<Record<string, unknown>>('POST', '/api/v1/providers/scim/activate', body);
      const deactivate = () =>
        gateway.call<Record<string, unknown>>('POST', '/api/v1/providers/microsoft365/deactivate', {});
      const answers = await Promise.all([
        activate({ switch: true, planId: impact.planId }),
        deactivate(),
        activate({ switch: true, planId: impact.planId }),
      ]);
      for (const { status, body } of answers)
        assert.ok(status === 200 || (status === 409 && typeof body['code'] === 'string'), JSON.stringify(body));
      const { items } = await call<{ items: { kind: string; active: boolean }[] }>('GET', '/providers', 200);
      assert.ok(items.filter(({ active }) => active).length <= 1);
      await untilOver(gateway, impact.runId);
    });

    it('refuses a plan that was made before the settings changed, or for another provider', async () => {
      const { items } = await call<{ items: { kind: string; active: boolean }[] }>('GET', '/providers', 200);
      const active = items.find((card) => card.active)?.kind;
      if (active !== undefined) await call('POST', `/providers/${active}/deactivate`, 200, { reason: 'a test' });
      await call('POST', '/providers/scim/activate', 200, {});
      const impact = await makeImpact(gateway, call, 'microsoft365');
      await call('PUT', '/providers/microsoft365', 200, settingsFor(tenant, graph, { matching: ['userName'] }));
      const stale = await call('POST', '/providers/microsoft365/activate', 409, {
        switch: true,
        planId: impact.planId,
      });
      assert.equal(stale['code'], 'impact-plan-unusable');
      const fresh = await makeImpact(gateway, call, 'microsoft365');
      await call('POST', '/providers/scim/deactivate', 200, {});
      const other = await call('POST', '/providers/microsoft365/activate', 409, { switch: true, planId: fresh.planId });
      assert.equal(other['code'], 'impact-plan-unusable');
    });
  });

for (const kind of ['embedded', 'postgres'] as const)
  describe(`kill -9 in the middle of a switch (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    it('goes on where it was, and ends as if nothing had happened', async () => {
      const tenant = makeTenant({ users: 800, groups: 20, membersPerGroup: 30 });
      const graph = await startTenant(tenant);
      const ca = join(makeFolder(), 'ca.pem');
      writeFileSync(ca, graph.ca);
      const storage = await freshStorage(kind);
      let gateway: GatewayProcess = await spawnGateway(storage, ca);
      const call = checkedCall(() => gateway);
      try {
        assert.equal((await connect(gateway, settingsFor(tenant, graph))).status, 'succeeded');
        const first = await readOrganisation(gateway);
        await call('PUT', '/providers/scim', 200, {});
        await switchTo(gateway, call, 'scim');
        const idp = await makeIdentityProvider(gateway);
        // Members that are named become the identity provider's: a quick way to take over many.
        const group = await idp.createGroup('Everybody', Object.keys(first.users));
        const impact = await makeImpact(gateway, call, 'microsoft365', 'delete');
        assert.ok((impact.users['linked'] ?? 0) >= 500);
        await call('POST', '/providers/microsoft365/activate', 200, { switch: true, planId: impact.planId });
        for (let moment = 0; moment < 3; moment += 1) await gateway.call('GET', `/api/v1/sync-runs/${impact.runId}`);
        await gateway.kill();
        gateway = await spawnGateway(storage, ca);
        assert.equal((await untilOver(gateway, impact.runId)).status, 'succeeded');
        const last = await readOrganisation(gateway);
        assert.equal(last.groups[group.id], undefined);
        assert.deepEqual(last, first);
      } finally {
        await gateway.kill();
        await graph.close();
      }
    });
  });
