// What Active Directory does in its own way, on entries as it sends them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RawEntry, SearchAsked } from '#providers/ldap/connection.ts';
import { dnKey } from '#providers/ldap/dn.ts';
import { memberNames } from '#providers/ldap/members.ts';
import { readUsers } from '#providers/ldap/read.ts';
import { addressesOf, anchorOf, isEnabled, type LdapRecord, recordOf } from '#providers/ldap/records.ts';
import { planOf } from '#providers/ldap/settings.ts';
import { kind, openLdap } from './support.ts';

const entry = (attributes: Record<string, readonly (string | Buffer)[]>): RawEntry => ({
  dn: 'CN=Kim,DC=example,DC=com',
  attributes: Object.entries(attributes).map(([type, values]) => ({
    type,
    values: values.map((value) => Buffer.from(value as string)),
  })),
});
const record = (attributes: Record<string, string | readonly string[]>): LdapRecord => ({
  externalId: 'x',
  dn: 'CN=Kim,DC=example,DC=com',
  attributes,
});

it('writes a GUID as Microsoft does, whatever the case of its attribute', () => {
  const bytes = Buffer.from('33221100554477668899aabbccddeeff', 'hex');
  assert.equal(anchorOf(entry({ objectguid: [bytes] }), 'objectGUID'), '00112233-4455-6677-8899-aabbccddeeff');
  assert.equal(anchorOf(entry({ entryUUID: ['abc'] }), 'entryUUID'), 'abc');
  assert.equal(anchorOf(entry({ objectSid: [Buffer.from([1, 0, 0xff])] }), 'objectSid'), '0100ff');
  assert.equal(anchorOf(entry({}), 'objectGUID'), undefined);
});

it('takes an account for active by its control flags, or by a lock for ever', () => {
  for (const [attributes, enabled] of [
    [{ userAccountControl: '512' }, true],
    [{ userAccountControl: '514' }, false],
    [{ userAccountControl: '66050' }, false],
    [{ pwdAccountLockedTime: '000001010000Z' }, false],
    [{ pwdAccountLockedTime: '20260101000000Z' }, true],
    [{ nsAccountLock: 'TRUE' }, false],
    [{ nsAccountLock: 'true', pwdAccountLockedTime: '20260101000000Z' }, false],
    [{ nsAccountLock: 'false' }, true],
    [{ nsAccountLock: 'false', pwdAccountLockedTime: '000001010000Z' }, false],
    [{}, undefined],
  ] as const)
    assert.equal(isEnabled(record(attributes)), enabled);
});

it('has one primary address, and aliases that are mail', () => {
  const proxyAddresses = ['smtp:alias@example.com', 'SMTP:Kim@example.com', 'X500:/o=Example', 'SIP:kim@example.com'];
  assert.deepEqual(addressesOf(record({ mail: 'kim@example.com', proxyAddresses })), [
    { value: 'Kim@example.com', type: 'work', primary: true },
    { value: 'alias@example.com', type: 'other' },
  ]);
});

it('maps a user of Active Directory', () => {
  const provider = openLdap({
    preset: 'activeDirectory',
    url: 'ldaps://dc.example.com',
    users: { base: 'dc=example,dc=com' },
  });
  const attributes = { userPrincipalName: ['kim@example.com'], userAccountControl: ['514'], department: ['Sales'] };
  const result = provider.normalise(recordOf(entry(attributes), 'id', Object.keys(attributes)), 'User');
  assert.ok('resource' in result && 'userName' in result.resource);
  assert.deepEqual([result.resource.userName, result.resource.active], ['kim@example.com', false]);
  assert.match(provider.asks ?? '', /objectGUID.*userAccountControl/);
  const asked = (changes: object) =>
    openLdap({
      ...{ preset: 'activeDirectory', url: 'ldaps://dc.example.com', users: { base: 'dc=example,dc=com' } },
      ...changes,
    }).asks;
  assert.equal(asked({ limits: { pageSize: 7 }, scope: { filter: 'enabled eq true' } }), provider.asks);
  for (const other of [
    { users: { base: 'ou=x,dc=example,dc=com' } },
    { users: { base: 'dc=example,dc=com', scope: 'one' } },
    { users: { base: 'dc=example,dc=com', filter: '(mail=*)' } },
    { groups: { base: 'dc=example,dc=com' } },
    { memberAttribute: 'memberUid' },
  ])
    assert.notEqual(asked(other), provider.asks);
  assert.deepEqual(kind.secretPaths, ['bind.password']);
  assert.deepEqual(
    ['', 'enabled eq true'].map((filter) => {
      const users = { base: 'dc=example,dc=com' };
      return kind.scopeOf?.(
        kind.parseSettings({ preset: 'activeDirectory', url: 'ldaps://dc', users, scope: { filter } }),
      );
    }),
    ['', 'enabled eq true'],
  );
});

