// The groups of users are stored when they are read. Whatever is written between two reads, what is served is what is so.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import fc from 'fast-check';
import { type Database, sql } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';
import { groupBody, patchBody, type ScimServer, startScim, userBody } from '../support/scim.ts';

const GROUPS = 5;
const USERS = 4;

type Step =
  | { readonly kind: 'add' | 'remove'; readonly group: number; readonly member: number }
  | { readonly kind: 'empty' | 'rename' | 'renew'; readonly group: number };

const anyGroup = fc.nat(GROUPS - 1);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('add', 'remove'),
      group: anyGroup,
      member: fc.nat(GROUPS + USERS - 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('empty', 'rename', 'renew'), group: anyGroup }) },
);

eachDatabase('the stored groups of users', (open) => {
  let scim: ScimServer;
  let database: Database;
  /** Ids of groups, then of users. */
  const ids: string[] = [];
  const names: string[] = [];
  let members: (readonly [group: number, member: number])[] = [];
  before(async () => {
    database = await open();
    scim = await startScim(database);
    for (let place = 0; place < GROUPS; place += 1) await makeGroup(place);
    for (let place = 0; place < USERS; place += 1) ids.push((await scim.create('/Users', userBody())).id);
  });
  after(() => scim?.close());

  let named = 0;
  const newName = (): string => {
    named += 1;
    return `Group "${named}" \u0001`;
  };

  async function makeGroup(place: number): Promise<void> {
    names[place] = newName();
    ids[place] = (await scim.create('/Groups', groupBody(names[place] ?? ''))).id;
  }

  const patch = async (group: number, operation: object): Promise<void> => {
    const { status } = await scim.call('PATCH', `/Groups/${ids[group]}`, patchBody(operation));
    assert.ok(status < 300, `${status}`);
  };

  async function take(step: Step): Promise<void> {
    const { group } = step;
    switch (step.kind) {
      case 'add':
      case 'remove': {
        const { kind, member } = step;
        if (member === group) return;
        members = members.filter(([of, one]) => of !== group || one !== member);
        if (kind === 'add') members.push([group, member]);
        await patch(group, { op: kind, path: 'members', value: [{ value: ids[member] }] });
        return;
      }
      case 'empty':
        members = members.filter(([of]) => of !== group);
        await patch(group, { op: 'remove', path: 'members' });
        return;
      case 'rename':
        names[group] = newName();
        await patch(group, { op: 'replace', path: 'displayName', value: names[group] });
        return;
      case 'renew':
        members = members.filter((pair) => !pair.includes(group));
        await scim.call('DELETE', `/Groups/${ids[group]}`);
        await makeGroup(group);
    }
  }

  function groupsOf(member: number): object[] {
    const direct = members.filter(([, one]) => one === member).map(([group]) => group);
    const found = new Set(direct);
    for (const group of found) for (const [above, one] of members) if (one === group) found.add(above);
    return [...found]
      .map((group) => ({
        value: ids[group] ?? '',
        $ref: `${scim.base}/Groups/${ids[group]}`,
        display: names[group],
        type: direct.includes(group) ? 'direct' : 'indirect',
      }))
      .sort((left, right) => (left.value < right.value ? -1 : 1));
  }

  const sorted = (groups: readonly { readonly value: string }[] = []) =>
    [...groups].sort((left, right) => (left.value < right.value ? -1 : 1));

  it('are what they would be if they were made anew', async () => {
    let stored = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 6 }), async (steps) => {
        for (const step of steps) {
          await Promise.all([take(step), ...ids.slice(GROUPS).map((id) => scim.call('GET', `/Users/${id}`))]);
          const { Resources } = await scim.list('/Users');
          for (const [place, { id, groups }] of Resources.entries()) {
            const wanted = groupsOf(ids.indexOf(id));
            assert.deepEqual(sorted(groups), wanted, `${place} in the list, after ${JSON.stringify(step)}`);
            assert.deepEqual(sorted((await scim.call('GET', `/Users/${id}`)).body.groups), wanted);
          }
          const { rows } = await sql(database.knex, 'select count(*)::int as count from served_groups');
          stored += rows[0]?.count;
        }
      }),
      { numRuns: 25, endOnFailure: true },
    );
    assert.ok(stored > 0, 'some were stored meanwhile');
  });
});
