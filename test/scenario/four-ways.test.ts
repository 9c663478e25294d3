// One organisation as a tenant of Microsoft 365, as CSV files, as a directory over LDAP, and written over SCIM: switching
// through all four and back keeps every id and ends in the same directory.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ENTERPRISE_SCHEMA } from '#core/resource.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import { addGroup, addMember, addUser, makeTenant, type Tenant } from '#demo/tenant.ts';
import { makeInbound, putFile } from '../providers/csv/support.ts';
import { settingsFor as ldapSettings, person, uuidOf } from '../providers/ldap/support.ts';
import { type Call, checkedCall } from '../support/checked.ts';
import { postgresMissing } from '../support/database.ts';
import {
  connect,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';
import { makeIdentityProvider } from '../support/identity-provider.ts';
import { type Organisation, readOrganisation, writeOrganisation } from '../support/organisation.ts';
import { type Slapd, SUFFIX, slapdMissing, startSlapd } from '../support/slapd.ts';

const NAMES = [
  'Ada Lovelace',
  'Grace Hopper',
  'Alan Turing',
  'Barbara Liskov',
  'Edsger Dijkstra',
  '김 민준',
  'Zoë Müller',
];
const GROUPS: readonly (readonly [string, readonly number[]])[] = [
  ['Engineers', [0, 1, 2, 3]],
  ['Board', [0, 6]],
  ['Nobody yet', []],
];

interface Person {
  readonly index: number;
  readonly userName: string;
  readonly displayName: string;
  readonly given: string;
  readonly family: string;
  readonly title: string;
  readonly department: string;
  /** Whose report it is; undefined for the first. */
  readonly manager: number | undefined;
}

const PEOPLE: readonly Person[] = NAMES.map((displayName, index) => ({
  index,
  userName: `person${index}@contoso.example`,
  displayName,
  given: displayName.split(' ')[0] ?? '',
  family: displayName.split(' ')[1] ?? '',
  title: index === 0 ? 'Director' : 'Engineer',
  department: index % 2 === 0 ? 'Research & Development' : 'Sales',
  manager: index === 0 ? undefined : 0,
}));

function asTenant(): Tenant {
  const tenant = makeTenant({ users: 0, groups: 0 });
  for (const { index, userName, displayName, given, family, title, department } of PEOPLE)
    addUser(tenant, {
      id: uuidOf(100 + index),
      userPrincipalName: userName,
      displayName,
      givenName: given,
      surname: family,
      mail: userName,
      jobTitle: title,
      department,
      accountEnabled: true,
      userType: 'Member',
    });
  for (const { index, manager } of PEOPLE)
    if (manager !== undefined) tenant.managers.set(uuidOf(100 + index), uuidOf(100 + manager));
  for (const [place, [displayName, members]] of GROUPS.entries()) {
    const id = uuidOf(200 + place);
    addGroup(tenant, { id, displayName, groupTypes: [], mailEnabled: false, securityEnabled: true });
    for (const member of members) addMember(tenant, id, uuidOf(100 + member));
  }
  return tenant;
}

function asFiles(folder: string): void {
  const users = PEOPLE.map((one) =>
    [
      `c${one.index}`,
      one.userName,
      one.displayName,
      one.given,
      one.family,
      one.userName,
      one.title,
      one.department,
      one.manager === undefined ? '' : `c${one.manager}`,
    ].join(';'),
  );
  putFile(
    folder,
    'users.csv',
    `\ufeffid;userName;displayName;givenName;familyName;email;title;department;manager\r\n${users.join('\r\n')}\r\n`,
  );
  putFile(
    folder,
    'groups.csv',
    `id;displayName\r\n${GROUPS.map(([name], place) => `g${place};${name}`).join('\r\n')}\r\n`,
  );
  const members = GROUPS.flatMap(([, of], place) => of.map((member) => `g${place};c${member}`));
  putFile(folder, 'memberships.csv', `group;member\r\n${members.join('\r\n')}\r\n`);
}

const base64 = (name: string, value: string): string => `${name}:: ${Buffer.from(value).toString('base64')}`;

function asLdif(): string {
  const people = PEOPLE.map((one) =>
    person(
      `p${one.index}`,
      [
        base64('displayName', one.displayName),
        base64('givenName', one.given),
        `mail: ${one.userName}`,
        `title: ${one.title}`,
        `departmentNumber: ${one.department}`,
        ...(one.manager === undefined ? [] : [`manager: uid=p${one.manager},ou=People,${SUFFIX}`]),
      ].join('\n'),
    ).replace(/^sn: .*$/m, base64('sn', one.family)),
  );
  // A groupOfNames has a member at least; an empty one has none that can be read.
  const groups = GROUPS.map(([name, members]) => {
    const named =
      members.length === 0
        ? [`member: cn=none,${SUFFIX}`]
        : members.map((one) => `member: uid=p${one},ou=People,${SUFFIX}`);
    return `dn: cn=${name},ou=Groups,${SUFFIX}\nobjectClass: groupOfNames\ncn: ${name}\n${named.join('\n')}\n`;
  });
  return [...people, ...groups].join('\n');
}

/** What every way can say of a person. */
function known({ users, groups }: Organisation): unknown {
  return {
    users: Object.fromEntries(
      Object.entries(users).map(
        ([id, { userName, displayName, name, emails, title, active, [ENTERPRISE_SCHEMA]: company }]) => {
          const { givenName, familyName } = name as { givenName: string; familyName: string };
          const { department, manager } = company as { department: string; manager?: { value: string } };
          const addresses = (emails as { value: string }[]).map(({ value }) => value);
          return [
            id,
            {
              userName,
              displayName,
              givenName,
              familyName,
              addresses,
              title,
              active,
              department,
              manager: manager?.value,
            },
          ];
        },
      ),
    ),
    groups,
  };
}

for (const kind of ['embedded', 'postgres'] as const)
  describe(`one organisation in four ways (${kind})`, {
    skip: slapdMissing || (kind === 'postgres' && postgresMissing),
  }, () => {
    let graph: GraphServer;
    let slapd: Slapd;
    let gateway: TestGateway;
    const call: Call = checkedCall(() => gateway);

    before(async () => {
      const tenant = asTenant();
      graph = await startTenant(tenant);
      slapd = await startSlapd(asLdif());
      const folder = makeInbound();
      asFiles(folder);
      gateway = await startGateway({ ...(await freshStorage(kind)), INBOUND_DIR: folder });
      const run = await connect(gateway, settingsFor(tenant, graph));
      assert.equal(run.status, 'succeeded', JSON.stringify(run));
      await call('PUT', '/providers/csv', 200, {
        source: { kind: 'folder', groups: 'groups.csv', memberships: 'memberships.csv' },
      });
      const { preset: _preset, ...ldap } = ldapSettings(slapd);
      await call('PUT', '/providers/ldap', 200, {
        ...ldap,
        preset: 'openldap',
        mapping: { users: [{ target: 'userName', source: 'mail' }] },
      });
      await call('PUT', '/providers/scim', 200, {});
    });
    after(async () => {
      await gateway?.close();
      await slapd?.close();
      await graph?.close();
    });

    async function switchTo(name: string): Promise<void> {
      const leftOvers = name === 'scim' ? 'keep' : 'delete';
      const impact = await call<RunBody>('POST', `/providers/${name}/impact`, 202, { leftOvers });
      const made = await untilOver(gateway, impact.id);
      assert.equal(made.status, 'succeeded', `${name}: ${JSON.stringify(made.error)}`);
      const { planId, users, groups } = await call<{
        planId: string;
        users: Record<string, number>;
        groups: Record<string, number>;
      }>('GET', `/providers/${name}/impact`, 200);
      assert.deepEqual([users['created'], groups['created'], users['deleted'], groups['deleted']], [0, 0, 0, 0], name);
      await call('POST', `/providers/${name}/activate`, 200, { switch: true, planId });
      const done = await untilOver(gateway, impact.id);
      assert.equal(done.status, 'succeeded', `${name}: ${JSON.stringify(done)}`);
    }

    it('is the same directory with the same ids after each switch, and after the way back', async () => {
      const first = await readOrganisation(gateway);
      assert.equal(Object.keys(first.users).length, PEOPLE.length);
      const idp = await makeIdentityProvider(gateway);
      for (const name of ['csv', 'scim', 'ldap', 'scim', 'csv', 'ldap', 'microsoft365']) {
        await switchTo(name);
        if (name === 'scim') for (const [before, now] of await writeOrganisation(idp, first)) assert.equal(now, before);
        assert.deepEqual(known(await readOrganisation(gateway)), known(first), name);
        const again = await sync(gateway);
        const { skipped: _skipped, ...changed } = again.counts;
        assert.deepEqual([again.status, changed], ['succeeded', {}], name);
      }
      assert.deepEqual(await readOrganisation(gateway), first);
    });
  });
