import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { before, describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { UnavailableError } from '#core/errors.ts';
import { makeLog, tapLog } from '#platform/log.ts';
import { type Costly, queryBounded } from '#store/bounded.ts';
import { type Database, openDatabase, sql } from '#store/database.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { countInScope } from '#store/target/deliveries.ts';
import { makeCertificate } from '../support/certificate.ts';
import { eachDatabase } from '../support/database.ts';

const FILTER: Costly = { reader: 'a', by: 'filter' };

eachDatabase('database', (open, kind) => {
  let database: Database;
  before(async () => {
    database = await open();
  });
  it('answers', async () => {
    const { rows } = await database.query({ text: 'select 1::int8 as n' });
    assert.deepEqual(rows, [{ n: '1' }]);
  });

  it('answers texts in the order of the columns, prepared or not, and goes on after a statement that failed', async () => {
    const text = 'select 1 / length($1::text), null, ($2::text[])[1], $3::int8';
    for (const hot of [{ text }, { text, name: 'hot' }, { text, name: 'hot' }]) {
      await assert.rejects(database.ask({ ...hot, values: ['', [], 7] }), { code: '22012' });
      const rows = await database.ask({ ...hot, values: ['a', ['b "c" \\'], 7] });
      assert.deepEqual(rows, [['1', null, 'b "c" \\', '7']]);
    }
    await assert.rejects(database.ask({ text: 'select nothing', name: 'wrong' }), { code: '42703' });
    assert.deepEqual(await database.ask({ text: 'select 1 where false' }), []);
  });

  if (kind === 'postgres')
    it('interrupts a read that takes too long', async () => {
      await assert.rejects(queryBounded(database, { text: 'select pg_sleep(600)' }, FILTER, 50), {
        reason: 'too-costly',
        scimType: 'tooMany',
      });
      await assert.rejects(queryBounded(database, { text: 'select pg_sleep(600)' }, { ...FILTER, by: 'order' }, 50), {
        reason: 'order-too-costly',
        scimType: 'tooMany',
      });
      assert.equal((await queryBounded(database, { text: 'select 1' }, FILTER, 5_000)).rowCount, 1);
    });

  if (kind === 'postgres')
    it('lets nobody have more than a few costly reads at a time, and others go on meanwhile', async () => {
      const small = await open({ poolMax: 6 });
      const locked = 'select 1 from resources';
      let costly: readonly Promise<unknown>[] = [];
      await small.knex.transaction(async (tx) => {
        await tx.raw('lock table resources in access exclusive mode');
        costly = Array.from({ length: 12 }, () => queryBounded(small, { text: locked }, FILTER, 60_000));
        // Without turns they would have every connection.
        assert.equal((await small.query({ text: 'select 1' })).rowCount, 1);
        assert.equal((await queryBounded(small, { text: 'select 1' }, { ...FILTER, reader: 'b' })).rowCount, 1);
      });
      assert.equal((await Promise.all(costly)).length, 12);
      // What a transaction had is given back a moment after it has ended.
      while (small.pool().used > 0) await setImmediate();
    });

  if (kind === 'postgres')
    it('leaves connections to everybody else, however many ask for costly reads, and lets so many of one wait', async () => {
      const small = await open({ poolMax: 6 });
      const locked = { text: 'select 1 from resources' };
      let costly: readonly Promise<unknown>[] = [];
      await small.knex.transaction(async (tx) => {
        await tx.raw('lock table resources in access exclusive mode');
        costly = ['a', 'b', 'c'].flatMap((reader) =>
          Array.from({ length: 3 }, () => queryBounded(small, locked, { ...FILTER, reader }, 60_000)),
        );
        assert.equal((await small.query({ text: 'select 1' })).rowCount, 1);
        const more = Array.from({ length: 20 }, () => queryBounded(small, locked, FILTER, 60_000));
        costly = [...costly, ...more];
        await assert.rejects(queryBounded(small, locked, FILTER), { reason: 'too-many-reads', retryAfterMs: 20_000 });
      });
      assert.equal((await Promise.all(costly)).length, 29);
      while (small.pool().used > 0) await setImmediate();
    });

  if (kind === 'postgres')
    it('is too slow where its own limit interrupts a statement', async () => {
      await assert.rejects(
        database.knex.transaction(async (tx) => {
          await tx.raw('set local statement_timeout = 20');
          await tx.raw('select pg_sleep(600)');
        }),
        (error) => {
          const known = translateDatabaseError(error);
          return known instanceof UnavailableError && known.reason === 'database-too-slow';
        },
      );
    });

  if (kind === 'postgres')
    it('interrupts the count of a scope, which anybody may have written, as any other filter', async () => {
      await database.knex.transaction(async (tx) => {
        await tx.raw('lock table resources in access exclusive mode');
        await assert.rejects(
          countInScope(database, () => undefined, { reader: 'me' }, 50),
          { reason: 'too-costly' },
        );
      });
      assert.deepEqual(await countInScope(database, () => undefined, { reader: 'me' }), { users: 0, groups: 0 });
    });

  if (kind === 'postgres')
    it('interrupts the count of a scope whose reader has left, and nothing after it on that connection', async () => {
      const leave = new AbortController();
      const asker = { reader: 'me', left: leave.signal };
      await database.knex.transaction(async (tx) => {
        await tx.raw('lock table resources in access exclusive mode');
        const left = assert.rejects(
          countInScope(database, () => undefined, asker, 86_400_000),
          { name: 'AbortError' },
        );
        const isWaiting = async (): Promise<boolean> => {
          const { rows } = await sql(
            tx,
            `select 1 from pg_locks where relation = 'resources'::regclass and not granted`,
          );
          return rows.length > 0;
        };
        while (!(await isWaiting()));
        leave.abort();
        await left;
        await assert.rejects(
          countInScope(database, () => undefined, asker),
          { name: 'AbortError' },
        );
      });
      assert.deepEqual(await countInScope(database, () => undefined, { reader: 'me' }), { users: 0, groups: 0 });
    });

  it('says in the log what it refused, and nothing of the row', async () => {
    const lines: string[] = [];
    const log = tapLog(makeLog('silent'), { level: 'error', mask: (line) => line, take: (line) => lines.push(line) });
    for (const second of ['Canary Person', null]) {
      const refused = database.knex.transaction(async (tx) => {
        await tx.raw('create temporary table people (name text primary key) on commit drop');
        for (const name of ['Canary Person', second]) await sql(tx, 'insert into people values (?)', [name]);
      });
      await refused.catch((error: unknown) => {
        log.error({ err: error }, 'refused');
        log.error({ err: new AggregateError([error]) }, 'refused');
      });
    }
    // A question mark of PostgreSQL's own, which is no place for a value.
    const divided = sql(database.knex, `select ?::jsonb \\? 'a', 1 / 0`, ['"Canary Person"']);
    await divided.catch((error: unknown) => log.error({ err: error }, 'refused'));
    assert.equal(lines.length, 5);
    assert.match(lines.join(), /duplicate key.*not-null constraint.*division by zero/s);
    assert.doesNotMatch(lines.join(), /Canary/);
  });

  it('names a text that it cannot store', async () => {
    for (const [text, value] of [
      ['select $1::text', '\u0000'],
      ['select $1::jsonb', '"\\u0000"'],
      ['select $1::jsonb', '"\\ud800"'],
      ['select $1::jsonb', '"\\udc00"'],
    ] as const) {
      const error = await database.query({ text, values: [value] }).catch(translateDatabaseError);
      assert.equal((error as { reason?: string }).reason, 'character-refused', `${text} ${value}`);
    }
  });
});

/** Takes the request for TLS that a client of PostgreSQL begins with; answers the URL of the server. */
async function serverOf(context: TestContext, answer: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return `postgres://sluice@127.0.0.1:${(server.address() as AddressInfo).port}/sluice?sslmode=verify-full`;
}

describe('a server of whom TLS is asked', () => {
  const refused = (why: RegExp) => (error: Error & { reason?: string; remedy?: string }) =>
    error.reason === 'database-refused' && why.test(error.message) && /sslmode/.test(error.remedy ?? '');

  it('is refused at once when it does not speak it', async (context) => {
    const url = await serverOf(context, (socket) => socket.end('N'));
    await assert.rejects(openDatabase({ databaseUrl: url }), refused(/does not support SSL/));
  });

  it('is refused at once when nobody vouches for its certificate', async (context) => {
    const { key, cert } = await makeCertificate();
    const url = await serverOf(context, (socket) => {
      socket.write('S');
      new TLSSocket(socket, { isServer: true, key, cert }).on('error', () => undefined);
    });
    await assert.rejects(openDatabase({ databaseUrl: url }), refused(/certificate/));
  });
});
