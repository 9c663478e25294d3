import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EqualityFilter } from 'ldapts';
import { escapeBytes, escapeFilter, parseFilter } from '#providers/ldap/filter.ts';

/** The bytes that a comparison is sent with. */
function sent(text: string): Buffer {
  const filter = parseFilter(text);
  assert.ok(filter instanceof EqualityFilter);
  return Buffer.from(filter.value);
}

describe('a filter', () => {
  it('has escaped bytes for the characters of UTF-8 that they are', () => {
    for (const [text, value] of [
      ['(sn=Lu\\c4\\8di\\c4\\87)', 'Lučić'],
      ['(cn=\\ea\\b9\\80)', '김'],
      ['(o=Parens R Us \\28for all\\29)', 'Parens R Us (for all)'],
      ['(cn=\\2a\\5c\\00)', '*\\\0'],
      ['(cn=é)', 'é'],
    ] as const)
      assert.equal(sent(text).toString(), value);
    const { initial, final } = parseFilter('(cn=\\c3\\89*\\2a)') as unknown as { initial: string; final: string };
    assert.deepEqual([initial, final], ['É', '*']);
  });

  it('carries any text, and any bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        fc.pre(text.isWellFormed() && ![...text].some((one) => (one.codePointAt(0) ?? 0) >= 0x10ff00));
        assert.equal(sent(`(cn=${escapeFilter(text)})`).toString(), text);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        assert.deepEqual(sent(`(objectGUID=${escapeBytes(Buffer.from(bytes))})`), Buffer.from(bytes));
      }),
    );
  });

  it('is none where bytes that are no text are compared otherwise', () => {
    assert.throws(() => parseFilter('(cn=a\\ff*)'), /by = only/);
    assert.throws(() => parseFilter('(&(cn=a)(!(cn>=\\ff)))'), /by = only/);
  });
});
