// A real Active Directory, as Samba makes one, through whole syncs and what changed between them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { approve, freshStorage, startGateway, sync, type TestGateway } from '../../support/gateway.ts';
import { ADMINISTRATOR, DOMAIN, PASSWORD, type Samba, sambaMissing, startSamba } from '../../support/samba.ts';
import { kind } from './support.ts';

const ENABLED = 512;
const DISABLED = 514;

/** A comma in a name is escaped, and the whole in base64, since LDIF is ASCII. */
function person(name: string, account: string, more = ''): string {
  const dn = `cn=${name.replace(',', '\\,')},ou=People,${DOMAIN}`;
  return `dn:: ${Buffer.from(dn).toString('base64')}
changetype: add
objectClass: user
sAMAccountName: ${account}
userPrincipalName: ${account}@corp.test
displayName:: ${Buffer.from(name).toString('base64')}
userAccountControl: ${ENABLED}
proxyAddresses: smtp:${account}.alias@corp.test
proxyAddresses: SMTP:${account}@corp.test
${more}`;
}

function team(name: string, ...members: readonly string[]): string {
  const lines = members.map((member) => `member: ${member},${DOMAIN}\n`);
  return `dn: cn=${name},ou=Teams,${DOMAIN}\nchangetype: add\nobjectClass: group\nsAMAccountName: ${name}\n${lines.join('')}`;
}

interface Person {
  readonly id: string;
  readonly externalId: string;
  readonly userName: string;
  readonly displayName: string;
  readonly active: boolean;
  readonly emails: readonly { readonly value: string; readonly primary?: boolean }[];
}

describe('a domain of Active Directory', { skip: sambaMissing }, () => {
  let samba: Samba;
  let api: TestGateway;
  let settings: Record<string, unknown>;
  before(async () => {
    samba = await startSamba();
    const entries = [
      person('Ada', 'ada'),
      person('Bob', 'bob', `manager: cn=Ada,ou=People,${DOMAIN}\n`),
      person('Cho, 조', 'cho'),
      team('Inner', 'cn=Bob,ou=People'),
      team('All', 'cn=Ada,ou=People', 'cn=Inner,ou=Teams'),
    ];
    samba.modify(entries.join('\n'));
    api = await startGateway(await freshStorage('embedded'));
    settings = {
      preset: 'activeDirectory',
      url: samba.url,
      tls: { ca: samba.ca, serverName: 'localhost' },
      bind: { dn: ADMINISTRATOR, password: PASSWORD },
      users: { base: `ou=People,${DOMAIN}` },
      groups: { base: `ou=Teams,${DOMAIN}` },
      initialRun: 'manual',
    };
    await api.call('PUT', '/api/v1/providers/ldap', settings);
    await api.call('POST', '/api/v1/providers/ldap/activate', {});
    // Half of so small a directory is a large change.
    await api.call('PUT', '/api/v1/guard', { enabled: false });
  });
  after(async () => {
    await api?.close();
    await samba?.close();
  });

  async function people(): Promise<readonly Person[]> {
    const { body } = await api.call<{ Resources: Person[] }>('GET', '/scim/v2/Users?sortBy=userName');
    return body.Resources;
  }

  async function teams(): Promise<Record<string, readonly string[]>> {
    type Team = { id: string; displayName: string; members?: { value: string }[] };
    const { body } = await api.call<{ Resources: Team[] }>('GET', '/scim/v2/Groups');
    const names = new Map([...(await people()), ...body.Resources].map(({ id, displayName }) => [id, displayName]));
    const namesOf = (members: Team['members'] = []) => members.map(({ value }) => names.get(value) ?? value).sort();
    return Object.fromEntries(body.Resources.map(({ displayName, members }) => [displayName, namesOf(members)]));
  }

  it('is read whole: people by their objectGUID, groups within groups', async () => {
    const first = await sync(api, { mode: 'full' });
    assert.equal((await approve(api, first.planId)).status, 'succeeded');
    const [ada, , cho] = await people();
    assert.deepEqual(
      (await people()).map(({ userName, active }) => [userName, active]),
      [
        ['ada@corp.test', true],
        ['bob@corp.test', true],
        ['cho@corp.test', true],
      ],
    );
    assert.equal(cho?.displayName, 'Cho, 조');
    assert.equal(samba.nameOf(ada?.externalId ?? '').toLowerCase(), `cn=ada,ou=people,${DOMAIN}`);
    assert.deepEqual(ada?.emails.find(({ primary }) => primary === true)?.value, 'ada@corp.test');
    assert.deepEqual(await teams(), { All: ['Ada', 'Inner'], Inner: ['Bob'] });
  });

  it('tells by its objectGUID whether somebody is there', async () => {
    const [ada] = await people();
    const nobody = '00112233-4455-6677-8899-aabbccddeeff';
    const provider = kind.open(kind.parseSettings(settings));
    const { signal } = new AbortController();
    for await (const page of provider.pages(signal))
      if (page.type === 'end') {
        const told = await provider.secondLook?.isThere('User', [ada?.externalId ?? '', nobody], signal);
        assert.deepEqual([...(told ?? [])], [[ada?.externalId, true]]);
      }
  });

  it('tells what changed: who was disabled, renamed and moved, and memberships', async () => {
    const ids = (await people()).map(({ id }) => id);
    samba.modify(`dn: cn=Bob,ou=People,${DOMAIN}
changetype: modify
replace: userAccountControl
userAccountControl: ${DISABLED}

dn: cn=Ada,ou=People,${DOMAIN}
changetype: modify
replace: displayName
displayName: Ada Lovelace

dn: cn=Ada,ou=People,${DOMAIN}
changetype: modrdn
newrdn: cn=Ada Lovelace
deleteoldrdn: 1

dn: cn=Inner,ou=Teams,${DOMAIN}
changetype: modify
add: member
member: cn=Ada Lovelace,ou=People,${DOMAIN}
`);
    const run = (await sync(api, { mode: 'incremental' })) as { status: string; mode?: string };
    assert.deepEqual([run.status, run.mode], ['succeeded', 'incremental']);
    assert.deepEqual(
      (await people()).map(({ id, displayName, active }) => [id, displayName, active]),
      [
        [ids[0], 'Ada Lovelace', true],
        [ids[1], 'Bob', false],
        [ids[2], 'Cho, 조', true],
      ],
    );
    assert.deepEqual(await teams(), { All: ['Ada Lovelace', 'Inner'], Inner: ['Ada Lovelace', 'Bob'] });
  });

  it('shows by a whole read who is gone', async () => {
    const [, , cho] = await people();
    samba.modify(`dn: <GUID=${cho?.externalId}>\nchangetype: delete\n`);
    assert.equal((await sync(api, { mode: 'full' })).status, 'succeeded');
    assert.deepEqual(
      (await people()).map(({ active }) => active),
      [true, false, false],
    );
  });
});
