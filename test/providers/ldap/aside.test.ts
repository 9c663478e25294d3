// A name that leads to another server each time it is looked up, and what is asked beside a list of one of them.
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { after, before, beforeEach, describe, it, mock } from 'node:test';
import { connect, type SearchAsked } from '#providers/ldap/connection.ts';
import { parseSettings } from '#providers/ldap/settings.ts';
import { type Slapd, SUFFIX, slapdMissing, startSlapd } from '../../support/slapd.ts';
import { person, settingsFor } from './support.ts';

const { signal } = new AbortController();
const asked: SearchAsked = {
  ...{ base: `ou=People,${SUFFIX}`, scope: 'one', filter: '(uid=*)', attributes: ['uid'], doing: 'search of users' },
};

describe('a name that leads to several servers', { skip: slapdMissing }, () => {
  let slapd: Slapd;
  let lookups = 0;
  before(async () => {
    slapd = await startSlapd(['kim', 'lee', 'cho'].map((uid) => person(uid)).join('\n'));
    mock.method(dns, 'lookup', (_name: string, _options: object, done: (...answer: unknown[]) => void) => {
      lookups += 1;
      // Nobody listens at the second.
      done(null, [{ address: lookups === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }]);
    });
    syncBuiltinESMExports();
  });
  beforeEach(() => {
    lookups = 0;
  });
  after(async () => {
    mock.restoreAll();
    syncBuiltinESMExports();
    await slapd.close();
  });

  const settings = (way: string) =>
    parseSettings(
      settingsFor(slapd, {
        tls: { ca: slapd.ca, serverName: 'localhost' },
        url: (way === 'ldaps' ? slapd.secureUrl : slapd.url).replace('127.0.0.1', 'directory.test'),
        ...(way === 'startTls' ? { startTls: true } : { allowPlaintext: way === 'plain' }),
      }),
    );

  for (const way of ['ldaps', 'startTls', 'plain'])
    it(`is not looked up anew for a search within another one (${way})`, async () => {
      const connection = await connect(settings(way), signal);
      try {
        const within: string[] = [];
        let pages = 0;
        for await (const _page of connection.search(asked, signal)) {
          pages += 1;
          for await (const entries of connection.search(asked, signal)) within.push(...entries.map(({ dn }) => dn));
        }
        assert.equal(pages, 2);
        assert.equal(within.length, 6);
        assert.equal(lookups, 1);
        // To ask another server, too, is what this one is for.
        await assert.rejects(connection.searchAside(asked, signal).next(), { reason: 'unreachable' });
        assert.equal(lookups, 2);
      } finally {
        await connection.close();
      }
    });
});
