// Random input, thousands of times in a test, for minutes in `npm run fuzz` (FUZZ_SECONDS for each property). A failure
// prints its seed and the smallest input that shows it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '#core/errors.ts';

const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 0);
const prototype = Object.getOwnPropertyNames(Object.prototype).length;

/** A test that nothing which the arbitrary makes breaks the check; a refusal that was thrown on purpose is none. */
export function fuzz<Value>(
  name: string,
  arbitrary: fc.Arbitrary<Value>,
  check: (value: Value) => unknown,
  { runs = 2_000 }: { runs?: number } = {},
): void {
  it(name, async (context) => {
    let tried = 0;
    const property = fc.asyncProperty(arbitrary, async (value) => {
      tried += 1;
      try {
        await check(value);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
      }
      // Compared by length, since this is done millions of times.
      assert.equal(Object.getOwnPropertyNames(Object.prototype).length, prototype);
    });
    const forMinutes = { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: SECONDS * 1_000 };
    await fc.assert(property, SECONDS > 0 ? { ...forMinutes, markInterruptAsFailure: false } : { numRuns: runs });
    if (SECONDS > 0) context.diagnostic(`${tried} inputs, ${Math.round(tried / SECONDS)} in a second`);
  });
}

const WORDS = [
  ...['userName', 'emails', 'emails.value', 'name.familyName', 'members', 'meta.created', 'id', 'x', '__proto__'],
  ...['constructor', 'urn:ietf:params:scim:schemas:core:2.0:User:userName', 'urn:', ':', '.', '[', ']', '(', ')'],
  ...['eq', 'ne', 'co', 'sw', 'gt', 'pr', 'and', 'or', 'not', ' ', '  ', '"', '"a"', '"\\u0000"', '"\\ud800"', '\\'],
  ...['true', 'false', 'null', '1', '-1.5e300', '1e999', '"2026-01-01T00:00:00Z"', '\u0000', '\ud800', '💧', '%', '_'],
];

/** Text that looks like what is meant, and is not: words of the grammar in any order, and anything at all. */
export const anyText = fc.oneof(
  fc.array(fc.constantFrom(...WORDS), { maxLength: 30 }).map((words) => words.join('')),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 30 }).map((words) => words.join(' ')),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

/** Any JSON, with names that mean something here, or to JavaScript, now and then. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(anyText, fc.double(), fc.boolean(), fc.constant(null), fc.integer()),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(
        fc.constantFrom(
          'schemas',
          'Operations',
          'op',
          'path',
          'value',
          'userName',
          'members',
          'emails',
          'id',
          'filter',
        ),
        fc.constantFrom(
          'displayName',
          'startIndex',
          'count',
          'cursor',
          'attributes',
          'sortBy',
          'method',
          'bulkId',
          'data',
        ),
        fc.constantFrom('__proto__', 'constructor', 'toString', 'length', 'active', 'value', 'resources', '$ref'),
        fc.string({ maxLength: 10 }),
      ),
      tie('any'),
      { maxKeys: 5 },
    ),
  ),
})).any;
