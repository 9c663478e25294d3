import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { checkForm, textOf } from '#core/problems.ts';

const Form = z.strictObject({
  name: z.string().min(1),
  url: z.url().optional(),
  kind: z.enum(['full', 'groups']).default('full'),
  limit: z.int().min(5).max(90).default(5),
  list: z.array(z.string().max(3)).max(2).default([]),
  auth: z
    .discriminatedUnion('by', [z.strictObject({ by: z.literal('key') }), z.strictObject({ by: z.literal('secret') })])
    .optional(),
  code: z.string().regex(/^\d+$/).optional(),
  day: z
    .string()
    .regex(/^\d{4}$/, 'is a year')
    .optional(),
  at: z.iso.datetime({ offset: true }).optional(),
});

const problemsOf = (value: unknown): string => textOf(checkForm(Form, value).problems ?? []);

describe('What is wrong with a value', () => {
  it('is nothing where it has the form, with what it did not say filled in', () => {
    assert.deepEqual(checkForm(Form, { name: 'Ada' }), { value: { name: 'Ada', kind: 'full', limit: 5, list: [] } });
  });

  const CASES: readonly (readonly [value: unknown, said: string])[] = [
    [{}, 'name: is missing'],
    [undefined, 'is missing'],
    [{ name: '' }, 'name: must not be empty'],
    [{ name: null }, 'name: must be text, not null'],
    [{ name: 7 }, 'name: must be text, not 7'],
    [[], 'must be an object, not a list'],
    [{ name: 'a', url: 'wiki' }, 'url: must be a whole address, such as https://example.com'],
    [{ name: 'a', kind: 'all' }, 'kind: must be one of "full", "groups"'],
    [{ name: 'a', limit: 4 }, 'limit: must be at least 5'],
    [{ name: 'a', limit: 91 }, 'limit: must be at most 90'],
    [{ name: 'a', limit: 5.5 }, 'limit: must be a whole number, not 5.5'],
    [{ name: 'a', list: 'x' }, 'list: must be a list, not text'],
    [{ name: 'a', list: ['x', 'long'] }, 'list.1: must have at most 3 characters'],
    [{ name: 'a', list: ['1', '2', '3'] }, 'list: must have at most 2 entries'],
    [{ name: 'a', auth: { by: 'magic' } }, 'auth.by: must be one of "key", "secret"'],
    [{ name: 'a', auth: { by: 'key', more: 1 } }, 'auth: "more" is not known here'],
    [{ name: 'a', code: 'x' }, 'code: has a form that is not taken'],
    [{ name: 'a', at: 'soon' }, 'at: must be a time such as 2026-01-31T08:00:00Z'],
    [{ nam: 1, limit: 1 }, 'name: is missing; limit: must be at least 5; "nam" is not known here'],
  ];
  for (const [value, said] of CASES)
    it(`says of ${JSON.stringify(value)} that ${said}`, () => assert.equal(problemsOf(value), said));

  it('is said in the words of the schema where it has any', () => {
    assert.equal(problemsOf({ name: 'a', day: 'x' }), 'day: is a year');
  });
});
