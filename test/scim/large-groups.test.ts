import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, it } from 'node:test';
import { type Database, sql } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';
import { groupBody, patchBody, type ScimResource, type ScimServer, startScim, userBody } from '../support/scim.ts';

const SIZE = 20_000;

eachDatabase('SCIM large groups', (open) => {
  let scim: ScimServer;
  let database: Database;
  let group: ScimResource;
  let ids: readonly string[];
  before(async () => {
    database = await open();
    scim = await startScim(database);
    group = await scim.create('/Groups', groupBody('Everybody'));
    await sql(
      database.knex,
      `with w as (insert into resources (id, resource_type, origin, name_key, display, body, search)
         select gen_random_uuid(), 'User', 'manual', 'u' || n, 'u' || n, '{"userName":"u' || n || '"}', '{}'
         from generate_series(1, ?::int) n returning id),
       m as (insert into group_members (group_id, member_id, member_type) select ?::uuid, id, 'User' from w returning 1)
       update resources set member_count = ?::int, version = version + 1 where id = ?::uuid`,
      [SIZE, group.id, SIZE, group.id],
    );
    const { rows } = await sql(
      database.knex,
      'select member_id from group_members where group_id = ? order by member_id',
      [group.id],
    );
    ids = rows.map(({ member_id }: { member_id: string }) => member_id);
  });
  after(() => scim?.close());

  const path = (query = ''): string => `/Groups/${group.id}${query}`;
  const idsOf = ({ members = [] }: ScimResource): string[] => members.map(({ value }) => value);
  const digest = (values: readonly string[]): string => createHash('sha256').update(values.join()).digest('hex');

  it('are answered whole, in pieces, exactly as their rows are', async () => {
    const answer = await fetch(`${scim.base}${path()}`, { headers: { authorization: `Bearer ${scim.reader}` } });
    assert.equal(answer.headers.get('content-length'), null, 'it is written as it is read');
    const body = (await answer.json()) as ScimResource;
    assert.equal(digest(idsOf(body)), digest(ids));
    assert.deepEqual(body.members?.[0], { value: ids[0], $ref: `${scim.base}/Users/${ids[0]}`, type: 'User' });
    assert.equal(body.displayName, 'Everybody');
    assert.equal(body.meta.version, answer.headers.get('etag'));
  });

  it('are cut to what is asked for of a member, and to whom an app sees', async () => {
    const values = await scim.call('GET', path('?attributes=members.value'));
    assert.deepEqual(values.body.members?.[0], { value: ids[0] });
    assert.equal(digest(idsOf(values.body)), digest(ids));
    const { rows } = await sql(database.knex, `select id from resources where name_key like 'u%7' order by id`, []);
    const token = await scim.makeToken({ scope: { userFilter: 'userName ew "7"' } });
    const seen = await scim.call('GET', path(), undefined, { token });
    assert.deepEqual(
      idsOf(seen.body),
      rows.map(({ id }: { id: string }) => id),
    );
    const nobody = await scim.makeToken({ scope: { userFilter: 'userName eq "nobody"' } });
    assert.equal((await scim.call('GET', path(), undefined, { token: nobody })).body.members, undefined);
  });

  it('come in lists whole too, beside small ones', async () => {
    const other = await scim.create('/Groups', groupBody('Few', ids.slice(0, 2)));
    const list = await scim.list('/Groups', { sortBy: 'displayName' });
    assert.deepEqual(
      list.Resources.map(({ id }) => id),
      [group.id, other.id],
    );
    assert.deepEqual(
      list.Resources.map((one) => digest(idsOf(one))),
      [digest(ids), digest(ids.slice(0, 2))],
    );
  });

  it('are looked through by filters of a PATCH a bounded number of times', async () => {
    const look = { op: 'remove', path: 'members[type eq "Group" or display eq "nobody"]' };
    assert.equal((await scim.call('PATCH', path(), patchBody(look))).status, 204);
    const { status } = await scim.call('PATCH', path(), patchBody(...Array(1_000).fill(look)));
    assert.equal(status, 413);
  });

  it('are read without their members when those are not asked for', async () => {
    const { body: whole } = await scim.call('GET', path());
    // What so much as names the table of memberships fails now.
    await sql(database.knex, 'alter table group_members rename to group_members_away', []);
    try {
      for (const query of ['?excludedAttributes=members', '?attributes=displayName,meta']) {
        const { status, body } = await scim.call('GET', path(query));
        assert.deepEqual([status, body.members, body.meta], [200, undefined, whole.meta]);
      }
      for (const query of [{ filter: 'displayName eq "everybody"' }, { filter: 'displayName sw "e"' }, { count: 5 }])
        assert.equal(
          (await scim.list('/Groups', { excludedAttributes: 'members', ...query })).Resources[0]?.id,
          group.id,
        );
    } finally {
      await sql(database.knex, 'alter table group_members_away rename to group_members', []);
    }
  });

  it('gain and lose one member by one row', async () => {
    const { id } = await scim.create('/Users', userBody());
    const written = async (): Promise<unknown> => {
      const { rows } = await sql(
        database.knex,
        `select count(*)::int as rows, count(distinct xmin::text)::int as writes, bool_or(member_id = ?::uuid) as mine
         from group_members where group_id = ?`,
        [id, group.id],
      );
      return rows[0];
    };
    const add = patchBody({ op: 'add', path: 'members', value: [{ value: id }] });
    const added = await scim.call('PATCH', path(), add);
    assert.deepEqual([added.status, added.body], [204, undefined]);
    assert.deepEqual(await written(), { rows: SIZE + 1, writes: 2, mine: true });
    const again = await scim.call('PATCH', path(), add);
    assert.equal(again.headers.get('etag'), added.headers.get('etag'));
    assert.equal(
      (await scim.list('/Groups', { filter: `id eq "${group.id}" and members eq "${id}"`, attributes: 'id' }))
        .totalResults,
      1,
    );
    assert.equal(
      (await scim.call('PATCH', path(), patchBody({ op: 'remove', path: `members[value eq "${id}"]` }))).status,
      204,
    );
    assert.deepEqual(await written(), { rows: SIZE, writes: 1, mine: false });
    const { rows } = await sql(
      database.knex,
      `select detail from changes where resource_id = ? and operation = 'membership' order by seq`,
      [group.id],
    );
    assert.deepEqual(
      rows.map(({ detail }) => detail),
      [
        { added: 1, removed: 0 },
        { added: 0, removed: 1 },
      ],
    );
  });

  it('do not mind a reader who goes away in the middle', async () => {
    const leave = new AbortController();
    const answer = await fetch(`${scim.base}${path()}`, {
      headers: { authorization: `Bearer ${scim.reader}` },
      signal: leave.signal,
    });
    await answer.body?.getReader().read();
    leave.abort();
    assert.equal(digest(idsOf((await scim.call('GET', path())).body)), digest(ids));
  });

  it('are replaced and emptied as a whole', async () => {
    const left = ids.slice(0, SIZE / 2);
    const put = await scim.call('PUT', path('?excludedAttributes=members'), groupBody('Everybody', left));
    assert.equal(put.status, 200);
    assert.equal(digest(idsOf((await scim.call('GET', path())).body)), digest(left));
    assert.equal((await scim.call('PATCH', path(), patchBody({ op: 'remove', path: 'members' }))).status, 200);
    assert.equal((await scim.call('GET', path())).body.members, undefined);
  });
});