it('reads the values of a user that come in ranges to the last one: by them somebody may be in scope', async () => {
  const groups = Array.from({ length: 4 }, (_, index) => `cn=g${index}`);
  const part = (from: number) =>
    entry({
      cn: ['Kim'],
      memberOf: [],
      [`memberOf;range=${from}-${from === 0 ? '1' : '*'}`]: groups.slice(from, from + 2),
    });
  const settings = kind.parseSettings({
    ...{ preset: 'activeDirectory', url: 'ldaps://dc.example.com', users: { base: 'dc=example,dc=com' }, anchor: 'cn' },
  });
  const connection = {
    async *search() {
      yield [part(0)];
    },
    first: async ({ attributes }: SearchAsked) => (attributes[0] === 'memberOf;range=2-*' ? [part(2)] : []),
  };
  const names = { find: () => undefined };
  const resolver = { dns: async () => names, uids: async () => names, isPartial: () => false, isVanished: () => false };
  const reading = { settings, plan: planOf(settings), wanted: ['memberOf'], signal: new AbortController().signal };
  const found: unknown[] = [];
  for await (const { records } of readUsers({ ...reading, connection: connection as never }, resolver))
    found.push(...records.map(({ attributes }) => attributes['memberOf']));
  assert.deepEqual(found, [groups]);
});

describe('a group that comes in ranges', () => {
  const server = (total: number, at: number, shorten = 0) => {
    const names = Array.from({ length: total }, (_, index) => `cn=u${index}`);
    const answer = (from: number): RawEntry => {
      const part = names.slice(from, from + at - shorten);
      const last = from + part.length >= total ? '*' : String(from + part.length - 1);
      return entry({ member: [], [`member;range=${from}-${last}`]: part });
    };
    const asked: string[] = [];
    const first = async ({ attributes }: SearchAsked): Promise<readonly RawEntry[]> => {
      asked.push(...attributes);
      return [answer(Number(/range=(\d+)/.exec(attributes[0] ?? '')?.[1]))];
    };
    return { answer, first, asked, names };
  };
  const read = async (first: (asked: SearchAsked) => Promise<readonly RawEntry[]>, group: RawEntry) => {
    const found: string[] = [];
    for await (const names of memberNames({ first }, group, 'member', new AbortController().signal))
      found.push(...names);
    return found;
  };

  it('is read to the last one', async () => {
    const { answer, first, asked, names } = server(4000, 1500);
    assert.deepEqual(await read(first, answer(0)), names);
    assert.deepEqual(asked, ['member;range=1500-*', 'member;range=3000-*']);
  });

  it('and is incomplete where the server does not go on', async () => {
    const { answer } = server(4000, 1500);
    for (const lost of [[], [entry({ member: [] })], [answer(0)]])
      await assert.rejects(
        read(async () => lost, answer(0)),
        { reason: 'members-incomplete' },
      );
  });
});

describe('the key of a name', () => {
  it('is one for all its spellings', () => {
    const same = [
      'CN=Kim\\, A,OU=People,DC=example,DC=com',
      'cn=kim\\2C a, ou=people , dc=Example,dc=com',
      'cn="Kim, A",ou=People,dc=example,dc=com',
      'cn=Kim\\2c  A;ou=People;dc=example;dc=com',
    ].map(dnKey);
    assert.equal(new Set(same).size, 1);
    assert.equal(dnKey('uid=1+cn=a,dc=x'), dnKey('CN=A+UID=1,DC=X'));
    assert.equal(dnKey('cn=\\ea\\b9\\80,dc=x'), dnKey('cn=김,dc=x'));
    for (const none of ['kim', 'cn=a,,dc=x', '=a', 'cn="a']) assert.equal(dnKey(none), undefined);
  });

  it('is another for every other value', () => {
    const inHex = (text: string) =>
      [...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
        const folded = (text: string) => text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim();
        const isSame = dnKey(`cn=${inHex(one)},dc=x`) === dnKey(`cn=${inHex(other)},dc=x`);
        assert.equal(isSame, folded(one) === folded(other));
      }),
    );
  });
});
