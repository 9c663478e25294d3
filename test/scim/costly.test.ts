import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { it } from 'node:test';
import { eachDatabase } from '../support/database.ts';
import { startScim } from '../support/scim.ts';

eachDatabase('costly lists', (open, kind) => {
  if (kind === 'postgres')
    it('are not read any more for those who left before it was their turn', async (context) => {
      const database = await open({ poolMax: 6 });
      const scim = await startScim(database);
      context.after(() => scim.close());
      let begun = 0;
      let onBegun = (): void => undefined;
      database.knex.on('query', ({ sql }: { readonly sql: string }) => {
        if (!sql.startsWith('set local statement_timeout')) return;
        begun += 1;
        onBegun();
      });
      const leave = new AbortController();
      const ask = (signal?: AbortSignal) =>
        fetch(`${scim.base}/Users?filter=${encodeURIComponent('title co "x"')}`, {
          headers: { authorization: `Bearer ${scim.reader}` },
          ...(signal && { signal }),
        }).then(({ status }) => status);
      assert.equal(await ask(), 200);
      begun = 0;

      let stay: readonly Promise<number>[] = [];
      await database.knex.transaction(async (tx) => {
        await tx.raw('lock table resources in access exclusive mode');
        const three = new Promise<void>((resolve) => {
          onBegun = () => begun === 3 && resolve();
        });
        stay = [ask(), ask(), ask()];
        await three;
        const closed = closedAtServer(2);
        const leaving = [ask(leave.signal), ask(leave.signal)].map((one) => assert.rejects(one));
        await closed.arrived;
        leave.abort();
        await Promise.all([...leaving, closed.ended()]);
      });
      assert.deepEqual(await Promise.all([...stay, ask()]), [200, 200, 200, 200]);
      assert.equal(begun, 4);
    });
});

/** The next so many requests that reach a server of this process, and the ends of their connections. */
function closedAtServer(count: number): { readonly arrived: Promise<void>; ended(): Promise<unknown> } {
  const ends: Promise<unknown>[] = [];
  const arrived = new Promise<void>((resolve) => {
    const note = (message: unknown): void => {
      const { response } = message as { readonly request: IncomingMessage; readonly response: ServerResponse };
      ends.push(once(response, 'close'));
      if (ends.length < count) return;
      unsubscribe('http.server.request.start', note);
      resolve();
    };
    subscribe('http.server.request.start', note);
  });
  return { arrived, ended: () => Promise.all(ends) };
}
