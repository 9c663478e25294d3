// A server that reads everything, and does not answer when it is asked for single entries.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Connection, SearchAsked } from '#providers/ldap/connection.ts';
import type { Reading } from '#providers/ldap/everybody.ts';
import { connectionLost, explainResult } from '#providers/ldap/failures.ts';
import { secondLook } from '#providers/ldap/second-look.ts';
import { planOf } from '#providers/ldap/settings.ts';
import { kind, uuidOf } from './support.ts';

const { signal } = new AbortController();
const noNames = { find: () => undefined };
const resolver = {
  dns: async () => noNames,
  uids: async () => noNames,
  isPartial: () => false,
  isVanished: () => false,
};
const late = (doing: string) => connectionLost('ldap.example.com', doing, '', new Error('request timed out'));

function lookAt(failure: Error, isPartial = false) {
  const settings = kind.parseSettings({
    ...{ preset: 'openldap', url: 'ldaps://ldap.example.com' },
    ...{ users: { base: 'ou=People,dc=example' }, groups: { base: 'ou=Groups,dc=example' } },
  });
  const asked: string[] = [];
  // biome-ignore lint/correctness/useYield: it fails before
  const failing = async function* ({ filter }: SearchAsked) {
    asked.push(filter);
    throw failure;
  };
  const connection = { search: failing, searchAside: failing } as unknown as Connection;
  const reading: Reading = { connection, settings, plan: planOf(settings), wanted: [], signal };
  const look = secondLook(() => ({ reading, resolver, first: { isPartial: () => isPartial } }));
  const isThere = () => look.isThere('User', [uuidOf(1)], signal);
  const members = async (): Promise<number> => {
    let pages = 0;
    for await (const _page of look.members([uuidOf(11)], signal)) pages += 1;
    return pages;
  };
  return { isThere, members, asked };
}

describe('a server that does not answer a second look', () => {
  it('says nothing where it refuses the search, or limits it: what was read counts', async () => {
    for (const code of [3, 4, 11, 50, 53]) {
      const { isThere, members, asked } = lookAt(explainResult(code, '', 'search of groups'));
      assert.equal((await isThere()).size, 0);
      assert.equal(await members(), 0);
      assert.equal(asked.length, 2);
    }
  });

  it('says nothing where it takes too long, and is not asked again in this read', async () => {
    const first = lookAt(late('search of users'));
    assert.equal((await first.isThere()).size, 0);
    assert.equal((await first.isThere()).size, 0);
    assert.equal(await first.members(), 0);
    assert.equal(first.asked.length, 1);
    const second = lookAt(late('search of groups'));
    assert.equal(await second.members(), 0);
    assert.equal(second.asked.length, 1);
  });

  it('ends a read that has left names unknown: what was read does not count then', async () => {
    for (const failure of [explainResult(51, '', 'search of groups'), late('search of groups')]) {
      const { isThere, members, asked } = lookAt(failure, true);
      await isThere();
      await assert.rejects(members(), failure);
      assert.equal(asked.length, 2);
    }
  });

  it('ends the read where it is gone, which proves nothing', async () => {
    for (const failure of [connectionLost('ldap.example.com', 'search of users'), late('sign in'), late('start TLS')]) {
      const { isThere, members } = lookAt(failure);
      await assert.rejects(isThere(), failure);
      await assert.rejects(members(), failure);
    }
  });
});
