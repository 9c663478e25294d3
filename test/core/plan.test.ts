import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonical } from '#core/canonical.ts';
import { refusedNames } from '#core/names.ts';
import { type Entry, planChanges } from '#core/plan.ts';
import { REASONS } from '#core/reasons.ts';

type Snapshot = Map<string, Entry>;
const snapshot = (digests: Record<string, string>): Snapshot =>
  new Map(Object.entries(digests).map(([externalId, digest]) => [externalId, { externalId, digest }]));
const anySnapshot = fc
  .dictionary(fc.string({ maxLength: 2 }), fc.constantFrom('v1', 'v2'), { noNullPrototype: true })
  .map(snapshot);

describe('a plan', () => {
  it('creates first and removes last', () => {
    const plan = planChanges(snapshot({ ada: 'v1', bob: 'v1' }), snapshot({ bob: 'v2', eve: 'v1' }));
    assert.deepEqual(
      plan.map(({ action, externalId }) => `${action} ${externalId}`),
      ['create eve', 'update bob', 'remove ada'],
    );
  });

  it('turns current into desired, whatever they are', () => {
    fc.assert(
      fc.property(anySnapshot, anySnapshot, (current, desired) => {
        const result = new Map(current);
        for (const { externalId } of planChanges(current, desired)) {
          const wanted = desired.get(externalId);
          if (wanted === undefined) result.delete(externalId);
          else result.set(externalId, wanted);
        }
        assert.deepEqual(new Map([...result].sort()), new Map([...desired].sort()));
        assert.deepEqual(planChanges(result, desired), []);
      }),
    );
  });

  it('removes nobody after an incomplete read', () => {
    fc.assert(
      fc.property(anySnapshot, anySnapshot, (current, desired) => {
        assert.ok(planChanges(current, desired, false).every(({ action }) => action !== 'remove'));
      }),
    );
  });
});

describe('user names', () => {
  const holders = (names: Record<string, string>): Map<string, string> => new Map(Object.entries(names));

  it('are swapped and handed on in a chain', () => {
    assert.deepEqual(
      refusedNames(
        [
          { id: 'a', to: 'y' },
          { id: 'b', to: 'x' },
        ],
        holders({ x: 'a', y: 'b' }),
      ),
      new Set(),
    );
    assert.deepEqual(
      refusedNames(
        [
          { id: 'a', to: 'y' },
          { id: 'b', to: undefined },
        ],
        holders({ y: 'b' }),
      ),
      new Set(),
    );
  });

  it('are refused when somebody keeps them, and so on down the chain', () => {
    assert.deepEqual(
      refusedNames(
        [
          { id: 'a', to: 'y' },
          { id: 'b', to: 'z' },
        ],
        holders({ x: 'a', y: 'b', z: 'c' }),
      ),
      new Set(['a', 'b']),
    );
  });

  it('go to the first of two who want one', () => {
    assert.deepEqual(
      refusedNames(
        [
          { id: 'a', to: 'n' },
          { id: 'b', to: 'n' },
        ],
        holders({}),
      ),
      new Set(['b']),
    );
  });

  it('never end up with two people', () => {
    const name = fc.constantFrom('p', 'q', 'r', 's');
    fc.assert(
      fc.property(
        fc.uniqueArray(name),
        fc.array(fc.option(name, { nil: undefined }), { maxLength: 4 }),
        (held, wanted) => {
          const now = new Map(held.map((key, index) => [key, `id${index}`]));
          const wishes = wanted.map((to, index) => ({ id: `id${index}`, to }));
          const refused = refusedNames(wishes, now);
          const final = new Map([...now].map(([key, id]) => [id, key]));
          for (const { id, to } of wishes) {
            if (refused.has(id)) continue;
            if (to === undefined) final.delete(id);
            else final.set(id, to);
          }
          assert.equal(new Set(final.values()).size, final.size);
        },
      ),
    );
  });
});

describe('the canonical form', () => {
  it('knows no order of keys and no difference between absent, null and empty', () => {
    assert.equal(canonical({ b: 1, a: { y: null, x: [] } }), canonical({ a: undefined, b: 1 }));
    assert.equal(canonical({ a: [{ d: 1, c: 2 }] }), '{"a":[{"c":2,"d":1}]}');
  });

  it('is its own canonical form', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) =>
        assert.equal(canonical(JSON.parse(canonical({ value }))), canonical({ value })),
      ),
    );
  });
});

it('gives every reason a sentence and a remedy', () => {
  for (const [code, { sentence, remedy }] of Object.entries(REASONS)) {
    assert.match(code, /^[A-Z][A-Za-z]+$/);
    assert.match(sentence, /^[A-Z].*\.$/);
    assert.match(remedy, /^[A-Z].*\.$/);
  }
});
