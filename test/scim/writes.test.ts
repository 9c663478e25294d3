import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, it } from 'node:test';
import { type Database, sql } from '#store/database.ts';
import { saveProvider, setActive, writeSetting } from '#store/source/settings.ts';
import { eachDatabase } from '../support/database.ts';
import { writeDocuments } from '../support/directory.ts';
import {
  type Answer,
  ENTERPRISE_SCHEMA,
  GROUP_SCHEMA,
  groupBody,
  patchBody,
  type ScimError,
  type ScimList,
  type ScimResource,
  type ScimServer,
  startScim,
  USER_SCHEMA,
  userBody,
} from '../support/scim.ts';

const GATEWAY = 'urn:sluice:params:scim:schemas:extension:gateway:2.0:User';
const replace = (path: string, value: unknown): object => patchBody({ op: 'replace', path, value });

eachDatabase('SCIM writes', (open, kind) => {
  let scim: ScimServer;
  let database: Database;
  before(async () => {
    database = await open();
    scim = await startScim(database);
  });
  after(() => scim?.close());

  async function refused(asked: Promise<Answer<unknown>>, status: number, scimType?: string): Promise<ScimError> {
    const answer = (await asked) as Answer<ScimError>;
    assert.deepEqual([answer.status, answer.body.status, answer.body.scimType], [status, String(status), scimType]);
    return answer.body;
  }

  const read = async (id: string): Promise<ScimResource> => (await scim.call('GET', `/Users/${id}`)).body;
  const withMatch = (tag: string) => ({ headers: { 'if-match': tag } });

  /** The change log of one resource, oldest first. */
  async function changesOf(id: string): Promise<readonly { operation: string; actor: string; version: string }[]> {
    const { rows } = await sql(
      database.knex,
      'select operation, actor, version from changes where resource_id = ? order by seq',
      [id],
    );
    return rows;
  }

  it('leaves it to whoever enters people by hand whether an externalId repeats', async () => {
    const one = await scim.create('/Users', userBody({ externalId: 'shared-by-two' }));
    const other = await scim.create('/Users', userBody({ externalId: 'shared-by-two' }));
    const found = await scim.call<ScimList>('GET', '/Users?filter=externalId%20eq%20%22shared-by-two%22');
    assert.deepEqual(new Set(found.body.Resources.map(({ id }) => id)), new Set([one.id, other.id]));
  });

  it('answer a creation with what can be read from then on', async () => {
    const body = userBody({
      id: 'mine',
      meta: { created: 'x' },
      groups: [{ value: 'x' }],
      name: { givenName: 'Ada' },
      [GATEWAY]: { origin: 'ldap' },
      [ENTERPRISE_SCHEMA]: { department: 'Engines' },
    });
    const made = await scim.call('POST', '/Users', body);
    assert.equal(made.status, 201);
    const { id, meta } = made.body;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.equal(meta.location, `${scim.base}/Users/${id}`);
    assert.equal(made.headers.get('location'), meta.location);
    assert.equal(made.headers.get('etag'), meta.version);
    assert.equal(meta.created, meta.lastModified);
    assert.deepEqual(made.body[GATEWAY], { origin: 'manual' });
    assert.equal(made.body.groups, undefined);
    assert.deepEqual(await read(id), made.body);
    const actors = await changesOf(id);
    assert.equal(actors.length, 1);
    assert.match(actors[0]?.actor ?? '', /^token:/);
  });

  it('answer with the attributes that are asked for, and no others', async () => {
    const made = await scim.call('POST', '/Users?attributes=title', userBody({ title: 'Dr', active: true }));
    assert.deepEqual(Object.keys(made.body).sort(), ['id', 'schemas', 'title']);
    const path = `/Users/${made.body.id}?excludedAttributes=title,meta`;
    const patched = await scim.call('PATCH', path, replace('nickName', 'Ada'));
    assert.deepEqual(
      [patched.body['title'], patched.body.meta, patched.body['nickName']],
      [undefined, undefined, 'Ada'],
    );
    await refused(scim.call('PATCH', `${path}&attributes=id`, replace('nickName', 'Eve')), 400, 'invalidValue');
    assert.equal((await scim.call('GET', `/Users/${made.body.id}`)).body['nickName'], 'Ada', 'nothing was done');
    await refused(
      scim.call('POST', '/Users?attributes=emails%5B', userBody({ userName: 'unasked' })),
      400,
      'invalidPath',
    );
    assert.equal((await scim.list('/Users', { filter: 'userName eq "unasked"' })).totalResults, 0);
  });

  it('replace all but what only the service sets', async () => {
    const { id, userName } = await scim.create('/Users', userBody({ title: 'Dr', emails: [{ value: 'a@b' }] }));
    const body = { schemas: [USER_SCHEMA], userName, nickName: 'Ada', id: 'other', [GATEWAY]: { origin: 'ldap' } };
    const put = await scim.call('PUT', `/Users/${id}`, body);
    assert.equal(put.status, 200);
    const { meta, schemas: _schemas, ...rest } = put.body;
    assert.deepEqual(rest, { id, userName, nickName: 'Ada', active: true, [GATEWAY]: { origin: 'manual' } });
    assert.equal(put.headers.get('etag'), meta.version);
    assert.deepEqual(await read(id), put.body);
  });

  it('say themselves where a manager is found, whatever a client says, and drop it with the manager', async () => {
    const [first, second] = [await scim.create('/Users', userBody()), await scim.create('/Users', userBody())];
    const invented = { value: first.id, $ref: `../Users/${second.id}`, displayName: 'Eve' };
    const { id } = await scim.create('/Users', userBody({ [ENTERPRISE_SCHEMA]: { manager: invented } }));
    const managerOf = async () => ((await read(id))[ENTERPRISE_SCHEMA] as { manager?: object } | undefined)?.manager;
    const is = ({ id: value, meta }: ScimResource) => ({ value, $ref: meta.location });
    assert.deepEqual(await managerOf(), is(first));
    const manager = `${ENTERPRISE_SCHEMA}:manager`;
    for (const [operation, after] of [
      [{ op: 'replace', path: `${manager}.value`, value: second.id }, is(second)],
      [{ op: 'replace', path: manager, value: first.id }, is(first)],
      [{ op: 'add', path: manager, value: { ...invented, value: second.id } }, is(second)],
      [{ op: 'replace', value: { [manager]: { value: first.id } } }, is(first)],
      [{ op: 'replace', path: manager, value: { value: 'nobody', $ref: first.meta.location } }, { value: 'nobody' }],
      [{ op: 'remove', path: manager }, undefined],
    ] as const) {
      const { status, body } = await scim.call('PATCH', `/Users/${id}`, patchBody(operation));
      assert.equal(status, 200, JSON.stringify(operation));
      assert.deepEqual(await managerOf(), after, JSON.stringify(operation));
      assert.deepEqual(body, await read(id));
    }
  });

  it('leave nobody neither active nor inactive, and filters agree with what is answered', async () => {
    const { id, ...made } = (await scim.call('POST', '/Users', userBody({}))).body;
    assert.equal(made['active'], true);
    const found = async (filter: string): Promise<unknown> => {
      const query = new URLSearchParams({ filter: `id eq "${id}" and ${filter}` });
      return (await scim.call('GET', `/Users?${query}`)).body['totalResults'];
    };
    await scim.call('PATCH', `/Users/${id}`, replace('active', false));
    assert.deepEqual([await found('active eq true'), await found('active pr')], [0, 1]);
    const removed = await scim.call('PATCH', `/Users/${id}`, patchBody({ op: 'remove', path: 'active' }));
    assert.equal(removed.body['active'], true);
    assert.deepEqual([await found('active eq true'), await found('active pr')], [1, 1]);
  });

  it('enable nobody by leaving `active` out, and disable nobody', async () => {
    const { id, userName } = await scim.create('/Users', userBody({ active: false }));
    const put = (fields: object) => scim.call('PUT', `/Users/${id}`, userBody({ userName, ...fields }));
    for (const active of [false, true]) {
      assert.equal((await put({ active })).body['active'], active);
      for (const fields of [{}, { title: String(active) }, { active: null }])
        assert.equal((await put(fields)).body['active'], active);
      assert.equal((await scim.list('/Users', { filter: `id eq "${id}" and active eq ${active}` })).totalResults, 1);
    }
  });

  it('keep what is required: it cannot be removed, nor be made empty', async () => {
    const { id } = await scim.create('/Users', userBody({}));
    const change = (operation: object) => scim.call('PATCH', `/Users/${id}`, patchBody(operation));
    await refused(change({ op: 'remove', path: 'userName' }), 400, 'mutability');
    await refused(change({ op: 'replace', path: 'userName', value: null }), 400, 'mutability');
    await refused(change({ op: 'replace', path: 'userName', value: '' }), 400, 'invalidValue');
    await refused(change({ op: 'replace', value: { userName: '' } }), 400, 'invalidValue');
  });

  it('do all operations of a PATCH or none', async () => {
    const { id } = await scim.create('/Users', userBody({ title: 'Dr' }));
    const before = await read(id);
    const operations = [
      { op: 'replace', path: 'title', value: 'Sir' },
      { op: 'remove', path: 'userName' },
    ];
    await refused(scim.call('PATCH', `/Users/${id}`, patchBody(...operations)), 400, 'mutability');
    assert.deepEqual(await read(id), before);
  });

  it('delete once, and give the name free but not the id', async () => {
    const { id, userName } = await scim.create('/Users', userBody());
    assert.equal((await scim.call('DELETE', `/Users/${id}`)).status, 204);
    for (const [method, body] of [['GET'], ['PUT', userBody()], ['PATCH', replace('title', 'x')], ['DELETE']] as const)
      await refused(scim.call(method, `/Users/${id}`, body), 404);
    assert.notEqual((await scim.create('/Users', userBody({ userName }))).id, id);
    assert.deepEqual(
      (await changesOf(id)).map(({ operation }) => operation),
      ['create', 'delete'],
    );
  });

  it('find nothing under the id of another type or under what is no id', async () => {
    const { id } = await scim.create('/Groups', groupBody('Other type'));
    const user = await scim.create('/Users', userBody());
    for (const path of [
      `/Users/${id}`,
      `/Users/${user.id.toUpperCase()}`,
      '/Users/x',
      `/Users/${randomUUID()}`,
      `/Users/${id}%00`,
      "/Users/x'%20or%20true",
    ])
      for (const [method, body] of [
        ['GET'],
        ['PUT', userBody()],
        ['PATCH', replace('title', 'x')],
        ['DELETE'],
      ] as const)
        await refused(scim.call(method, path, body), 404);
  });

  it('let one of twenty creators have a name, whatever its case', async () => {
    const names = Array.from({ length: 20 }, (_, place) => (place % 2 === 0 ? 'race@example.com' : 'RACE@example.com'));
    const answers = await Promise.all(names.map((userName) => scim.call('POST', '/Users', userBody({ userName }))));
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [201, ...Array(19).fill(409)]);
    for (const { status, body } of answers) if (status === 409) assert.equal(body['scimType'], 'uniqueness');
    assert.equal((await scim.list('/Users', { filter: 'userName eq "race@example.com"' })).totalResults, 1);
  });

  it('let one have a name however it is spelt, and find it by any spelling', async () => {
    const spellings = ['Am\u00e9lie', 'AME\u0301LIE', '\uff21m\u00e9lie', 'ame\u0301\uff4cie'];
    for (const [place, spelling] of spellings.entries()) {
      const userName = `${spelling}-${place}`;
      const { id } = await scim.create('/Users', userBody({ userName }));
      assert.equal((await read(id)).userName, userName);
      for (const other of spellings) {
        const name = `${other}-${place}`;
        await refused(scim.call('POST', '/Users', userBody({ userName: name })), 409, 'uniqueness');
        for (const filter of [`userName eq "${name}"`, `userName sw "${name}" and active eq true`])
          assert.deepEqual(
            (await scim.list('/Users', { filter })).Resources.map((one) => one.id),
            [id],
            filter,
          );
      }
    }
    const group = await scim.create('/Groups', { schemas: [GROUP_SCHEMA], displayName: '\u1100\u1161' });
    assert.equal((await scim.list('/Groups', { filter: 'displayName eq "\uac00"' })).Resources[0]?.id, group.id);
  });

  it('let one of many have a name when they are renamed, by PATCH and by PUT', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => scim.create('/Users', userBody())));
    const renamed = await Promise.all(
      made.map(({ id }, place) =>
        place % 2 === 0
          ? scim.call('PATCH', `/Users/${id}`, replace('userName', 'one-name'))
          : scim.call('PUT', `/Users/${id}`, userBody({ userName: 'one-name' })),
      ),
    );
    assert.deepEqual(renamed.map(({ status }) => status).sort(), [200, ...Array(7).fill(409)]);
  });

  if (kind === 'postgres')
    it('are tried again when they and others lock each other out', async () => {
      const [first, second, third] = await Promise.all([1, 2, 3].map(() => scim.create('/Users', userBody())));
      const tx = await database.knex.transaction();
      await sql(tx, `update resources set unique_key = 'wanted by all' where id = ?`, [third?.id ?? '']);
      const renamed = [first, second].map((one) =>
        scim.call('PATCH', `/Users/${one?.id}`, replace('userName', 'Wanted by all')),
      );
      // Both wait at their commit for the one who has the name; when it lets go, they wait for each other.
      for (let waiting = 0; waiting < 2; )
        waiting = (
          await sql(
            database.knex,
            `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          )
        ).rows.length;
      await tx.rollback();
      assert.deepEqual((await Promise.all(renamed)).map(({ status }) => status).sort(), [200, 409]);
    });

  it('lose nothing when many patch the same user', async () => {
    const { id } = await scim.create('/Users', userBody());
    const values = Array.from({ length: 15 }, (_, place) => `${place}@example.com`);
    const answers = await Promise.all(
      values.map((value) =>
        scim.call('PATCH', `/Users/${id}`, patchBody({ op: 'add', path: 'emails', value: [{ value }] })),
      ),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(answers.map(({ body }) => body.meta.version)).size, values.length);
    const { emails } = await read(id);
    assert.deepEqual((emails as { value: string }[]).map(({ value }) => value).sort(), values.sort());
  });

  it('grow version and lastModified with every change, however fast', async () => {
    const made = await scim.create('/Users', userBody());
    const seen = [made.meta];
    for (let turn = 0; turn < 12; turn += 1)
      seen.push((await scim.call('PATCH', `/Users/${made.id}`, replace('title', `${turn}`))).body.meta);
    for (const [place, { version, lastModified, created }] of seen.entries()) {
      const earlier = seen[place - 1];
      assert.equal(created, made.meta.created);
      if (earlier === undefined) continue;
      assert.ok(Number(version.slice(3, -1)) > Number(earlier.version.slice(3, -1)));
      assert.ok(lastModified > earlier.lastModified, `${lastModified} after ${earlier.lastModified}`);
    }
  });

  it('write nothing when nothing changes', async () => {
    const made = await scim.create('/Users', userBody({ title: 'Dr', emails: [{ value: 'a@b', type: 'work' }] }));
    const rowOf = async () =>
      (await sql(database.knex, 'select xmin::text, ctid::text from resources where id = ?', [made.id])).rows;
    const row = await rowOf();
    const same: [string, object][] = [
      ['PUT', made],
      ['PATCH', replace('title', 'Dr')],
      ['PATCH', patchBody({ op: 'add', path: 'emails', value: [{ type: 'work', value: 'a@b' }] })],
      ['PATCH', patchBody({ op: 'remove', path: 'nickName' })],
      ['PATCH', patchBody({ op: 'remove', path: 'emails[value eq "nobody"]' })],
      ['PATCH', patchBody({ op: 'replace', value: { title: 'Dr', nickName: null } })],
      ['PATCH', patchBody({ op: 'remove', path: 'title' }, { op: 'add', path: 'title', value: 'Dr' })],
    ];
    for (const [method, body] of same) {
      const answer = await scim.call(method, `/Users/${made.id}`, body);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, made);
      assert.equal(answer.headers.get('etag'), made.meta.version);
    }
    assert.deepEqual(await rowOf(), row);
    assert.equal((await changesOf(made.id)).length, 1);
  });

  it('happen only to the version that If-Match names', async () => {
    const { id, meta } = await scim.create('/Users', userBody());
    const path = `/Users/${id}`;
    for (const [method, body] of [['PUT', userBody()], ['PATCH', replace('title', 'x')], ['DELETE']] as const)
      for (const tag of ['W/"999"', '"999"', 'nonsense', 'W/"999", W/"998"'])
        await refused(scim.call(method, path, body, withMatch(tag)), 412);
    for (const method of ['PUT', 'PATCH', 'DELETE'])
      await refused(
        scim.call(method, path, method === 'PATCH' ? replace('title', 'x') : userBody(), {
          headers: { 'if-none-match': meta.version },
        }),
        412,
      );
    let { version } = meta;
    for (const tag of [() => version, () => version.slice(2), () => '*', () => `W/"999", ${version}`]) {
      const changed = await scim.call('PATCH', path, replace('title', version), withMatch(tag()));
      assert.equal(changed.status, 200);
      assert.notEqual(changed.body.meta.version, version);
      version = changed.body.meta.version;
    }
    const races = await Promise.all(
      [1, 2, 3, 4].map((turn) => scim.call('PATCH', path, replace('title', `${turn}`), withMatch(version))),
    );
    assert.deepEqual(races.map(({ status }) => status).sort(), [200, 412, 412, 412]);
    await refused(scim.call('DELETE', path, undefined, withMatch(version)), 412);
    assert.equal((await scim.call('DELETE', path, undefined, withMatch('*'))).status, 204);
  });

  it('are refused to who may read only, with the reason', async () => {
    const { id } = await scim.create('/Users', userBody());
    const limited = await scim.makeToken({ scopes: ['scim:read', 'scim:write'], scope: { resourceTypes: ['User'] } });
    for (const [token, reason] of [
      [scim.reader, /may read only/],
      [limited, /sees a part of the directory/],
    ] as const)
      for (const [method, path, body] of [
        ['POST', '/Users', userBody()],
        ['PUT', `/Users/${id}`, userBody()],
        ['PATCH', `/Users/${id}`, replace('title', 'x')],
        ['DELETE', `/Users/${id}`],
        ['POST', '/Bulk', {}],
      ] as const)
        assert.match((await refused(scim.call(method, path, body, { token }), 403)).detail, reason);
    assert.equal((await changesOf(id)).length, 1);
  });

  it('leave to the active provider what it owns, unless a setting says otherwise', async () => {
    const id = randomUUID();
    const document = { schemas: [USER_SCHEMA], userName: `owned-${id}`, externalId: 'object-1', active: true };
    await writeDocuments(database, [{ id, type: 'User', document, origin: 'microsoft365' }]);
    await saveProvider(database.knex, { kind: 'microsoft365', settings: {}, secrets: '', changed: true });
    const patch = () => scim.call('PATCH', `/Users/${id}`, replace('title', randomUUID()));
    assert.equal((await patch()).status, 200, 'an inactive provider owns nothing');
    await setActive(database.knex, 'microsoft365', true);
    for (const asked of [
      patch,
      () => scim.call('PUT', `/Users/${id}`, userBody()),
      () => scim.call('DELETE', `/Users/${id}`),
    ])
      assert.match((await refused(asked(), 400, 'mutability')).detail, /"microsoft365" owns this resource/);
    assert.equal((await scim.create('/Users', userBody())).id.length, 36, "what is made by hand is nobody's");
    await writeSetting(database.knex, 'directory', { localEdits: 'overwrite' });
    assert.equal((await patch()).status, 200);
    assert.equal((await scim.call('DELETE', `/Users/${id}`)).status, 204);
    assert.deepEqual(
      (await changesOf(id)).map(({ operation }) => operation),
      ['update', 'update', 'delete'],
    );
  });
});
