// Single writes of an identity provider undone, and what it is told when it writes them again.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { USER_SCHEMA } from '#core/resource.ts';
import { eachDatabase } from '../support/database.ts';
import {
  approve,
  expectStatus,
  freshStorage,
  type RunBody,
  startGateway,
  sync,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';
import { activateScim, type IdentityProvider, makeIdentityProvider } from '../support/identity-provider.ts';

interface Change {
  readonly resourceId: string;
  readonly version: number;
  readonly operation: string;
  readonly runId: string | null;
}

eachDatabase('Undoing pushed writes', (_open, kind) => {
  let gateway: TestGateway;
  let idp: IdentityProvider;
  before(async () => {
    gateway = await startGateway(await freshStorage(kind));
    idp = await makeIdentityProvider(gateway);
    await activateScim(gateway);
  });
  after(() => gateway?.close());

  const revert = (change: Pick<Change, 'resourceId' | 'version'>) =>
    gateway.call<RunBody & { code: string; runId: string }>('POST', '/api/v1/changes/revert', {
      resourceId: change.resourceId,
      version: change.version,
    });

  /** The newest change of a resource of that kind, undone and applied. */
  async function undo(resourceId: string, operation: string): Promise<RunBody> {
    const run = (await expectStatus(revert(await lastChange(resourceId, operation)), 202)).body;
    const planned = await untilOver(gateway, run.id);
    assert.equal(planned.status, 'held', 'a revert waits for somebody to look at it');
    return approve(gateway, planned.planId);
  }

  /** Asked for until it is there: transactions of others in the cluster hold the journal back. */
  async function lastChange(resourceId: string, operation: string): Promise<Change> {
    const type = operation === 'membership' ? 'Groups' : 'Users';
    const latest = (await gateway.call<{ meta: { version: string } }>('GET', `/scim/v2/${type}/${resourceId}`)).body
      .meta;
    for (;;) {
      const { body } = await gateway.call<{ items: Change[] }>('GET', '/api/v1/changes?limit=1000');
      const mine = body.items.filter((one) => one.resourceId === resourceId);
      const found = mine.filter((one) => one.operation === operation).at(-1);
      const isWhole = latest === undefined || mine.some(({ version }) => latest.version === `W/"${version}"`);
      if (found !== undefined && isWhole) return found;
    }
  }

  async function releaseAll(): Promise<number> {
    const { body } = await gateway.call<{ items: { id: string }[] }>('GET', '/api/v1/pins');
    for (const { id } of body.items) await expectStatus(gateway.call('DELETE', `/api/v1/pins/${id}`), 204);
    return body.items.length;
  }

  const membersOf = async (id: string): Promise<readonly string[]> => {
    const { body } = await expectStatus(idp.send('GET', `/Groups/${id}`), 200);
    return ((body['members'] ?? []) as { value: string }[]).map(({ value }) => value);
  };
  const title = (value: string) => ({ op: 'replace', path: 'title', value });

  it('restores values, refuses the same write while they are pinned, and lets it in afterwards', async () => {
    const user = await idp.createUser('values@example.org', { title: 'Dr' });
    await expectStatus(idp.patch(`/Users/${user.id}`, title('Oops')), 200);
    const run = await undo(user.id, 'update');
    assert.deepEqual(run.counts, { updated: 1 });
    assert.equal((await idp.send('GET', `/Users/${user.id}`)).body['title'], 'Dr');

    const again = await idp.patch(`/Users/${user.id}`, title('Oops again'));
    assert.equal(again.status, 403);
    assert.match(String(again.body['detail']), /undone this change/);
    assert.equal((await idp.send('GET', `/Users/${user.id}`)).body['title'], 'Dr');
    await sync(gateway);
    assert.equal((await idp.send('GET', `/Users/${user.id}`)).body['title'], 'Dr', 'nor does a run repeat it');

    assert.equal(await releaseAll(), 1);
    await sync(gateway);
    assert.equal((await idp.send('GET', `/Users/${user.id}`)).body['title'], 'Oops again', 'what it wrote was kept');
  });

  it('gives a deleted account back, with its id and its groups, and keeps it', async () => {
    const user = await idp.createUser('deleted@example.org');
    const group = await idp.createGroup('Of the deleted', [user.id]);
    await expectStatus(idp.send('DELETE', `/Users/${user.id}`), 204);
    assert.deepEqual(await membersOf(group.id), []);
    await undo(user.id, 'delete');
    assert.equal((await idp.send('GET', `/Users/${user.id}`)).body.userName, 'deleted@example.org');
    assert.deepEqual(await membersOf(group.id), [user.id]);
    assert.equal((await idp.send('DELETE', `/Users/${user.id}`)).status, 403);
    await sync(gateway);
    await expectStatus(idp.send('GET', `/Users/${user.id}`), 200);
    await releaseAll();
    await expectStatus(idp.send('DELETE', `/Users/${user.id}`), 204);
  });

  it('enables an account again, and takes what else the client wants of it', async () => {
    const user = await idp.createUser('disabled@example.org');
    const disable = { op: 'Replace', path: 'active', value: 'False' };
    await expectStatus(idp.patch(`/Users/${user.id}`, disable), 200);
    await undo(user.id, 'deactivate');
    assert.equal((await idp.send('GET', `/Users/${user.id}`)).body.active, true);
    assert.equal((await idp.patch(`/Users/${user.id}`, disable)).status, 403);
    const enable = { op: 'Replace', path: 'active', value: 'True' };
    await expectStatus(idp.patch(`/Users/${user.id}`, enable, title('Dr')), 200);
    assert.equal((await idp.send('GET', `/Users/${user.id}`)).body['title'], 'Dr');
    await releaseAll();
  });

  it('takes back who came in, and does not let them in again', async () => {
    const body = { schemas: [USER_SCHEMA], userName: 'created@example.org', externalId: 'created' };
    const { id } = (await expectStatus(idp.send('POST', '/Users', body), 201)).body;
    await undo(id, 'create');
    assert.equal((await idp.send('GET', `/Users/${id}`)).status, 404);
    assert.equal((await idp.send('POST', '/Users', body)).status, 403);
    assert.equal(await releaseAll(), 1);
    assert.equal((await expectStatus(idp.send('POST', '/Users', body), 201)).body.id, id);
  });

  it('restores memberships one by one, and passes what is not pinned', async () => {
    const [stays, comes, other] = await Promise.all(
      ['stays', 'comes', 'other'].map((name) => idp.createUser(`${name}@example.org`)),
    );
    assert.ok(stays && comes && other);
    const group = await idp.createGroup('One by one', [stays.id]);
    const remove = { op: 'Remove', path: `members[value eq "${stays.id}"]` };
    const add = (...ids: string[]) => ({ op: 'Add', path: 'members', value: ids.map((value) => ({ value })) });
    await expectStatus(idp.patch(`/Groups/${group.id}`, remove, add(comes.id)), 200);
    await undo(group.id, 'membership');
    assert.deepEqual(await membersOf(group.id), [stays.id]);

    assert.equal((await idp.patch(`/Groups/${group.id}`, remove)).status, 403);
    assert.equal((await idp.patch(`/Groups/${group.id}`, add(comes.id))).status, 403);
    await expectStatus(idp.patch(`/Groups/${group.id}`, add(comes.id, other.id)), 200);
    assert.deepEqual([...(await membersOf(group.id))].sort(), [other.id, stays.id].sort());
    const put = { schemas: group['schemas'], displayName: 'One by one', members: [] };
    await expectStatus(idp.send('PUT', `/Groups/${group.id}`, put), 200);
    assert.deepEqual(await membersOf(group.id), [stays.id]);
    assert.equal(await releaseAll(), 2);
    await sync(gateway);
    assert.deepEqual(await membersOf(group.id), []);
  });

  it('leaves alone what has changed since, and can be undone itself', async () => {
    const user = await idp.createUser('twice@example.org', { title: 'First' });
    await expectStatus(idp.patch(`/Users/${user.id}`, title('Second')), 200);
    const second = await lastChange(user.id, 'update');
    await expectStatus(idp.patch(`/Users/${user.id}`, title('Third')), 200);
    const stale = await untilOver(gateway, (await expectStatus(revert(second), 202)).body.id);
    assert.deepEqual([stale.status, stale.counts], ['succeeded', { stale: 1 }]);

    const undone = await undo(user.id, 'update');
    assert.equal((await idp.send('GET', `/Users/${user.id}`)).body['title'], 'Second');
    const back = await expectStatus(gateway.call<RunBody>('POST', `/api/v1/sync-runs/${undone.id}/revert`, {}), 202);
    await approve(gateway, (await untilOver(gateway, back.body.id)).planId);
    assert.equal((await idp.send('GET', `/Users/${user.id}`)).body['title'], 'Third');
    assert.equal(await releaseAll(), 0, 'and with it the pin is gone');
  });

  it('says why a change cannot be undone this way', async () => {
    const unknown = await revert({ resourceId: '00000000-0000-4000-8000-000000000000', version: 1 });
    assert.deepEqual([unknown.status, unknown.body.code], [404, 'change-not-found']);
    const byHand = await gateway.call<{ id: string }>('POST', '/scim/v2/Users', {
      schemas: [USER_SCHEMA],
      userName: 'by-hand@example.org',
    });
    const manual = await revert({ resourceId: byHand.body.id, version: 1 });
    assert.deepEqual([manual.status, manual.body.code], [409, 'nothing-to-revert']);
    const user = await idp.createUser('of-a-run@example.org', { title: 'Dr' });
    await expectStatus(idp.patch(`/Users/${user.id}`, title('Sir')), 200);
    const undone = await undo(user.id, 'update');
    const ofRun = await revert(await lastChange(user.id, 'update'));
    assert.deepEqual([ofRun.status, ofRun.body.code, ofRun.body.runId], [409, 'belongs-to-run', undone.id]);
  });
});
