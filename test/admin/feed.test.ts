// Somebody who follows the directory by the snapshot and the feed alone has it whole, though it changes while they begin.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eachDatabase } from '../support/database.ts';
import { expectStatus, freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

interface Change {
  readonly resourceType: 'User' | 'Group';
  readonly resourceId: string;
  readonly operation: string;
}
interface Item {
  readonly kind: 'resource' | 'membership';
  readonly id: string;
  readonly groupId: string;
  readonly memberId: string;
}
interface Shown {
  readonly id: string;
  readonly title?: string;
  readonly members?: readonly { readonly value: string }[];
}

eachDatabase('the feed of changes', (_open, kind) => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startGateway(await freshStorage(kind));
  });
  after(() => gateway?.close());

  const make = async (path: string, body: object): Promise<string> =>
    (await expectStatus(gateway.call<Shown>('POST', `/scim/v2/${path}`, body), 201)).body.id;
  const user = (userName: string) => make('Users', { schemas: [USER], userName, active: true });
  const patch = (place: string, operation: object) =>
    expectStatus(gateway.call('PATCH', `/scim/v2/${place}`, { schemas: [PATCH], Operations: [operation] }), 200);

  /** What a follower holds: titles by id, members by group. */
  const titles = new Map<string, string | undefined>();
  const members = new Map<string, Set<string>>();

  /** The feed is thin: whoever changed is read. */
  async function take({ resourceType, resourceId: id, operation }: Change): Promise<void> {
    const { status, body } = await gateway.call<Shown>('GET', `/scim/v2/${resourceType}s/${id}`);
    if (status === 404) {
      titles.delete(id);
      members.delete(id);
      for (const one of members.values()) one.delete(id);
      return;
    }
    assert.notEqual(operation, 'delete');
    titles.set(id, body.title);
    if (resourceType !== 'Group') return;
    members.set(id, new Set((body.members ?? []).map(({ value }) => value)));
  }

  async function snapshot(meanwhile: readonly (() => Promise<unknown>)[]): Promise<string> {
    const steps = [...meanwhile];
    for (let path = '/api/v1/changes/snapshot?limit=2'; ; ) {
      const { body } = await expectStatus(
        gateway.call<{ items: Item[]; nextCursor: string | null; after: string }>('GET', path),
        200,
      );
      for (const { kind: what, id, groupId, memberId } of body.items)
        if (what === 'resource') titles.set(id, undefined);
        else {
          assert.ok(titles.has(groupId) && titles.has(memberId), 'a membership came before its group or its member');
          members.set(groupId, (members.get(groupId) ?? new Set()).add(memberId));
        }
      await steps.shift()?.();
      if (body.nextCursor === null) return body.after;
      path = `/api/v1/changes/snapshot?limit=2&cursor=${body.nextCursor}`;
    }
  }

  /** Until the last change that is known is read: others in the cluster may hold the feed back. */
  async function follow(from: string, until: string): Promise<string> {
    for (let cursor = from, isThere = false; ; ) {
      const path = `/api/v1/changes?limit=2&after=${cursor}`;
      const { body } = await expectStatus(
        gateway.call<{ items: Change[]; nextCursor: string; more: boolean }>('GET', path),
        200,
      );
      for (const change of body.items) {
        await take(change);
        isThere ||= change.resourceId === until;
      }
      cursor = body.nextCursor;
      if (isThere && !body.more) return cursor;
    }
  }

  it('and its snapshot lose nothing and nobody, from any cursor again', async () => {
    const ids = [await user('ada'), await user('bob'), await user('eve'), await user('joe')];
    const [ada = '', bob = '', eve = ''] = ids;
    const team = await make('Groups', { schemas: [GROUP], displayName: 'team', members: [{ value: ada }] });
    const from = await snapshot([
      () => patch(`Users/${ada}`, { op: 'replace', path: 'title', value: 'Chief' }),
      () => expectStatus(gateway.call('DELETE', `/scim/v2/Users/${bob}`), 204),
      () => patch(`Groups/${team}`, { op: 'add', path: 'members', value: [{ value: eve }] }),
      () => user('new').then((id) => patch(`Groups/${team}`, { op: 'add', path: 'members', value: [{ value: id }] })),
    ]);
    const last = await user('last');
    await follow(from, last);
    const { body: all } = await gateway.call<{ Resources: Shown[] }>('GET', '/scim/v2/Users?count=100');
    const { body: whole } = await gateway.call<Shown>('GET', `/scim/v2/Groups/${team}`);
    const expected = all.Resources.map(({ id }) => id).sort();
    assert.deepEqual([...titles.keys()].filter((id) => id !== team).sort(), expected);
    assert.equal(titles.get(ada), 'Chief');
    assert.deepEqual([...(members.get(team) ?? [])].sort(), whole.members?.map(({ value }) => value).sort());
    const before = JSON.stringify([[...titles].sort(), [...(members.get(team) ?? [])].sort()]);
    await follow(from, last);
    assert.equal(JSON.stringify([[...titles].sort(), [...(members.get(team) ?? [])].sort()]), before);
  });

  it('refuses a cursor of the snapshot that was not given out', async () => {
    const after = Buffer.from('c1.0.0').toString('base64url');
    const id = '11111111-1111-4111-8111-111111111111';
    for (const [part, at] of [
      ['User', `${'-'.repeat(36)} ${'-'.repeat(36)}`],
      ['members', `${'-'.repeat(36)} ${'-'.repeat(36)}`],
      ['Group', `${id} ${id}`],
      ['members', '5'],
    ]) {
      const cursor = Buffer.from(JSON.stringify({ part, at, after })).toString('base64url');
      const { status } = await gateway.call('GET', `/api/v1/changes/snapshot?cursor=${cursor}`);
      assert.equal(status, 400, `${part} ${at}`);
    }
  });
});
