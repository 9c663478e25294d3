import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, it } from 'node:test';
import fc from 'fast-check';
import { type Database, sql } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';
import {
  groupBody,
  patchBody,
  type ScimError,
  type ScimResource,
  type ScimServer,
  startScim,
  userBody,
} from '../support/scim.ts';

/** An operation, and what it makes of the members. */
type Step = readonly [operation: object, apply: (set: readonly string[]) => readonly string[]];

eachDatabase('SCIM writes of groups', (open) => {
  let scim: ScimServer;
  let database: Database;
  let people: readonly string[];
  before(async () => {
    database = await open();
    scim = await startScim(database);
    people = (await Promise.all(Array.from({ length: 6 }, () => scim.create('/Users', userBody())))).map(
      ({ id }) => id,
    );
  });
  after(() => scim?.close());

  const patch = (id: string, ...operations: object[]) => scim.call('PATCH', `/Groups/${id}`, patchBody(...operations));
  const add = (id: string, ...ids: string[]) =>
    patch(id, { op: 'add', path: 'members', value: ids.map((value) => ({ value })) });
  const read = async (id: string): Promise<ScimResource> => (await scim.call('GET', `/Groups/${id}`)).body;
  const membersOf = ({ members = [] }: ScimResource): string[] => members.map(({ value }) => value).sort();
  const sorted = (ids: readonly string[]): string[] => [...ids].sort();

  /** What the change log tells of a group's members, oldest first. */
  async function changesOf(id: string): Promise<readonly unknown[]> {
    const { rows } = await sql(
      database.knex,
      `select detail from changes where resource_id = ? and operation = 'membership' order by seq`,
      [id],
    );
    return rows.map(({ detail }) => detail);
  }

  /** Memberships of what is no more, and groups whose count is wrong. */
  async function faults(): Promise<readonly unknown[]> {
    const { rows } = await database.query({
      text: `select 'orphan' as what, gm.member_id as id from group_members gm
          join resources r on r.id in (gm.member_id, gm.group_id) and r.deleted_at is not null
        union all select 'count', g.id from resources g where g.resource_type = 'Group' and g.deleted_at is null
          and g.member_count <> (select count(*) from group_members gm where gm.group_id = g.id)`,
    });
    return rows;
  }

  it('make a group with its members, each once, as one change', async () => {
    const nested = await scim.create('/Groups', groupBody('Nested'));
    const made = await scim.call(
      'POST',
      '/Groups',
      groupBody('Made', [...people, people[0] ?? '', nested.id.toUpperCase()]),
    );
    assert.deepEqual(membersOf(made.body), sorted([...people, nested.id]));
    assert.deepEqual(await read(made.body.id), made.body);
    const [member] = made.body.members?.filter(({ value }) => value === nested.id) ?? [];
    assert.deepEqual(member, { value: nested.id, $ref: nested.meta.location, type: 'Group' });
    assert.deepEqual(await changesOf(made.body.id), []);
  });

  it('refuse members that are nobody, and the group itself, and then make nothing', async () => {
    const { id, meta } = await scim.create('/Groups', groupBody('Refusing', people.slice(0, 1)));
    const before = await scim.list('/Groups', { count: 0 });
    for (const wrong of [randomUUID(), 'x', '', 5, null]) {
      const members = [{ value: people[1] }, { value: wrong }];
      for (const asked of [
        scim.call<ScimError>('POST', '/Groups', { ...groupBody('New'), members }),
        scim.call<ScimError>('PUT', `/Groups/${id}`, { ...groupBody('Refusing'), members }),
        patch(
          id,
          { op: 'replace', path: 'displayName', value: 'Other' },
          { op: 'add', path: 'members', value: members },
        ),
      ]) {
        const { status, body } = await asked;
        assert.deepEqual([status, body['scimType']], [400, 'invalidValue'], String(wrong));
      }
    }
    assert.equal((await add(id, id)).status, 400);
    for (const [filter, scimType] of [
      [`value eq "${people[0]}"`, 'mutability'],
      [`value eq "${people[1]}"`, 'noTarget'],
      ['type eq "Group"', 'noTarget'],
    ] as const)
      for (const path of [`members[${filter}]`, `members[${filter}].value`]) {
        const { status, body } = await patch(id, { op: 'replace', path, value: people[2] });
        assert.deepEqual([status, body['scimType']], [400, scimType], path);
      }
    assert.equal((await read(id)).meta.version, meta.version);
    assert.equal((await scim.list('/Groups', { count: 0 })).totalResults, before.totalResults);
  });

  it('lose whom a path names by id, by address, or by what else is known of them', async () => {
    const { id } = await scim.create('/Groups', groupBody('Named', people.slice(0, 4)));
    const $ref = (await read(id)).members?.find(({ value }) => value === people[1])?.$ref;
    for (const [filter, left] of [
      [`value eq "${people[0]}"`, people.slice(1, 4)],
      [`$ref eq "${$ref?.replace('/Users/', '/Groups/')}"`, people.slice(1, 4)],
      [`$ref eq "${$ref}"`, people.slice(2, 4)],
      [`$ref eq "${$ref}" or value eq "${people[2]}"`, people.slice(3, 4)],
      ['type eq "User"', []],
    ] as const) {
      const { status, body } = await patch(id, { op: 'remove', path: `members[${filter}]` });
      assert.deepEqual([status, membersOf(body)], [200, sorted([...left])], filter);
    }
  });

  it('lose nobody by an empty list of whom to remove, and nothing by no operations', async () => {
    const { id, meta } = await scim.create('/Groups', groupBody('Kept', people.slice(0, 3)));
    for (const operations of [[{ op: 'remove', path: 'members', value: [] }], []]) {
      const { status, body } = await patch(id, ...operations);
      assert.deepEqual([status, membersOf(body), body.meta.version], [200, sorted(people.slice(0, 3)), meta.version]);
    }
    const { body } = await scim.call('PATCH', `/Groups/${id}`, patchBody({ op: 'replace', value: await read(id) }));
    assert.deepEqual(body, await read(id));
    const user = await scim.call('GET', `/Users/${people[0]}`);
    assert.ok(user.body.groups);
    const again = await scim.call('PATCH', `/Users/${people[0]}`, patchBody({ op: 'replace', value: user.body }));
    assert.deepEqual([again.status, again.body], [200, user.body]);
  });

  it('lose nobody by a comparison that no member can have', async () => {
    const { id, meta } = await scim.create('/Groups', groupBody('Compared', people.slice(0, 3)));
    for (const filter of [
      'value ne 5',
      'not (value gt true)',
      'not (type gt null)',
      `value eq "${people[0]}" or type ne 1`,
    ]) {
      const { status, body } = await patch(id, { op: 'remove', path: `members[${filter}]` });
      assert.deepEqual([status, body['scimType']], [400, 'invalidFilter'], filter);
    }
    assert.equal((await read(id)).meta.version, meta.version);
  });

  it('write one row for one member, and nothing for one who is there', async () => {
    const { id } = await scim.create('/Groups', groupBody('Rows', people.slice(0, 3)));
    const rows = async () =>
      (await sql(database.knex, 'select member_id, xmin::text from group_members where group_id = ?', [id])).rows;
    const before = await rows();
    const added = await add(id, people[3] ?? '');
    assert.deepEqual(membersOf(added.body), sorted(people.slice(0, 4)));
    const after = await rows();
    for (const row of before) assert.ok(after.some((one) => one.member_id === row.member_id && one.xmin === row.xmin));
    assert.deepEqual(await changesOf(id), [{ added: 1, removed: 0 }]);
    for (const again of [
      () => add(id, people[3] ?? '', people[0] ?? ''),
      () => patch(id, { op: 'remove', path: `members[value eq "${people[5]}"]` }),
      () => patch(id, { op: 'replace', path: 'members', value: people.slice(0, 4).map((value) => ({ value })) }),
      () => scim.call('PUT', `/Groups/${id}`, groupBody('Rows', people.slice(0, 4))),
    ]) {
      const answer = await again();
      assert.equal(answer.status, 200);
      assert.equal(answer.body.meta.version, added.body.meta.version);
    }
    assert.equal((await changesOf(id)).length, 1);
    assert.deepEqual(await rows(), after);
  });

  it('take every way of changing members, as a set would', async () => {
    const { id } = await scim.create('/Groups', groupBody('Set'));
    const some = fc.subarray([...people], { minLength: 1 });
    const values = (ids: readonly string[]) => ids.map((value) => ({ value }));
    const but = (left: readonly string[]) => (set: readonly string[]) => set.filter((one) => !left.includes(one));
    const steps = fc.oneof(
      some.map((ids): Step => [{ op: 'add', path: 'members', value: values(ids) }, (set) => [...set, ...ids]]),
      some.map((ids): Step => [{ op: 'replace', path: 'members', value: values(ids) }, () => ids]),
      some.map((ids): Step => [{ op: 'replace', value: { members: values(ids) } }, () => ids]),
      some.map((ids): Step => [{ op: 'Remove', path: 'members', value: values(ids) }, but(ids)]),
      some.map(([one = '']): Step => [{ op: 'remove', path: `members[value eq "${one}"]` }, but([one])]),
      fc.constant<Step>([{ op: 'remove', path: 'members[type eq "Group"]' }, (set) => set]),
      fc.constant<Step>([{ op: 'remove', path: 'members' }, () => []]),
    );
    let members: readonly string[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 4 }), async (chosen) => {
        for (const [, apply] of chosen) members = apply(members);
        const answer = await patch(id, ...chosen.map(([operation]) => operation));
        assert.equal(answer.status, 200);
        assert.deepEqual(membersOf(answer.body), sorted([...new Set(members)]));
        assert.deepEqual(await faults(), []);
      }),
      { numRuns: 25, endOnFailure: true },
    );
  });

  it('lose nobody when many add at once', async () => {
    const { id } = await scim.create('/Groups', groupBody('Many'));
    const answers = await Promise.all([...people, ...people].map((one) => add(id, one)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.deepEqual(membersOf(await read(id)), sorted(people));
    assert.equal((await changesOf(id)).length, people.length);
    assert.deepEqual(await faults(), []);
  });

  it('take somebody who is deleted out of every group, as a change of each', async () => {
    const { id: leaver } = await scim.create('/Users', userBody());
    const groups = await Promise.all(
      ['One', 'Two'].map((name) => scim.create('/Groups', groupBody(name, [leaver, people[0] ?? '']))),
    );
    assert.equal((await scim.call('DELETE', `/Users/${leaver}`)).status, 204);
    for (const before of groups) {
      const now = await read(before.id);
      assert.deepEqual(membersOf(now), [people[0]]);
      assert.notEqual(now.meta.version, before.meta.version);
      assert.ok(now.meta.lastModified > before.meta.lastModified);
      assert.deepEqual(await changesOf(before.id), [{ removed: 1 }]);
    }
    const filter = `members.value eq "${leaver}"`;
    assert.equal((await scim.list('/Groups', { filter })).totalResults, 0);
    assert.deepEqual(await faults(), []);
  });

  it('leave no membership behind when a member is added and deleted at once', async () => {
    const groups = await Promise.all([1, 2].map((turn) => scim.create('/Groups', groupBody(`Race ${turn}`, people))));
    for (let turn = 0; turn < 4; turn += 1) {
      const { id: leaver } = await scim.create('/Users', userBody());
      const [gone, ...added] = await Promise.all([
        scim.call('DELETE', `/Users/${leaver}`),
        ...groups.map(({ id }) => add(id, leaver)),
        ...groups.map(({ id }) => add(id, leaver)),
      ]);
      assert.equal(gone.status, 204);
      for (const { status } of added) assert.ok(status === 200 || status === 400, `${status}`);
      assert.deepEqual(await faults(), []);
    }
  });

  it('leave no membership behind when a group is filled and deleted at once', async () => {
    for (let turn = 0; turn < 4; turn += 1) {
      const { id } = await scim.create('/Groups', groupBody(`Gone ${turn}`));
      const [gone, ...added] = await Promise.all([
        scim.call('DELETE', `/Groups/${id}`),
        ...people.map((one) => add(id, one)),
      ]);
      assert.equal(gone.status, 204);
      for (const { status } of added) assert.ok(status === 200 || status === 404, `${status}`);
      assert.deepEqual(await faults(), []);
    }
  });

  it('answer a PATCH of a large group without its members, unless they are asked for', async () => {
    const many = Array.from({ length: 101 }, () => userBody());
    const made = await Promise.all(many.map((body) => scim.create('/Users', body)));
    const { id } = await scim.create(
      '/Groups',
      groupBody(
        'Large',
        made.map((one) => one.id),
      ),
    );
    const silent = await add(id, people[0] ?? '');
    assert.deepEqual([silent.status, silent.body], [204, undefined]);
    assert.equal(silent.headers.get('etag'), (await read(id)).meta.version);
    const asked = await scim.call(
      'PATCH',
      `/Groups/${id}?attributes=members.value`,
      patchBody({ op: 'remove', path: `members[value eq "${people[0]}"]` }),
    );
    assert.equal(asked.body.members?.length, 101);
    assert.deepEqual(Object.keys(asked.body.members?.[0] ?? {}), ['value']);
  });
});
