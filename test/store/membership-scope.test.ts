// Deciding the scope for whom something changed must come to what deciding it for everybody comes to.
import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '#core/digest.ts';
import type { MembershipScope } from '#core/membership-scope.ts';
import { GATEWAY_SCHEMA } from '#core/resource.ts';
import { type Database, type Db, sql } from '#store/database.ts';
import { scopeByMemberships, scopeTouched } from '#store/mirror/membership-scope.ts';
import { replaceMembers, upsertRecords } from '#store/mirror/mirror.ts';
import { changeMirrorMembers, markGone } from '#store/mirror/mirror-changes.ts';
import { touch, touchAll } from '#store/mirror/touched.ts';
import { eachDatabase, emptyDatabase } from '../support/database.ts';

const PROVIDER = 'microsoft365';
const USERS = ['u0', 'u1', 'u2', 'u3'];
const GROUPS = ['g0', 'g1', 'g2', 'g3', 'g4'];

const user = fc.constantFrom(...USERS);
const group = fc.constantFrom(...GROUPS);
const members = fc.uniqueArray(fc.oneof(user, group), { maxLength: 5 });
/** For each combination of two answers. */
const answers = fc.stringMatching(/^[01]{4}$/);
const event = fc.oneof(
  fc.record({ kind: fc.constant('user' as const), id: user, answers, route: answers, out: fc.boolean() }),
  fc.record({
    kind: fc.constant('group' as const),
    id: group,
    name: fc.constantFrom<string>('red', 'blue'),
    out: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('members' as const), id: group, added: members, removed: members }),
  fc.record({ kind: fc.constant('whole' as const), id: group, members, hidden: fc.boolean() }),
  fc.record({ kind: fc.constant('gone' as const), id: fc.oneof(user, group) }),
);
type Event = typeof event extends fc.Arbitrary<infer Value> ? Value : never;

const scope: fc.Arbitrary<MembershipScope> = fc.record({
  selected: fc.option(fc.subarray(GROUPS.slice(0, 3), { minLength: 1 })),
  nested: fc.constantFrom('include', 'flatten', 'ignore'),
  maxDepth: fc.option(fc.nat(2)),
  conditions: fc.constant([
    { operator: 'eq', value: 'g3' },
    { operator: 'co', value: 'red' },
  ]),
  conditionsText: fc.constant('memberOf eq "g3" or memberOf co "red"'),
  pathRoots: fc.subarray(GROUPS.slice(0, 2)),
  routing: fc.option(
    fc.record({
      groups: fc.constant(['Here', 'There']),
      match: fc.constantFrom('first', 'all'),
      default: fc.option(fc.constant('Elsewhere')),
    }),
  ),
});

function typeOf(id: string): 'User' | 'Group' {
  return id.startsWith('u') ? 'User' : 'Group';
}

function refOf(externalId: string): { externalId: string; type: 'User' | 'Group' } {
  return { externalId, type: typeOf(externalId) };
}

/** What a read of changes does with it. */
async function happen(tx: Db, event: Event): Promise<void> {
  const type = typeOf(event.id);
  if (event.kind === 'gone') {
    await markGone(tx, PROVIDER, type, [{ externalId: event.id, how: 'softDeleted' }], { members: true });
  } else if (event.kind === 'members') {
    const change = { group: event.id, added: event.added.map(refOf), skipped: [], removed: event.removed };
    await changeMirrorMembers(tx, PROVIDER, [change], { members: true });
  } else if (event.kind === 'whole') {
    const digest = event.hidden ? null : digestOf(event.members.join());
    const shown = event.hidden ? [] : event.members.map(refOf);
    await replaceMembers(tx, PROVIDER, [{ group: event.id, digest, members: shown, skipped: [] }], true);
    await touch(tx, PROVIDER, 'Group', [event.id]);
  } else {
    const person = event.kind === 'user';
    const label = person ? event.id : event.name;
    const body = `{"${GATEWAY_SCHEMA}":{"origin":"${PROVIDER}"},"displayName":"${label}","externalId":"${event.id}"}`;
    const record = {
      ...{ external_id: event.id, record: body, record_digest: digestOf(body), label, handles: [`name:${label}`] },
      ...{ name_key: label, manager_external_id: null, detail: null, reason: event.out ? 'ScopeFilterFalse' : null },
      ...{ body: event.out ? null : body, digest: event.out ? null : digestOf(body) },
      ...{ memberships: person ? event.answers : null, routes: person ? [event.route, '1'] : null },
    };
    await upsertRecords(tx, PROVIDER, type, [record]);
    await touch(tx, PROVIDER, type, [event.id]);
  }
}

eachDatabase('scope by memberships', (open) => {
  let database: Database;
  before(async () => {
    database = await open();
  });

  it('decided for whom something changed is what it is decided for everybody', async () => {
    const db = database.knex;
    await fc.assert(
      fc.asyncProperty(
        scope,
        fc.array(fc.array(event, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
        async (wanted, steps) => {
          await emptyDatabase(database);
          await touchAll(db, PROVIDER);
          await db.transaction(async (tx) => {
            for (const id of GROUPS) {
              await happen(tx, { kind: 'group', id, name: id, out: false });
              await happen(tx, { kind: 'whole', id, members: [], hidden: false });
            }
            for (const id of USERS) await happen(tx, { kind: 'user', id, answers: '1111', route: '0101', out: false });
            await scopeByMemberships(tx, PROVIDER, wanted);
            await sql(tx, 'update mirror_state set compare_all = false');
          });
          for (const events of steps)
            await db.transaction(async (tx) => {
              await sql(tx, 'delete from mirror_touched');
              for (const one of events) await happen(tx, one);
              await scopeTouched(tx, PROVIDER, wanted);
              assert.equal(await scopeByMemberships(tx, PROVIDER, wanted), 0);
            });
        },
      ),
      { numRuns: Number(process.env['SCOPE_RUNS'] ?? 15) },
    );
  });
});
