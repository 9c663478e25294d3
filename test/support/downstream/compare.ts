// Whether a downstream service has what the directory has, for the part of it that the service is to get.
import assert from 'node:assert/strict';
import { coreOf, type Doc, ENTERPRISE, type Kind } from './schema.ts';
import type { Service } from './service.ts';

export interface Wanted {
  readonly users: readonly Doc[];
  readonly groups: readonly Doc[];
  isInScope(user: Doc): boolean;
}

/** @throws {AssertionError} naming the first difference */
export function compare(service: Service, { users, groups, isInScope }: Wanted): void {
  const theirs = service.resources('User');
  const ours = new Map(users.map((user) => [String(user['id']), user]));
  assertOnce(theirs, 'userName');
  assertOnce(theirs, 'externalId');
  assertOnce(service.resources('Group'), 'externalId');
  const linked = new Map(
    theirs.flatMap((user) => (user['externalId'] === undefined ? [] : [[String(user['externalId']), user]])),
  );
  const isOn = (user: Doc): boolean => user['active'] !== false;
  const there = theirs.filter((user) => ours.has(String(user['externalId'])) && isOn(user));
  const wanted = users.filter((user) => isInScope(user) && isOn(user));
  assert.deepEqual(names(there, 'externalId'), names(wanted, 'id'), 'who is active');
  for (const user of wanted) {
    const other = linked.get(String(user['id'])) ?? {};
    assert.deepEqual(part(service, 'User', other), part(service, 'User', user, managerOf(user, linked)), 'a user');
  }
  for (const user of theirs)
    if (user['externalId'] !== undefined && !ours.has(String(user['externalId'])))
      assert.equal(user['active'], false, `${user['userName']} is gone here and active there`);
  compareGroups(service, groups, linked, isInScope, ours);
}

function compareGroups(
  service: Service,
  groups: readonly Doc[],
  linked: ReadonlyMap<string, Doc>,
  isInScope: (user: Doc) => boolean,
  ours: ReadonlyMap<string, Doc>,
): void {
  const theirs = service.resources('Group').filter(({ externalId }) => externalId !== undefined);
  assert.deepEqual(names(theirs, 'externalId'), names(groups, 'id'), 'which groups');
  const byId = new Map(theirs.map((group) => [String(group['externalId']), group]));
  for (const group of groups) {
    const other = byId.get(String(group['id'])) ?? {};
    assert.equal(other['displayName'], group['displayName'], 'the name of a group');
    const members = ((group['members'] ?? []) as Doc[])
      .map(({ value }) => String(value))
      .filter((id) => linked.has(id) && isInScope(ours.get(id) ?? {}))
      .map((id) => String(linked.get(id)?.['id']));
    const there = ((other['members'] ?? []) as Doc[]).map(({ value }) => String(value));
    assert.deepEqual(there.sort(), members.sort(), `the members of ${group['displayName']}`);
  }
}

function names(docs: readonly Doc[], by: string): string[] {
  return docs.map((doc) => String(doc[by])).sort();
}

function assertOnce(docs: readonly Doc[], by: string): void {
  const values = docs.flatMap((doc) => (doc[by] === undefined ? [] : [String(doc[by]).toLowerCase()]));
  assert.equal(new Set(values).size, values.length, `two have the same ${by}`);
}

function managerOf(user: Doc, linked: ReadonlyMap<string, Doc>): string | undefined {
  const ours = ((user[ENTERPRISE] as Doc | undefined)?.['manager'] as Doc | undefined)?.['value'];
  const theirs = linked.get(String(ours))?.['id'];
  return theirs === undefined ? undefined : String(theirs);
}

/** What both sides should say of a resource. */
function part({ schemas, manners }: Service, kind: Kind, doc: Doc, manager?: string): Doc {
  const kept: Doc = {};
  for (const [name, value] of Object.entries(doc)) {
    const isOurs = name in (schemas[coreOf(kind)] ?? {}) && !['members', 'groups', 'nickName'].includes(name);
    if (isOurs) kept[name] = value;
  }
  if (manners.lowerCases) kept['userName'] = String(kept['userName']).toLowerCase();
  const { manager: theirManager, ...extension } = { ...(doc[ENTERPRISE] as Doc | undefined) };
  const managerId =
    manager ?? (doc['externalId'] === undefined ? undefined : (theirManager as Doc | undefined)?.['value']);
  if (ENTERPRISE in schemas) kept['extension'] = { ...extension, managerId };
  return JSON.parse(JSON.stringify(kept));
}
