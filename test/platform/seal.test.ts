import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError } from '#core/errors.ts';
import { makeSeal } from '#platform/seal.ts';

const [old, current, other] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [
  string,
  string,
  string,
];

describe('sealed credentials', () => {
  it('come back as they were, and never twice in the same form', () => {
    const seal = makeSeal(current);
    for (const plain of ['', 'secret', '비밀 \u0000 🔑', 'x'.repeat(100_000)])
      assert.equal(seal.open(seal.seal(plain)), plain);
    assert.notEqual(seal.seal('secret'), seal.seal('secret'));
  });

  it('do not open with another key, nor when a single character was changed', () => {
    const sealed = makeSeal(current).seal('secret');
    assert.throws(() => makeSeal(other).open(sealed), ConfigError);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
      assert.throws(() => makeSeal(current).open(changed), ConfigError, `character ${at}`);
    }
  });

  it('pass from key to key without a moment in which a replica cannot open them', () => {
    const before = makeSeal(old);
    const prepared = makeSeal(old, [current]);
    const changed = makeSeal(current, [old]);
    for (const [sealing, opening] of [
      [before, prepared],
      [prepared, before],
      [prepared, changed],
      [changed, prepared],
    ] as const)
      assert.equal(opening.open(sealing.seal('secret')), 'secret');
    assert.equal(changed.isCurrent(before.seal('secret')), false);
    assert.equal(changed.isCurrent(changed.seal('secret')), true);
  });
});
