// What is made of answers that a server of the tests does not give: several databases, several domains.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Checkpoint } from '#core/pages.ts';
import { changesOf, latestMark } from '#providers/ldap/changes.ts';
import type { Connection, RawEntry, SearchAsked } from '#providers/ldap/connection.ts';
import type { Reading } from '#providers/ldap/everybody.ts';
import { explainResult } from '#providers/ldap/failures.ts';
import { lazyResolver } from '#providers/ldap/resolver.ts';
import { planOf } from '#providers/ldap/settings.ts';
import { kind } from './support.ts';

const { signal } = new AbortController();
const PEOPLE = 'ou=People,dc=example,dc=com';

function reading(first: (asked: SearchAsked) => RawEntry | undefined, settings: object = {}): Reading {
  const parsed = kind.parseSettings({
    ...{ preset: 'openldap', url: 'ldaps://ldap.example.com', users: { base: PEOPLE } },
    ...settings,
  });
  const connection = {
    first: async (asked: SearchAsked) => [first(asked) ?? []].flat(),
    async *search() {
      yield [entry(PEOPLE, { modifyTimestamp: ['20261127120000Z'] })];
    },
  };
  return {
    connection: connection as unknown as Connection,
    settings: parsed,
    plan: planOf(parsed),
    wanted: [],
    signal,
  };
}

function entry(dn: string, attributes: Record<string, readonly string[]>): RawEntry {
  const named = Object.entries(attributes);
  return {
    dn,
    attributes: named.map(([type, values]) => ({ type, values: values.map((value) => Buffer.from(value)) })),
  };
}

const csn = (time: string): string => `${time}.000000Z#000000#000#000000`;

it('takes the time of the last change from the databases that hold the bases, whichever a server names first', async () => {
  const of: Record<string, readonly string[]> = {
    'cn=accesslog': [csn('20200101000000')],
    'dc=example,dc=com': [csn('20261127110000'), csn('20261127100500')],
    'dc=groups': [csn('20261127090500')],
  };
  const first = ({ base }: SearchAsked): RawEntry =>
    base === '' ? entry('', { namingContexts: Object.keys(of) }) : entry(base, { contextCSN: of[base] ?? [] });
  assert.equal((await latestMark(reading(first)))?.from, '20261127100000Z');
  const groups = { groups: { base: 'OU=Groups, DC=groups' } };
  const mark = await latestMark(reading(first, groups));
  // A release that knows one time reads the earliest.
  assert.equal(mark?.from, '20261127090000Z');
  assert.deepEqual(mark.since, { User: '20261127100000Z', Group: '20261127090000Z' });
  // Where one keeps none, the entries say.
  of['dc=groups'] = [];
  assert.equal((await latestMark(reading(first, groups)))?.from, '20261127115500Z');
});

it('reads what changed in the database of users, and in that of groups, from a time of its own', async () => {
  const asked: string[] = [];
  const of: Record<string, readonly string[]> = {
    'dc=com': [csn('20150101000000')],
    'dc=example,dc=com': [csn('20261127110000')],
    'dc=groups': [csn('20251127090500')],
  };
  const first = ({ base }: SearchAsked): RawEntry =>
    base === '' ? entry('', { namingContexts: Object.keys(of) }) : entry(base, { contextCSN: of[base] ?? [] });
  const given = reading(first, { groups: { base: 'ou=Groups,dc=groups' } });
  const connection = {
    first: given.connection.first,
    async *search({ doing, filter }: SearchAsked) {
      asked.push(`${doing} ${/modifyTimestamp>=(\w+)/.exec(filter)?.[1]}`);
      yield [];
    },
  } as unknown as Connection;
  const readFrom = async (mark: object) => {
    asked.length = 0;
    const changes = changesOf((_signal, work) => work({ ...given, connection }));
    const pages = changes.pages(
      JSON.stringify({ by: 'time', server: given.settings.url, ...mark }) as Checkpoint,
      signal,
    );
    let next: string | undefined;
    for await (const page of pages) if (page.type === 'end') next = page.checkpoint;
    return { asked: [...new Set(asked)], next: JSON.parse(next ?? '') as object };
  };
  const [User, Group] = ['20261127105500Z', '20251127090000Z'];
  const next = { by: 'time', server: given.settings.url, from: Group, since: { User, Group } };
  assert.deepEqual(await readFrom({ from: Group, since: { User, Group } }), {
    asked: [`search of users ${User}`, `search of groups ${Group}`],
    next,
  });
  // That of a release that knew one time.
  assert.deepEqual(await readFrom({ from: Group }), {
    asked: [`search of users ${Group}`, `search of groups ${Group}`],
    next,
  });
});

it('reads from the last known change of those servers that have taken writes since, of several that may', async () => {
  const asked: string[] = [];
  const csns: Record<string, string> = {};
  const first = ({ base }: SearchAsked): RawEntry =>
    base === ''
      ? entry('', { namingContexts: ['dc=example,dc=com'] })
      : entry(base, {
          contextCSN: Object.entries(csns).map(([server, time]) => `${time}.000000Z#000000#${server}#000000`),
        });
  const given = reading(first, { groups: { base: 'ou=Groups,dc=example,dc=com' } });
  const connection = {
    first: given.connection.first,
    async *search({ filter }: SearchAsked) {
      asked.push(/modifyTimestamp>=(\w+)/.exec(filter)?.[1] ?? '');
      yield [];
    },
  } as unknown as Connection;
  let checkpoint = '';
  /** Times that are read from once these servers have written. */
  const readAfter = async (writes: Record<string, string>) => {
    Object.assign(csns, writes);
    asked.length = 0;
    const changes = changesOf((_signal, work) => work({ ...given, connection }));
    for await (const page of changes.pages(checkpoint as Checkpoint, signal))
      if (page.type === 'end') checkpoint = page.checkpoint;
    return [...new Set(asked)];
  };
  // The first was filled in 2020, and the second is a standby.
  Object.assign(csns, { '000': '20200101000000', '001': '20261127100500', '002': '20251127100500' });
  checkpoint = JSON.stringify(await latestMark(given));
  assert.deepEqual(await readAfter({}), ['20261127100000Z']);
  assert.deepEqual(await readAfter({ '001': '20261127110500' }), ['20261127100000Z']);
  assert.deepEqual(await readAfter({ '001': '20261127120500' }), ['20261127110000Z']);
  // What the standby wrote while it was cut off comes late, with times since its last change.
  assert.deepEqual(await readAfter({ '001': '20261127130500', '002': '20261127121500' }), ['20251127100000Z']);
  assert.deepEqual(await readAfter({ '002': '20261127123500' }), ['20261127121000Z']);
  // Of another nothing is known yet.
  assert.deepEqual(await readAfter({ '003': '20261127124500' }), ['20191231235500Z']);
  assert.deepEqual(await readAfter({ '003': '20261127125500' }), ['20261127124000Z']);
});

it('takes a name for nobody of ours that lies in another domain, or that nobody may see', async () => {
  for (const code of [10, 32, 34, 50]) {
    const resolver = lazyResolver(
      reading(() => {
        throw explainResult(code, '', 'search of users');
      }),
    );
    const names = await resolver.dns([`uid=kim,${PEOPLE}`, 'uid=kim,dc=elsewhere']);
    assert.equal(names.find(`uid=kim,${PEOPLE}`), undefined);
  }
  const failing = lazyResolver(
    reading(() => {
      throw explainResult(51, '', 'search of users');
    }),
  );
  await assert.rejects(failing.dns([`uid=kim,${PEOPLE}`]), { reason: 'server-busy' });
});
