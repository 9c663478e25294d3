// What SCIM serves, held against what it must serve.
import assert from 'node:assert/strict';
import { type Api, expectStatus } from '../gateway.ts';
import type { Expected, ExpectedUser } from './expected.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const GATEWAY = 'urn:sluice:params:scim:schemas:extension:gateway:2.0:User';

interface ScimUser {
  readonly id: string;
  readonly externalId: string;
  readonly userName: string;
  readonly active: boolean;
  readonly displayName?: string;
  readonly name?: object;
  readonly title?: string;
  readonly userType?: string;
  readonly emails?: readonly { readonly value: string; readonly primary?: boolean }[];
  readonly [ENTERPRISE]?: {
    readonly department?: string;
    readonly employeeNumber?: string;
    readonly manager?: { readonly value: string };
  };
  readonly [GATEWAY]?: {
    readonly licensed?: boolean;
    readonly mailboxType?: string;
    readonly affiliationPath?: string;
  };
}

interface ScimGroup {
  readonly id: string;
  readonly externalId: string;
  readonly displayName: string;
  readonly members?: readonly { readonly value: string }[];
}

export class Served {
  readonly users: ReadonlyMap<string, ScimUser>;
  readonly groups: ReadonlyMap<string, ScimGroup>;

  constructor(users: readonly ScimUser[], groups: readonly ScimGroup[]) {
    this.users = new Map(users.map((user) => [user.externalId, user]));
    this.groups = new Map(groups.map((group) => [group.externalId, group]));
    assert.equal(this.users.size, users.length, 'somebody is served twice');
    assert.equal(this.groups.size, groups.length, 'a group is served twice');
  }

  /** Whoever once had an id has it still. */
  assertIds(ids: Map<string, string>, what: string): void {
    for (const [externalId, { id }] of [...this.users, ...this.groups]) {
      assert.equal(id, ids.get(externalId) ?? id, `${what}: ${externalId} has another id`);
      ids.set(externalId, id);
    }
  }

  sourceOf(): ReadonlyMap<string, string> {
    return new Map([...this.users.values(), ...this.groups.values()].map(({ id, externalId }) => [id, externalId]));
  }
}

export async function readServed(api: Api): Promise<Served> {
  return new Served(await readAll<ScimUser>(api, 'Users'), await readAll<ScimGroup>(api, 'Groups'));
}

async function readAll<Item>(api: Api, type: string): Promise<Item[]> {
  const all: Item[] = [];
  for (;;) {
    const path = `/scim/v2/${type}?count=500&startIndex=${all.length + 1}`;
    const { body } = await expectStatus(api.call<{ totalResults: number; Resources?: Item[] }>('GET', path), 200);
    all.push(...(body.Resources ?? []));
    if ((body.Resources ?? []).length === 0 || all.length >= body.totalResults) return all;
  }
}

export function assertExact(served: Served, expected: Expected, what: string): void {
  const source = served.sourceOf();
  const hasLeft = (id: string | undefined): boolean => id !== undefined && expected.leavers.has(id);
  const mayStay = (id: string): boolean => expected.leavers.get(id)?.includes('keep') === true;
  const waiting = whoWaits(served, expected, mayStay);
  const isMissing = (id: string): boolean => waiting.has(id) && !served.users.has(id);
  for (const [id, user] of expected.users) {
    if (isMissing(id)) continue;
    const found = served.users.get(id);
    assert.ok(found !== undefined, `${what}: ${id} is not served: ${JSON.stringify(user)}`);
    const manager = source.get(found[ENTERPRISE]?.manager?.value ?? '');
    // Somebody who left may still be named as a manager while the account is there.
    const open = hasLeft(manager) || (user.manager !== undefined && isMissing(user.manager));
    const seen = viewOf(found, open ? user.manager : manager);
    // Somebody who left with a name that was given away meanwhile comes back when the name is free.
    if (waiting.has(id) && !seen.active) continue;
    const wanted = waiting.has(id) ? { ...user, userName: seen.userName } : user;
    assert.deepEqual(seen, wanted, `${what}: ${id}`);
  }
  for (const [id, group] of expected.groups) {
    const found = served.groups.get(id);
    assert.ok(found !== undefined, `${what}: group ${id} is not served`);
    const members = (found.members ?? [])
      .map(({ value }) => source.get(value) ?? value)
      .filter((member) => !mayStay(member) && !isMissing(member));
    const wanted = { ...group, members: group.members.filter((member) => !isMissing(member)) };
    assert.deepEqual({ displayName: found.displayName, members: members.sort() }, wanted, `${what}: group ${id}`);
  }
  for (const id of [...served.users.keys(), ...served.groups.keys()])
    assert.ok(
      expected.users.has(id) || expected.groups.has(id) || expected.leavers.has(id),
      `${what}: ${id} is nobody`,
    );
  for (const [id, policies] of expected.leavers) {
    const found = served.users.get(id) ?? served.groups.get(id);
    if (found === undefined || policies.includes('keep')) continue;
    const inactive = 'active' in found && !found.active;
    assert.ok(
      inactive && policies.includes('deactivate'),
      `${what}: ${id} should have left (${policies}): ${JSON.stringify(found)}`,
    );
  }
}

/**
 * Whoever is kept keeps the user name. Somebody else who has it in the tenant waits for it, and so does whoever waits
 * for the name of one who waits: outside, or by the name from before with everything else up to date.
 */
function whoWaits(served: Served, expected: Expected, mayStay: (id: string) => boolean): ReadonlySet<string> {
  const holders = new Map([...served.users].map(([id, { userName }]) => [userName.toLowerCase(), id]));
  const waiting = new Set<string>();
  for (let before = -1; before < waiting.size; ) {
    before = waiting.size;
    for (const [id, { userName }] of expected.users) {
      const holder = holders.get(String(userName).toLowerCase());
      if (holder !== undefined && holder !== id && (mayStay(holder) || waiting.has(holder))) waiting.add(id);
    }
  }
  return waiting;
}

function viewOf(user: ScimUser, manager: string | undefined): ExpectedUser {
  const emails = (user.emails ?? []).map(({ value, primary = false }) => ({ value, primary }));
  const parts = user[GATEWAY];
  return {
    userName: user.userName,
    active: user.active,
    displayName: user.displayName,
    name:
      user.name === undefined
        ? undefined
        : { familyName: undefined, formatted: undefined, givenName: undefined, ...user.name },
    title: user.title,
    userType: user.userType,
    emails: emails.sort((one, other) => (one.value < other.value ? -1 : 1)),
    department: user[ENTERPRISE]?.department,
    employeeNumber: user[ENTERPRISE]?.employeeNumber,
    manager,
    licensed: parts?.licensed === true,
    mailboxType: parts?.mailboxType,
    affiliationPath: parts?.affiliationPath,
  };
}

/** Of those who were served and should be all the time, everybody still is. */
export function assertNobodyLost(before: Served, after: Served, staying: Expected, what: string): void {
  for (const [id, { active }] of staying.users) {
    const was = before.users.get(id);
    if (was === undefined) continue;
    const is = after.users.get(id);
    assert.ok(is !== undefined, `${what}: ${id} was lost`);
    assert.ok(is.active || !active || !was.active, `${what}: ${id} was deactivated`);
  }
  for (const id of staying.groups.keys())
    assert.ok(after.groups.has(id) || !before.groups.has(id), `${what}: group ${id} was lost`);
}
