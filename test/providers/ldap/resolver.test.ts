// Names of groups that are nobody's who was found when the read began: some of somebody renamed since, most of nobody.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Connection, SearchAsked } from '#providers/ldap/connection.ts';
import { addNames, type Reading } from '#providers/ldap/everybody.ts';
import { makeNames } from '#providers/ldap/names.ts';
import { type Beyond, wholeResolver } from '#providers/ldap/resolver.ts';
import { planOf } from '#providers/ldap/settings.ts';
import { kind } from './support.ts';

const PEOPLE = 'ou=People,dc=example,dc=com';
const dn = (uid: string): string => `uid=${uid},${PEOPLE}`;
const entryOf = (name: string, id: string) => ({
  dn: name,
  attributes: [{ type: 'entryUUID', values: [Buffer.from(id)] }],
});

function resolverOf(beyond: Beyond) {
  const settings = kind.parseSettings({
    ...{ preset: 'openldap', url: 'ldaps://ldap.example.com', users: { base: PEOPLE }, groups: null },
  });
  const asked = { names: 0, lists: 0 };
  const connection = {
    async first({ base }: SearchAsked) {
      asked.names += 1;
      return base === dn('new') ? [entryOf(base, 'kim')] : [];
    },
    async *search() {
      asked.lists += 1;
      yield [entryOf(dn('new'), 'kim')];
    },
  } as unknown as Connection;
  const { signal } = new AbortController();
  const reading: Reading = { connection, settings, plan: planOf(settings), wanted: [], signal };
  const directory = { byDn: makeNames(), byUid: makeNames((uid) => uid) };
  for (const [name, id] of [
    ['kim', 'kim'],
    ['lee', 'lee'],
  ] as const)
    addNames(directory, entryOf(dn(name), id), { plan: reading.plan, type: 'User' });
  return { resolver: wholeResolver(directory, reading, beyond), asked };
}

const computers = Array.from({ length: 1_200 }, (_, index) => dn(`pc${index}`));

it('looks up some of the names of a first reading, and leaves the rest unknown', async () => {
  const { resolver, asked } = resolverOf('unknown');
  const some = await resolver.dns([dn('lee'), dn('new'), '', ...computers.slice(0, 300)]);
  assert.deepEqual([some.find(dn('lee'))?.externalId, some.find(dn('new'))?.externalId], ['lee', 'kim']);
  assert.deepEqual([some.find(''), some.find(dn('pc1'))], [undefined, undefined]);
  const all = await resolver.dns([dn('lee'), dn('new'), ...computers]);
  assert.deepEqual([all.find(dn('lee'))?.externalId, all.find(dn('new'))?.externalId], ['lee', 'kim']);
  assert.equal((await resolver.dns(computers)).find(dn('pc7')), undefined);
  assert.deepEqual(asked, { names: 500, lists: 0 });
});

it('leaves none of them unknown in a second one, and reads all names once', async () => {
  const { resolver, asked } = resolverOf('everybody');
  for (const names of [[...computers, dn('new')], [dn('new')]])
    assert.equal((await resolver.dns(names)).find(dn('new'))?.externalId, 'kim');
  assert.deepEqual(asked, { names: 0, lists: 1 });
});
