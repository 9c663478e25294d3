import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Database } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

eachDatabase('push to a SCIM app', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  const start = eachPush(
    open,
    (scene) => {
      ({ database, edit, app } = scene);
    },
    'secret-token',
  );

  it('brings users, groups and members, and sends nothing when nothing has changed', async () => {
    const ada = await edit.user('ada', { name: { givenName: 'Ada', familyName: 'Lovelace' } });
    const bob = await edit.user('bob');
    await edit.group('team', [ada, bob]);
    const push = await start();
    await push.settle();
    assert.deepEqual(
      [...app.users.values()].map((user) => [user['userName'], user['externalId']]).sort(),
      [
        ['ada', ada],
        ['bob', bob],
      ].sort(),
    );
    const [team] = [...app.groups.values()];
    assert.equal(membersOf(team).length, 2);
    app.takeWrites();
    await push.settle();
    assert.deepEqual(app.takeWrites(), []);
    await edit.change('User', ada, 'name.givenName', 'Augusta');
    await push.settle();
    const writes = app.takeWrites();
    assert.equal(writes.length, 1);
    assert.deepEqual(writes[0]?.body, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'name.givenName', value: 'Augusta' }],
    });
    await edit.removeMember([...(await groupIds())][0] ?? '', bob);
    await push.settle();
    assert.equal(membersOf([...app.groups.values()][0]).length, 1);
  });

  const membersOf = (group: Record<string, unknown> | undefined): unknown[] => (group?.['members'] ?? []) as unknown[];

  async function groupIds(): Promise<string[]> {
    const { rows } = await database.query<{ id: string }>({
      text: `select id from resources where resource_type = 'Group'`,
    });
    return rows.map(({ id }) => id);
  }

  it('adopts who is there, deactivates who leaves, and takes them up again', async () => {
    const there = app.put('User', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'ADA',
      active: true,
      title: 'theirs',
      nickName: 'kept',
    });
    const ada = await edit.user('ada', { title: 'ours' });
    const push = await start();
    await push.settle();
    assert.equal(app.users.size, 1);
    assert.equal(app.users.get(there)?.['title'], 'ours');
    assert.equal(app.users.get(there)?.['nickName'], 'kept');
    await edit.change('User', ada, 'active', false);
    await push.settle();
    assert.equal(app.users.get(there)?.['active'], false);
    await edit.change('User', ada, 'active', true);
    await push.settle();
    assert.equal(app.users.get(there)?.['active'], true);
    await edit.remove('User', ada);
    await push.settle();
    assert.equal(app.users.get(there)?.['active'], false);
  });
});
