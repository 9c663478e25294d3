// Accounts of Active Directory that show no more who is disabled: some of them, or too many.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReadMemory } from '#core/pages.ts';
import type { Connection, RawEntry, SearchAsked } from '#providers/ldap/connection.ts';
import type { Reading } from '#providers/ldap/everybody.ts';
import { readUsers } from '#providers/ldap/read.ts';
import { type LdapRecord, valuesOf } from '#providers/ldap/records.ts';
import { planOf } from '#providers/ldap/settings.ts';
import { kind } from './support.ts';

const PAGE = 100;
const DISABLED = '514';
const nobody = async function* () {};
const noNames = { find: () => undefined };
const resolver = {
  dns: async () => noNames,
  uids: async () => noNames,
  isPartial: () => false,
  isVanished: () => false,
};

interface People {
  /** Of whom the state was known, and is hidden now. */
  readonly lost: number;
  readonly shown: number;
  /** Who never showed it. */
  readonly always?: number;
  /** Who shows it to whoever looks for such accounts, and has not changed. */
  readonly others?: number;
}

function some(count: number, name: string, state: readonly string[]): RawEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    dn: `cn=${name}${index},dc=example,dc=com`,
    attributes: [
      { type: 'cn', values: [Buffer.from(`${name}${index}`)] },
      ...state.map((value) => ({ type: 'userAccountControl', values: [Buffer.from(value)] })),
    ],
  }));
}

function entriesOf({ lost, shown, always = 0 }: People): readonly RawEntry[] {
  return [...some(lost, 'lost', []), ...some(always, 'always', []), ...some(shown, 'shown', ['512'])];
}

/** @param extra what a read of changes asks beside */
async function read(people: People, extra = '') {
  const settings = kind.parseSettings({
    ...{ preset: 'activeDirectory', url: 'ldaps://dc.example.com', users: { base: 'dc=example,dc=com' }, anchor: 'cn' },
  });
  const entries = entriesOf(people);
  const connection = {
    async *search(_asked: SearchAsked) {
      for (let start = 0; start < entries.length; start += PAGE) yield entries.slice(start, start + PAGE);
    },
    async first({ filter, sizeLimit }: SearchAsked) {
      assert.match(filter, /^\(&.+\(userAccountControl=\*\)\)$/);
      return some(people.others ?? 0, 'other', ['512']).slice(0, sizeLimit);
    },
  };
  const stateOf = (id: string): object => (id.startsWith('always') ? {} : { userAccountControl: DISABLED });
  const memory: ReadMemory = {
    known: async (_type, ids) => new Map(ids.map((id) => [id, { externalId: id, dn: id, attributes: stateOf(id) }])),
    settled: async () => new Set(),
    ...{ served: nobody, restorable: nobody },
  };
  const traced: [string, unknown][] = [];
  const reading: Reading = {
    connection: connection as unknown as Connection,
    ...{ settings, plan: planOf(settings), wanted: ['cn', 'userAccountControl'], memory },
    trace: (event, facts) => void traced.push([event, facts]),
    signal: new AbortController().signal,
  };
  const states = new Map<string, string | undefined>();
  for await (const page of readUsers(reading, resolver, extra))
    for (const record of page.records as LdapRecord[])
      states.set(record.externalId, valuesOf(record, 'userAccountControl')[0]);
  return { states, traced };
}

const HIDDEN = { reason: 'account-state-hidden', code: 'ERR_CONFIG' };

describe('an account that does not show its state any more', () => {
  it('keeps that of the last read, and the read goes on', async () => {
    const { states, traced } = await read({ lost: 1, shown: 2, always: 1 });
    assert.deepEqual(Object.fromEntries(states), { lost0: DISABLED, always0: undefined, shown0: '512', shown1: '512' });
    assert.deepEqual(traced, [['ldap account state kept', { count: 1, example: 'lost0' }]]);
  });

  it('does so with others, where they are few of all', async () => {
    for (const people of [
      { lost: 5, shown: 5 },
      { lost: 50, shown: 950 },
    ])
      assert.equal((await read(people)).states.get('lost4'), DISABLED);
  });

  it('keeps it in a read of changes that has nobody else, where others are seen who have not changed', async () => {
    const people = { lost: 50, shown: 0, others: 1_000 };
    assert.equal((await read(people, '(uSNChanged>=7)')).states.get('lost49'), DISABLED);
  });

  it('ends a read of changes that has nobody else, where nobody is seen but the account that reads', async () => {
    for (const others of [0, 1]) await assert.rejects(read({ lost: 1, shown: 0, others }, '(uSNChanged>=7)'), HIDDEN);
    for (const people of [
      { lost: 0, shown: 0, always: 3 },
      { lost: 1, shown: 1 },
    ])
      assert.equal((await read(people, '(uSNChanged>=7)')).traced.length, people.lost);
  });

  it('ends the read where they are many, or all of a whole read', async () => {
    for (const people of [
      { lost: 1, shown: 0 },
      { lost: 6, shown: 113 },
      { lost: 51, shown: 9_000 },
    ])
      await assert.rejects(read(people), HIDDEN);
    await assert.rejects(read({ lost: 51, shown: 0 }, '(uSNChanged>=7)'), HIDDEN);
  });
});
