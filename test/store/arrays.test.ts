import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import fc from 'fast-check';
import { arrayLiteral, byteaArray, jsonbArray, textArray } from '#store/arrays.ts';
import { type Database, sql } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';

eachDatabase('columns of a batch', (open) => {
  let database: Database;
  before(async () => {
    database = await open();
  });

  const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', '').toWellFormed());

  it('arrive as they were sent, whatever is in them', async () => {
    const row = fc.record({
      text: fc.option(text),
      json: fc.option(fc.jsonValue().map((value) => JSON.stringify(value).replaceAll(String.raw`\u0000`, ''))),
      bytes: fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
      list: fc.array(text),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row), async (sent) => {
        const { rows } = await sql(
          database.knex,
          `select n.text, n.json = n.expected or n.json is null and n.expected is null as same, n.bytes, n.list::text[]
           from unnest(?::text[], ?::jsonb[], ?::jsonb[], ?::bytea[], ?::text[]) with ordinality
             as n(text, json, expected, bytes, list, place) order by n.place`,
          [
            textArray(sent.map((one) => one.text)),
            jsonbArray(sent.map(({ json }) => json)),
            sent.map(({ json }) => json),
            byteaArray(sent.map(({ bytes }) => bytes)),
            textArray(sent.map(({ list }) => arrayLiteral(list))),
          ],
        );
        const wanted = sent.map((one) => ({ text: one.text, same: true, bytes: one.bytes, list: one.list }));
        assert.deepEqual(rows, wanted);
      }),
      { numRuns: 50 },
    );
  });
});
