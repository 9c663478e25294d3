// What is wrong with a value that somebody sent, field by field, in words for whoever has to correct it.
import type { z } from 'zod';

export interface FieldProblem {
  /** Names and places, parted by dots; empty for the whole value. */
  readonly path: string;
  readonly message: string;
}

export type Checked<Value> =
  | { readonly value: Value; readonly problems?: undefined }
  | { readonly problems: readonly FieldProblem[] };

/** The value in its schema's form, or every problem that it has. What a schema says itself of a problem stands. */
export function checkForm<Schema extends z.ZodType>(schema: Schema, value: unknown): Checked<z.output<Schema>> {
  const result = schema.safeParse(value, { error: inWords });
  if (result.success) return { value: result.data };
  return { problems: result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) };
}

/** Each as `path: message`, one after the other. */
export function textOf(problems: readonly FieldProblem[]): string {
  return problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
}

type Issue = z.core.$ZodRawIssue;

/** Undefined leaves it to the parser. */
function inWords(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is missing'
        : `must be ${kindOf(issue.expected)}, not ${kindGiven(issue.input)}`;
    case 'too_small':
      return tooSmall(issue);
    case 'too_big':
      return tooBig(issue);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return (
        FORMATS[issue.format] ?? (issue.format === 'starts_with' ? `must begin with "${issue['prefix']}"` : NOT_TAKEN)
      );
    case 'invalid_value':
      return issue.input === undefined ? 'is missing' : `must be ${choiceOf(issue.values)}`;
    case 'unrecognized_keys':
      return `${issue.keys.map((key) => JSON.stringify(key.slice(0, NAME_SHOWN))).join(', ')} is not known here`;
    case 'invalid_union':
      return noneOf(issue);
    default:
      return undefined;
  }
}

const NOT_TAKEN = 'has a form that is not taken';
/** So much of a name that nobody knows is repeated, in characters. */
const NAME_SHOWN = 60;

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  map: 'an object',
  null: 'null',
  date: 'a time',
};

const FORMATS: Readonly<Record<string, string>> = {
  url: 'must be a whole address, such as https://example.com',
  email: 'must be a mail address',
  uuid: 'must be a UUID',
  guid: 'must be a UUID',
  datetime: 'must be a time such as 2026-01-31T08:00:00Z',
  date: 'must be a day such as 2026-01-31',
};

function kindOf(expected: string): string {
  return KINDS[expected] ?? expected;
}

function kindGiven(input: unknown): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'number') return String(input);
  return KINDS[typeof input] ?? typeof input;
}

type Sized = Extract<Issue, { code: 'too_small' | 'too_big' }>;

/** What is counted; undefined where the value itself is compared. */
function unitOf({ origin }: Sized): string | undefined {
  if (origin === 'string') return 'characters';
  return ['array', 'set', 'map', 'object', 'record', 'file'].includes(origin) ? 'entries' : undefined;
}

function tooSmall(issue: Extract<Issue, { code: 'too_small' }>): string {
  const { minimum, inclusive = true } = issue;
  const unit = unitOf(issue);
  if (unit === undefined) return `must be ${inclusive ? 'at least' : 'more than'} ${minimum}`;
  return Number(minimum) <= 1 ? 'must not be empty' : `must have at least ${minimum} ${unit}`;
}

function tooBig(issue: Extract<Issue, { code: 'too_big' }>): string {
  const { maximum, inclusive = true } = issue;
  const unit = unitOf(issue);
  if (unit === undefined) return `must be ${inclusive ? 'at most' : 'less than'} ${maximum}`;
  return `must have at most ${maximum} ${unit}`;
}

/** Of several forms that are told apart by one field, what that field may say. */
function noneOf(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  if (issue.input === undefined) return 'is missing';
  return 'options' in issue && Array.isArray(issue.options) ? `must be ${choiceOf(issue.options)}` : NOT_TAKEN;
}

function choiceOf(values: readonly unknown[]): string {
  const named = values.map((value) => JSON.stringify(value));
  return named.length === 1 ? (named[0] ?? '') : `one of ${named.join(', ')}`;
}
