import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ENTERPRISE_SCHEMA } from '#core/resource.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant, type TenantUser } from '#demo/tenant.ts';
import {
  approve,
  connect,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';

interface Tried {
  from: string;
  attributes: { target: string; source: object; value: unknown; problem: string | null; byDefault: boolean }[];
  resource: Record<string, unknown> | null;
  skipped: { code: string } | null;
}

describe('the attribute mapping over the API', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;
  let somebody: TenantUser;
  const saved = () => settingsFor(tenant, graph);

  before(async () => {
    tenant = makeTenant({ users: 60, groups: 4, membersPerGroup: 5 });
    for (const user of tenant.users.values())
      Object.assign(user, {
        onPremisesExtensionAttributes: { extensionAttribute3: `desk ${String(user['employeeId'])}` },
      });
    somebody = [...tenant.users.values()].find((user) => user['jobTitle'] && user['department']) ?? assert.fail();
    graph = await startTenant(tenant);
    api = await startGateway(await freshStorage('embedded'));
    await connect(api, saved());
  });
  after(async () => {
    await api?.close();
    await graph?.close();
  });

  async function call<Body = Record<string, unknown>>(method: string, path: string, status: number, body?: unknown) {
    const answer = await api.call<Body>(method, `/api/v1${path}`, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(problemsOf(method, path, status, answer.body), [], `${method} ${path}`);
    return answer.body;
  }

  const attempt = (users: readonly object[] | undefined, person: string = somebody.id) =>
    call<Tried>('POST', '/providers/microsoft365/mapping/try', 200, {
      person,
      ...(users && { mapping: { users } }),
    });

  it('shows the defaults with what each attribute takes', async () => {
    const { items } = await call<{
      items: { target: string; byDefault: boolean; type: string; multiValued: boolean }[];
    }>('GET', '/providers/microsoft365/mapping', 200);
    assert.ok(items.every(({ byDefault }) => byDefault));
    const emails = items.find(({ target }) => target === 'emails');
    assert.deepEqual([emails?.type, emails?.multiValued], ['complex', true]);
  });

  it('tries rules on a person at hand without asking the source, and changes nothing', async () => {
    const before = graph.requests.get('/v1.0/users') ?? 0;
    const tried = await attempt([
      { target: 'title', expression: 'joined([jobTitle, department], " / ")' },
      { target: 'nickName', constant: null },
    ]);
    assert.equal(tried.from, 'mirror');
    const title = tried.attributes.find(({ target }) => target === 'title');
    assert.equal(title?.value, `${somebody['jobTitle']} / ${somebody['department']}`);
    assert.deepEqual(title?.source, { jobTitle: somebody['jobTitle'], department: somebody['department'] });
    assert.equal(tried.resource?.['title'], title?.value);
    assert.ok(tried.attributes.some(({ byDefault }) => byDefault));
    assert.equal(graph.requests.get('/v1.0/users') ?? 0, before);
    assert.equal((await attempt(undefined)).resource?.['title'], somebody['jobTitle']);
    const byName = await attempt(undefined, String(somebody['userPrincipalName']).toUpperCase());
    assert.equal(byName.resource?.['externalId'], somebody.id);
  });

  it('asks the source when a rule looks at a field that was not read yet', async () => {
    const tried = await attempt([{ target: 'nickName', source: 'extensionAttribute3' }]);
    assert.equal(tried.from, 'source');
    assert.equal(tried.resource?.['nickName'], `desk ${String(somebody['employeeId'])}`);
  });

  it('says why a person is left out, and whom the provider does not show', async () => {
    const tried = await attempt([{ target: 'userName', source: 'onPremisesUserPrincipalName' }]);
    assert.equal(tried.resource, null);
    assert.equal(tried.skipped?.code, 'MandatoryFieldMissing');
    const unknown = await call('POST', '/providers/microsoft365/mapping/try', 404, {
      person: 'nobody@contoso.example',
    });
    assert.equal(unknown['code'], 'person-unknown');
  });

  it('refuses wrong rules at the try and at the save, with a sentence for each', async () => {
    const mapping = {
      users: [
        { target: 'colour', source: 'jobTitle' },
        { target: 'title', source: 'jobb' },
      ],
    };
    const tried = await call('POST', '/providers/microsoft365/mapping/try', 400, { person: somebody.id, mapping });
    const put = await call('PUT', '/providers/microsoft365', 400, { ...saved(), mapping });
    for (const body of [tried, put]) {
      assert.equal(body['code'], 'settings-invalid');
      assert.equal((body['problems'] as unknown[]).length, 2);
    }
  });

  it('brings a saved rule to everybody with the next run, and explain shows it', async () => {
    const rule = { target: `${ENTERPRISE_SCHEMA}:costCenter`, source: 'extensionAttribute3' };
    await call('PUT', '/providers/microsoft365', 200, { ...saved(), mapping: { users: [rule] } });
    const run = await applied(await sync(api, { mode: 'full', allowLargeSync: true }));
    assert.ok((run.counts['updated'] ?? 0) > 50, JSON.stringify(run));
    const { explanation } = await call<{ explanation: { attributes: Record<string, unknown>[] } | null }>(
      'GET',
      `/explain?subject=${somebody.id}`,
      200,
    );
    const cost = explanation?.attributes.find(({ attribute }) => attribute === rule.target);
    assert.equal(cost?.['value'], `desk ${String(somebody['employeeId'])}`);
    assert.deepEqual(cost?.['source'], { extensionAttribute3: cost?.['value'] });
    assert.deepEqual((cost?.['rules'] as object[] | undefined)?.[0], { ...rule, apply: 'always' });
  });

  it('holds a mapping that empties a column', async () => {
    const rule = { target: 'title', source: 'onPremisesUserPrincipalName' };
    await call('PUT', '/providers/microsoft365', 200, { ...saved(), mapping: { users: [rule] } });
    const run = await sync(api, { mode: 'full' });
    assert.equal(run.status, 'held');
    assert.ok(
      run.guard?.reasons.some(({ code, message }) => /attribute/.test(code) && /title/.test(message)),
      JSON.stringify(run.guard),
    );
  });

  async function applied(run: RunBody): Promise<RunBody> {
    return run.status === 'held' ? approve(api, run.planId) : run;
  }
});
