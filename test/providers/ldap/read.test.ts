import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type GatewayError, UpstreamError } from '#core/errors.ts';
import type { Page } from '#core/pages.ts';
import { ENTERPRISE_SCHEMA, type UserResource } from '#core/resource.ts';
import { describeProvider } from '../../contract/provider.ts';
import { type Slapd, SUFFIX, slapdMissing, startSlapd } from '../../support/slapd.ts';
import { kind, openLdap, person, readRecords, settingsFor, uuidOf } from './support.ts';

const PEOPLE = [
  person('kim', `entryUUID: ${uuidOf(1)}\nmail: kim@example.com\ntitle: Head\ndepartmentNumber: Sales`),
  person('lee', `entryUUID: ${uuidOf(2)}\nmail: lee@example.com\nmanager: UID=kim, OU=People,${SUFFIX}`),
  // Base64, since LDIF is ASCII: cn=김철수\, A
  `dn:: ${Buffer.from(`cn=김철수\\, A,ou=People,${SUFFIX}`).toString('base64')}
objectClass: inetOrgPerson
cn:: ${Buffer.from('김철수, A').toString('base64')}
sn:: ${Buffer.from('김').toString('base64')}
uid: chulsoo
entryUUID: ${uuidOf(3)}
`,
  person('nobody', `entryUUID: ${uuidOf(4)}`),
  person('odd', `entryUUID: ${uuidOf(5)}\nmail: odd@example.com`),
].join('\n');

/** The name of the third person, spelled in another way than its entry. */
const CHULSOO = `cn=${[...Buffer.from('김철수')].map((byte) => `\\${byte.toString(16)}`).join('')}\\2c A,OU=people,${SUFFIX}`;

const GROUPS = `dn: cn=all,ou=Groups,${SUFFIX}
objectClass: groupOfNames
cn: all
entryUUID: ${uuidOf(11)}
member: uid=kim,ou=People,${SUFFIX}
member: ${CHULSOO}
member: cn=sales,ou=Groups,${SUFFIX}
member: cn=gone,ou=People,${SUFFIX}

dn: cn=sales,ou=Groups,${SUFFIX}
objectClass: groupOfUniqueNames
cn: sales
entryUUID: ${uuidOf(12)}
uniqueMember: uid=lee,ou=People,${SUFFIX}
uniqueMember: cn=all,ou=Groups,${SUFFIX}

dn: cn=staff,ou=Groups,${SUFFIX}
objectClass: posixGroup
cn: staff
gidNumber: 7
entryUUID: ${uuidOf(13)}
memberUid: kim
memberUid: odd
memberUid: missing
`;

