import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '#core/digest.ts';
import { KnownRecords } from '#sync/read/known-records.ts';

const id = fc.constantFrom('a', 'b', 'c', 'd');
const content = fc.constantFrom('one', 'two');
const held = fc.uniqueArray(fc.record({ id, content: fc.option(content), gone: fc.boolean() }), {
  selector: (record) => record.id,
});

it('known records tell what differs and who was not seen, as a map would', () => {
  fc.assert(
    fc.property(held, fc.array(fc.record({ id, content })), (before, shown) => {
      const known = new KnownRecords();
      known.hold(
        before.map((record) => ({
          external_id: record.id,
          record_digest: record.content === null ? Buffer.alloc(0) : digestOf(record.content),
          gone: record.gone,
          members_digest: null,
        })),
      );
      const live = new Map<string, string | null>(
        before.filter(({ gone }) => !gone).map((record) => [record.id, record.content]),
      );
      for (const record of shown) {
        assert.equal(known.see(record.id, digestOf(record.content)), live.get(record.id) !== record.content);
        live.set(record.id, record.content);
      }
      const seen = new Set<string>(shown.map((record) => record.id));
      const unseen = before.filter((record) => !record.gone && !seen.has(record.id)).map((record) => record.id);
      assert.deepEqual(known.unseen().sort(), unseen.sort());
      for (const one of ['a', 'b', 'c', 'd']) assert.equal(known.isSeen(one), seen.has(one));
    }),
  );
});

it('known records keep many', () => {
  const known = new KnownRecords();
  const ids = Array.from({ length: 5_000 }, (_, index) => `record ${index}`);
  for (const one of ids) assert.equal(known.see(one, digestOf(one)), true);
  for (const one of ids) assert.equal(known.see(one, digestOf(one)), false);
  assert.deepEqual(known.unseen(), []);
});
