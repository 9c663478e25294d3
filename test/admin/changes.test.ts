import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { csvLine } from '#core/csv.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import { addMember, makeTenant, removeMember, removeUser, type Tenant, updateUser } from '#demo/tenant.ts';
import type { ItemMemberView } from '#store/views/item-members.ts';
import type { ItemView } from '#store/views/items.ts';
import {
  ADMIN_TOKEN,
  approve,
  connect,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const UUID = '00000000-0000-4000-8000-000000000000';
const FORMULA = '=HYPERLINK("http://example.org","Ada, ""Countess""")';

describe('the changes of a run', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;
  let run: RunBody;
  let changed = '';
  let boss = '';
  let leaver = '';
  let group = '';
  let joined = '';
  let gone = '';

  before(async () => {
    tenant = makeTenant({ users: 80, groups: 6, membersPerGroup: 8 });
    graph = await startTenant(tenant);
    api = await startGateway(await freshStorage('embedded'));
    await connect(api, settingsFor(tenant, graph));
    const enabled = [...tenant.users.values()].filter(({ accountEnabled }) => accountEnabled === true);
    [changed = '', boss = '', joined = ''] = enabled.slice(10, 13).map(({ id }) => id);
    group = [...tenant.groups.keys()].toSorted((one, other) => usersOf(other).length - usersOf(one).length)[0] ?? '';
    const people = usersOf(group).filter((id) => id !== joined);
    [leaver = '', gone = ''] = people.filter((id) => id !== changed && id !== boss);
    tenant.members.get(group)?.delete(joined);
    await sync(api);
    updateUser(tenant, changed, { displayName: FORMULA, jobTitle: 'Boss', department: null });
    tenant.managers.set(changed, boss);
    addMember(tenant, group, joined);
    removeMember(tenant, group, gone);
    removeUser(tenant, leaver);
    run = await sync(api);
    assert.equal(run.status, 'succeeded', JSON.stringify(run));
  });
  after(async () => {
    await api?.close();
    await graph?.close();
  });

  const usersOf = (id: string): string[] =>
    [...(tenant.members.get(id) ?? [])].filter((member) => tenant.users.has(member));

  async function get<Body>(path: string): Promise<Body> {
    const answer = await api.call<Body>('GET', `/api/v1${path}`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(problemsOf('GET', path, 200, answer.body), []);
    return answer.body;
  }

  const list = async (query: string): Promise<ItemView[]> =>
    (await get<{ items: ItemView[] }>(`/plans/${run.planId}/changes?limit=500&${query}`)).items;
  const ids = (items: readonly ItemView[]): (string | null)[] => items.map(({ externalId }) => externalId);

  it('show an update attribute by attribute, before and after', async () => {
    const [item] = await list(`search=${changed}&action=update`);
    const shown = new Map(item?.diff.map(({ path, ...sides }) => [path, sides]));
    assert.equal(shown.get('displayName')?.after, FORMULA);
    assert.equal(shown.get('title')?.after, 'Boss');
    assert.equal(shown.get(`${ENTERPRISE}:department`)?.after, null);
    const found = await api.call<{ Resources: { id: string }[] }>(
      'GET',
      `/scim/v2/Users?filter=${encodeURIComponent(`externalId eq "${boss}"`)}`,
    );
    assert.deepEqual(shown.get(`${ENTERPRISE}:manager`)?.after, { value: found.body.Resources[0]?.id });
    assert.deepEqual([...shown.keys()], item?.attributes);
  });

  it('are found by action, outcome, reason, type, attribute, group and search', async () => {
    const everything = await list('');
    assert.deepEqual(ids(await list('action=deactivate')), [leaver]);
    assert.equal((await list('outcome=applied')).length, everything.filter((item) => item.action !== 'skip').length);
    assert.deepEqual(ids(await list('reason=NotInSource')), [leaver]);
    assert.ok((await list('resourceType=Group')).every((item) => item.resourceType === 'Group'));
    assert.deepEqual(ids(await list('attribute=title')), [changed]);
    assert.deepEqual(ids(await list('attribute=members')), [group]);
    assert.deepEqual(new Set(ids(await list(`group=${group}&outcome=applied`))).has(leaver), true);
    assert.ok(ids(await list(`group=${group}`)).includes(group));
    assert.deepEqual(ids(await list(`search=${leaver}`)), [leaver]);
    assert.deepEqual(await list('attribute=nonsense'), []);
    assert.equal((await api.call('GET', `/api/v1/plans/${run.planId}/changes?compared=new`)).status, 400);
  });

  it('name each membership that comes or goes, with the people', async () => {
    const [item] = await list('action=membership');
    const members = async (seq: number | undefined, query = ''): Promise<ItemMemberView[]> =>
      (await get<{ items: ItemMemberView[] }>(`/plans/${run.planId}/changes/${seq}/members${query}`)).items;
    const of = (views: readonly ItemMemberView[]): string[][] =>
      views.map(({ change, member }) => [change, member.externalId ?? '']);
    assert.deepEqual(of(await members(item?.seq)), [
      ['added', joined],
      ['removed', gone],
    ]);
    assert.deepEqual(of(await members(item?.seq, '?change=removed')), [['removed', gone]]);
    assert.ok((await members(item?.seq)).every(({ member }) => member.displayName && member.id));
    const [left] = await list('action=deactivate');
    const lost = await members(left?.seq);
    assert.equal(lost.length, left?.removed);
    assert.ok(lost.some(({ group: { displayName } }) => displayName === tenant.groups.get(group)?.['displayName']));
    assert.ok(lost.every(({ member }) => member.externalId === leaver));
    assert.equal((await api.call('GET', `/api/v1/plans/${run.planId}/changes/999999/members`)).status, 404);
    assert.equal((await api.call('GET', `/api/v1/plans/${run.planId}/changes/x/members`)).status, 404);
  });

  it('are exported whole, as lines of JSON and as CSV that no spreadsheet carries out', async () => {
    const fetchText = async (path: string, accept?: string): Promise<{ text: string; type: string | null }> => {
      const answer = await fetch(`${api.base}/api/v1${path}`, {
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...(accept === undefined ? {} : { accept }) },
      });
      assert.equal(answer.status, 200);
      return { text: await answer.text(), type: answer.headers.get('content-type') };
    };
    const path = `/sync-runs/${run.id}/changes`;
    const everything = await list('');
    const lines = await fetchText(path, 'application/x-ndjson');
    assert.match(lines.type ?? '', /^application\/x-ndjson/);
    assert.deepEqual(
      lines.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
      everything,
    );
    assert.equal((await fetchText(`${path}?format=ndjson&limit=1&action=update`)).text.trim().split('\n').length, 1);
    const csv = await fetchText(path, 'text/csv');
    assert.match(csv.type ?? '', /^text\/csv/);
    assert.equal(csv.text.split('\r\n').length, everything.length + 2);
    assert.match(csv.text, /^seq,action,resourceType,/);
    assert.ok(csv.text.includes('HYPERLINK'));
    assert.doesNotMatch(csv.text, /(^|,|\n|\r)"?[=+@]/);
  });

  it('are undone by a plan of their own, and stay undone until they are released', async () => {
    const call = async <Body>(method: string, path: string, status: number): Promise<Body> => {
      const answer = await api.call<Body>(method, `/api/v1${path}`);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.deepEqual(problemsOf(method, path, status, answer.body), []);
      return answer.body;
    };
    const queued = await call<RunBody>('POST', `/sync-runs/${run.id}/revert`, 202);
    const held = await untilOver(api, queued.id);
    assert.deepEqual([held.status, held.trigger], ['held', 'revert']);
    assert.equal((await get<{ reverts: string }>(`/plans/${held.planId}`)).reverts, run.id);
    await approve(api, held.planId);
    const { items } = await get<{ items: { id: string; label: string }[] }>(`/pins?run=${run.id}`);
    assert.ok(items.length >= 4);
    await call('DELETE', `/pins/${items[0]?.id}`, 204);
    assert.equal((await call<{ code: string }>('DELETE', `/pins/${items[0]?.id}`, 404)).code, 'pin-not-found');
    await call('DELETE', '/pins', 400);
    assert.deepEqual(await call('DELETE', `/pins?run=${queued.id}`, 200), { released: items.length - 1 });
    assert.deepEqual((await get<{ items: unknown[] }>('/pins')).items, []);
    assert.equal((await call<{ code: string }>('POST', `/sync-runs/${UUID}/revert`, 404)).code, 'run-not-found');
    const idle = await sync(api, { preview: true });
    assert.equal((await call<{ code: string }>('POST', `/sync-runs/${idle.id}/revert`, 409)).code, 'nothing-to-revert');
  });
});

it('makes a line of CSV that keeps every text and carries out none', () => {
  assert.equal(csvLine(['a', 1, true, null]), 'a,1,true,\r\n');
  assert.equal(csvLine(['say "hi", please', 'two\nlines']), '"say ""hi"", please","two\nlines"\r\n');
  for (const start of ['=', '+', '-', '@', '\t', '\r']) assert.match(csvLine([`${start}1+1`]), /^"?'/);
});