describe('a directory of OpenLDAP', { skip: slapdMissing }, () => {
  let slapd: Slapd;
  before(async () => {
    slapd = await startSlapd(`${PEOPLE}\n${GROUPS}`);
  });
  after(() => slapd.close());

  describeProvider('LDAP', () => ({
    open: () => openLdap(settingsFor(slapd)),
    users: new Set([1, 2, 3, 4, 5].map(uuidOf)),
    groups: new Set([11, 12, 13].map(uuidOf)),
    members: new Map([
      [uuidOf(11), new Set([1, 3, 12].map(uuidOf))],
      [uuidOf(12), new Set([2, 11].map(uuidOf))],
      [uuidOf(13), new Set<string>()],
    ]),
  }));

  it('becomes people, with managers by their id', async () => {
    const { provider, found } = await readRecords(settingsFor(slapd));
    const lee = provider.normalise(found.get('uid=lee') as never, 'User');
    assert.ok('resource' in lee);
    const user = lee.resource as UserResource;
    assert.equal(user.userName, 'lee');
    assert.equal(user.active, true);
    assert.equal(user[ENTERPRISE_SCHEMA]?.manager?.value, uuidOf(1));
    assert.deepEqual(user.emails, [{ value: 'lee@example.com', type: 'work', primary: true }]);
    assert.deepEqual(provider.handles?.(found.get('uid=kim') as never, 'User').addresses, ['kim@example.com']);
  });

  it('keeps members by uid where the settings say so', async () => {
    const members = new Map<string, string[]>();
    const settings = settingsFor(slapd, { memberAttribute: 'memberUid' });
    const skipped: string[] = [];
    for await (const page of openLdap(settings).pages(new AbortController().signal)) {
      if (page.type !== 'members') continue;
      members.set(page.group, [...(members.get(page.group) ?? []), ...page.members.map((one) => one.externalId)]);
      skipped.push(...page.skipped.map(({ externalId, reason }) => `${reason} ${externalId}`));
    }
    assert.deepEqual(members.get(uuidOf(13)), [1, 5].map(uuidOf));
    assert.deepEqual(skipped, ['UnknownMember missing']);
  });

  it('is found by filter and base alone', async () => {
    const users = { base: `ou=People,${SUFFIX}`, filter: '(mail=*)', scope: 'one' };
    const { found } = await readRecords(settingsFor(slapd, { users, groups: null }));
    assert.deepEqual([...found.keys()].sort(), ['uid=kim', 'uid=lee', 'uid=odd']);
  });

  it('shows its groups, and who is below one through all groups in between', async () => {
    const settings = kind.parseSettings(settingsFor(slapd));
    const { signal } = new AbortController();
    const groups = await kind.source?.groups?.(settings, { search: 'AL', limit: 50 }, signal);
    assert.deepEqual(groups?.items.map(({ displayName }) => displayName).sort(), ['all', 'sales']);
    const members = (groupId: string, transitive = true) =>
      kind.source?.members?.(settings, { groupId, transitive }, signal) ?? assert.fail();
    const below = await members(uuidOf(11));
    assert.deepEqual(
      below.items.map(({ id, path }) => [id, path.join(' > ')]).sort(),
      [
        [uuidOf(1), 'all'],
        [uuidOf(12), 'all'],
        [uuidOf(2), 'all > sales'],
        [uuidOf(3), 'all'],
      ].sort(),
    );
    assert.deepEqual([groups?.truncated, below.truncated], [null, null]);
    const one = await kind.source?.groups?.(settings, { search: 'AL', limit: 1 }, signal);
    assert.deepEqual([one?.items.length, one?.truncated], [1, { by: 'groups', limit: 1 }]);
    const direct = (await members(uuidOf(11), false)).items.map(({ id }) => id);
    assert.deepEqual(direct.sort(), [uuidOf(1), uuidOf(12), uuidOf(3)].sort());
    await assert.rejects(members(uuidOf(99)), { reason: 'source-group-not-found' });
    const found = (await kind.mapping?.person?.(settings, 'lee', signal)) as { externalId: string };
    assert.equal(found.externalId, uuidOf(2));
    assert.equal(await kind.mapping?.person?.(settings, '*)(uid=*', signal), undefined);
  });

  describe('its connection', () => {
    const test = async (changes: Record<string, unknown>) => {
      const checks = await kind.test(kind.parseSettings(settingsFor(slapd, changes)), AbortSignal.timeout(120_000));
      return checks.map(({ name, ok, detail }) => `${name} ${ok ? 'ok' : detail}`);
    };
    const NOT_TRIED = ['read-users', 'read-groups', 'read-members'].map(
      (name) => `${name} Not tried, since there is no connection.`,
    );

    it('works over LDAPS and with StartTLS', async () => {
      const all = ['connect ok', 'read-users ok', 'read-groups ok', 'read-members ok'];
      assert.deepEqual(await test({}), all);
      assert.deepEqual(await test({ url: slapd.url, startTls: true }), all);
      assert.deepEqual(await test({ url: slapd.url, allowPlaintext: true }), all);
    });

    it('is refused where the certificate is not trusted, or is for another host', async () => {
      const untrusted = /^connect The certificate of "127.0.0.1" is not trusted/;
      assert.match((await test({ tls: {} }))[0] ?? '', untrusted);
      assert.match((await test({ tls: {}, url: slapd.url, startTls: true }))[0] ?? '', untrusted);
      const other = { ca: slapd.ca, serverName: 'other.example' };
      assert.match((await test({ tls: other }))[0] ?? '', /not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)/);
      assert.match((await test({ tls: other, url: slapd.url, startTls: true }))[0] ?? '', /ALTNAME/);
    });

    it('says what is wrong in words', async () => {
      const wrong = { dn: `cn=admin,${SUFFIX}`, password: 'wrong' };
      assert.deepEqual(await test({ bind: wrong }), [
        'connect The server refuses to sign us in. The name or the password is wrong.',
        ...NOT_TRIED,
      ]);
      assert.match((await test({ url: 'ldaps://127.0.0.1:1' }))[0] ?? '', /cannot be reached/);
      assert.match(
        (await test({ url: slapd.url.replace('ldap:', 'ldaps:') }))[0] ?? '',
        /does not speak TLS|cannot be reached/,
      );
      const users = { base: `ou=Nobody,${SUFFIX}` };
      assert.match((await test({ users }))[1] ?? '', /does not have the base of the search of users/);
      assert.match((await test({ anchor: 'employeeNumber' }))[1] ?? '', /has no "employeeNumber"/);
    });

    it('must be encrypted, or said not to be', () => {
      assert.throws(() => kind.parseSettings(settingsFor(slapd, { url: slapd.url })), { reason: 'settings-invalid' });
      assert.throws(
        () => kind.parseSettings(settingsFor(slapd, { startTls: true, anchor: 'no name' })),
        (error: GatewayError) => /startTls/.test(error.message) && /anchor/.test(error.message),
      );
    });
  });

  it('is an incomplete read when the server is gone in the middle, and no anonymous one follows', async () => {
    const pages: Page[] = [];
    await assert.rejects(
      async () => {
        for await (const page of openLdap(settingsFor(slapd)).pages(new AbortController().signal)) {
          pages.push(page);
          if (pages.length > 1) continue;
          await slapd.kill();
          await slapd.start();
        }
      },
      (error) => error instanceof UpstreamError && error.failure === 'network',
    );
    assert.ok(pages.length > 0 && pages.every(({ type }) => type !== 'end'));
  });
});
