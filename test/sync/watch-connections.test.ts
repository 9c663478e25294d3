import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ConnectionFacts } from '#core/connect.ts';
import type { ProviderKind } from '#core/provider.ts';
import { systemClock } from '#platform/clock.ts';
import { makeLog } from '#platform/log.ts';
import { makeSeal } from '#platform/seal.ts';
import { sql } from '#store/database.ts';
import { readConnection } from '#store/source/connections.ts';
import { saveProvider } from '#store/source/settings.ts';
import { makeConnectionWatch } from '#sync/watch/watch-connections.ts';
import { eachDatabase } from '../support/database.ts';

const seal = makeSeal(Buffer.alloc(32, 4).toString('base64'));
const factsOf = (name: string) =>
  ({ name, credential: { kind: 'clientSecret', expiresAt: null } }) as unknown as ConnectionFacts;

eachDatabase('a look at the source', (open) => {
  it('is not kept by a process that was paused in it while another one looked', async () => {
    const database = await open();
    const db = database.knex;
    const settings = { kind: 'microsoft365', settings: {}, secrets: seal.seal('{}'), changed: true } as const;
    await saveProvider(db, settings);
    const watchWith = (facts: () => Promise<ConnectionFacts>) => {
      const kind = {
        kind: 'microsoft365',
        parseSettings: (given: unknown) => given,
        secretPaths: [],
        connect: { facts },
      };
      const kinds = new Map([['microsoft365', kind as unknown as ProviderKind]] as const);
      return makeConnectionWatch({ database, kinds, seal, clock: systemClock, log: makeLog('silent') });
    };
    const other = watchWith(async () => factsOf('newer'));
    const paused = watchWith(async () => {
      await sql(
        db,
        `update leases set expires_at = clock_timestamp() - interval '1 second' where name = 'connections'`,
      );
      await other.tick();
      return factsOf('older');
    });
    await paused.tick();
    assert.equal((await readConnection(db, 'microsoft365'))?.facts?.name, 'newer');
  });
});
