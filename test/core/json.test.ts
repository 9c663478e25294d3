import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { InputError } from '#core/errors.ts';
import { parseJson, storableJson } from '#core/json.ts';

const isInvalidSyntax = (reason: string) => (error: unknown) =>
  error instanceof InputError && error.scimType === 'invalidSyntax' && error.reason === reason;

/** Any JSON text, with white space where it may stand. */
const anyJson = fc
  .tuple(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t', ' \r\n'))
  .map(([value, indent]) => JSON.stringify(value, undefined, indent));

describe('JSON of a body', () => {
  it('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(anyJson, (text) => assert.deepEqual(parseJson(text), JSON.parse(text))),
      { numRuns: 500 },
    );
  });

  it('takes nothing that JSON.parse does not, and throws nothing but invalidSyntax', () => {
    const near = fc.tuple(anyJson, fc.nat(), fc.string({ maxLength: 2 })).map(([text, at, with_]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + with_ + text.slice(place + 1);
    });
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        let value: unknown;
        try {
          value = parseJson(text);
        } catch (error) {
          assert.ok(error instanceof InputError && error.scimType === 'invalidSyntax', String(error));
          return;
        }
        assert.deepEqual(value, JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  const doubled = [
    '{"a":1,"a":1}',
    '{"a":1,"b":{},"a":2}',
    '[{"x":[{"b":1,"b":2}]}]',
    '{"a":1,"\\u0061":2}',
    '{"a\\"b":1,"a\\u0022b":2}',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"a":{"a":1},"b":[],"b":1}',
    '{ "a" : "," , "c" : ":" , "a" : "}" }',
  ];
  for (const text of doubled)
    it(`refuses a name twice: ${text}`, () => assert.throws(() => parseJson(text), isInvalidSyntax('duplicate-key')));

  const single = [
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '{"a":["a","a"]}',
    '{"a":"{\\"b\\":1,\\"b\\":2}"}',
    '{"a":1,"A":2}',
    '"a"',
    'null',
  ];
  for (const text of single)
    it(`takes the same name in different places: ${text}`, () => assert.deepEqual(parseJson(text), JSON.parse(text)));

  it('refuses what is no JSON', () => {
    for (const text of [
      '',
      ' ',
      '{',
      '}',
      '{"a":}',
      '{a:1}',
      "{'a':1}",
      '[1,]',
      '{"a":1,}',
      '01',
      'NaN',
      '"\t"',
      '{} {}',
      '\ufeff{}',
    ])
      assert.throws(() => parseJson(text), isInvalidSyntax('malformed-json'), JSON.stringify(text));
  });

  it('takes 32 levels and refuses 33, of lists, of objects, and of hundreds of thousands', () => {
    const nested = (open: string, close: string, depth: number): string =>
      `${open.repeat(depth)}${open === '[' ? '' : '1'}${close.repeat(depth)}`;
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      assert.deepEqual(parseJson(nested(open, close, 32)), JSON.parse(nested(open, close, 32)));
      assert.throws(() => parseJson(nested(open, close, 33)), isInvalidSyntax('too-deep'));
      assert.throws(() => parseJson(nested(open, close, 300_000)), InputError);
    }
  });

  it('keeps __proto__ as a name like any other, and every prototype as it was', () => {
    const value = parseJson('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    assert.deepEqual(Object.keys(value as object), ['__proto__', 'constructor']);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('takes as many names as anybody needs, however often, and refuses more before it reads them', () => {
    const names = (count: number, from = 0): string =>
      `{${Array.from({ length: count }, (_, place) => `"n${from + place}":0`).join(',')}}`;
    assert.equal(Object.keys(parseJson(names(10_000)) as object).length, 10_000);
    assert.equal((parseJson(`[${names(10_000)},${names(10_000)}]`) as unknown[]).length, 2);
    for (const text of [names(10_001), `[${names(5_001)},${names(5_000, 5_001)}]`, `${names(400_000).slice(0, -1)},`])
      assert.throws(() => parseJson(text), isInvalidSyntax('too-many-names'));
  });

  it('takes a body of megabytes of structure, and a string of as many escapes', () => {
    const many = JSON.stringify(Array.from({ length: 100_000 }, (_, index) => ({ value: `${index}` })));
    assert.equal((parseJson(many) as unknown[]).length, 100_000);
    assert.equal((parseJson(`"${'\\\\'.repeat(1_000_000)}"`) as string).length, 1_000_000);
    assert.throws(() => parseJson(`"${'\\\\'.repeat(1_000_000)}`), isInvalidSyntax('malformed-json'));
    assert.equal((parseJson(`"${'\\"'.repeat(1_000_000)}"`) as string).length, 1_000_000);
  });

  it('is made so that PostgreSQL takes it: without U+0000 and halves of characters, and else as it is', () => {
    const texts = { nul: 'a\0b', half: 'x\ud83d', other: '\udc00y', said: '\\u0000 \\ud83d "\n😀\u001f' };
    assert.deepEqual(JSON.parse(storableJson(texts)), { ...texts, nul: 'ab', half: 'x\ufffd', other: '\ufffdy' });
    assert.equal(storableJson({ 'a\0': ['\\\\u0000'] }), JSON.stringify({ a: ['\\\\u0000'] }));
  });
});
