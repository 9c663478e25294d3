/**
 * SCIM filters and paths: parsed to a tree, evaluated on a value (RFC 7644 sections 3.4.2.2 and 3.5.2). A recursive
 * descent with limits on length, depth and terms, so that no text costs more than its length.
 */
import { InputError } from './errors.ts';
import { instantOf } from './instant.ts';
import { nameKey } from './names.ts';
import { foldCase, isCaseExact } from './search.ts';

export type Operator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le';
export type Literal = string | number | boolean | null;

/** An attribute path: `urn:…:User:name.givenName` is schema, `name`, `givenName`. Names keep the caller's spelling. */
export interface AttributePath {
  readonly schema?: string;
  readonly attribute: string;
  readonly sub?: string;
}

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Filter[] }
  | { readonly kind: 'not'; readonly term: Filter }
  | { readonly kind: 'present'; readonly path: AttributePath }
  | { readonly kind: 'compare'; readonly path: AttributePath; readonly operator: Operator; readonly value: Literal }
  /** `emails[type eq "work"]`: one element must fulfil the whole of `filter`. With `then`, on its sub-attribute. */
  | { readonly kind: 'element'; readonly path: AttributePath; readonly filter: Filter };

/** The target of a PATCH operation: `emails[type eq "work"].value`. */
export interface PatchPath extends AttributePath {
  readonly filter?: Filter;
}

const LENGTH_MAX = 16_384;
const DEPTH_MAX = 32;
const TERMS_MAX = 500;

const OPERATORS: ReadonlySet<string> = new Set(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']);
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const NAME = /^[A-Za-z$][\w$-]*$/;

/** Whether a filter can name a field that is called so. */
export function namesField(name: string): boolean {
  return NAME.test(name) && !FORBIDDEN.has(name);
}

/** @throws {InputError} `invalidFilter`, saying where */
export function parseFilter(text: string): Filter {
  const reader = new Reader(text, 'invalidFilter');
  const filter = reader.or(0);
  reader.end();
  return filter;
}

/** @throws {InputError} `invalidPath`, saying where */
export function parsePath(text: string): PatchPath {
  const reader = new Reader(text, 'invalidPath');
  const path = reader.patchPath();
  reader.end();
  return path;
}

class Reader {
  private at = 0;
  private terms = 0;
  private readonly text: string;
  private readonly scimType: 'invalidFilter' | 'invalidPath';

  constructor(text: string, scimType: 'invalidFilter' | 'invalidPath') {
    this.text = text;
    this.scimType = scimType;
    if (text.length > LENGTH_MAX) throw this.wrong(`is longer than ${LENGTH_MAX} characters`);
  }

  or(depth: number): Filter {
    return this.chain('or', depth, () => this.and(depth));
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) throw this.wrong(`has something unexpected at position ${this.at + 1}`);
  }

  patchPath(): PatchPath {
    const path = this.path();
    if (this.text[this.at] !== '[') return path;
    // What comes after the filter would take the place of the one before it.
    if (path.sub !== undefined)
      throw this.wrong(`chooses among values of the sub-attribute "${path.sub.slice(0, 60)}"`);
    this.at += 1;
    const filter = this.or(1);
    this.expect(']');
    if (this.text[this.at] !== '.') return { ...path, filter };
    this.at += 1;
    return { ...path, filter, sub: this.name(this.word()) };
  }

  private and(depth: number): Filter {
    return this.chain('and', depth, () => this.term(depth));
  }

  private chain(kind: 'and' | 'or', depth: number, next: () => Filter): Filter {
    if (depth > DEPTH_MAX) throw this.wrong(`is nested deeper than ${DEPTH_MAX}`);
    const terms = [next()];
    while (this.keyword(kind)) terms.push(next());
    return terms.length === 1 && terms[0] !== undefined ? terms[0] : { kind, terms };
  }

  private term(depth: number): Filter {
    this.terms += 1;
    if (this.terms > TERMS_MAX) throw this.wrong(`has more than ${TERMS_MAX} terms`);
    this.space();
    if (this.text[this.at] === '(') return this.group(depth);
    const start = this.at;
    if (/^not\s*\(/i.test(this.text.slice(start, start + 64))) {
      this.at = this.text.indexOf('(', start);
      return { kind: 'not', term: this.group(depth) };
    }
    return this.comparison(depth);
  }

  private group(depth: number): Filter {
    this.at += 1;
    const inner = this.or(depth + 1);
    this.expect(')');
    return inner;
  }

  private comparison(depth: number): Filter {
    const path = this.path();
    if (this.text[this.at] === '[') {
      this.at += 1;
      const filter = this.or(depth + 1);
      this.expect(']');
      if (this.text[this.at] === '.') return this.elementValue(path, filter);
      return { kind: 'element', path, filter };
    }
    return this.operation(path);
  }

  /** `emails[type eq "work"].value eq "x"`: both conditions hold for one element. */
  private elementValue(path: AttributePath, filter: Filter): Filter {
    this.at += 1;
    const value = this.operation({ attribute: this.name(this.word()) });
    return { kind: 'element', path, filter: { kind: 'and', terms: [filter, value] } };
  }

  private operation(path: AttributePath): Filter {
    if (!this.spaceNeeded()) throw this.wrong(`has no operator at position ${this.at + 1}`);
    const operator = this.word().toLowerCase();
    if (operator === 'pr') return { kind: 'present', path };
    if (!OPERATORS.has(operator)) throw this.wrong(`has the unknown operator "${operator.slice(0, 20)}"`);
    // Some clients leave out the space before a text.
    if (!this.spaceNeeded() && this.text[this.at] !== '"') throw this.wrong(`has no value at position ${this.at + 1}`);
    return { kind: 'compare', path, operator: operator as Operator, value: this.literal() };
  }

  private literal(): Literal {
    if (this.text[this.at] === '"') return this.string();
    const word = /^[^\s()[\]]+/.exec(this.text.slice(this.at, this.at + 64))?.[0] ?? '';
    this.at += word.length;
    const lower = word.toLowerCase();
    if (lower === 'true') return true;
    if (lower === 'false') return false;
    if (lower === 'null') return null;
    if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(word)) return Number(word);
    throw this.wrong(`has no value that can be read at position ${this.at - word.length + 1}`);
  }

  private string(): string {
    let end = this.at + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    const quoted = this.text.slice(this.at, end + 1);
    this.at = end + 1;
    try {
      const value: unknown = JSON.parse(quoted);
      if (typeof value === 'string' && value.isWellFormed() && !value.includes('\0')) return value;
    } catch {
      // Said below.
    }
    throw this.wrong('has a string that is not closed or not JSON');
  }

  private path(): AttributePath {
    this.space();
    const word = this.word();
    const colon = word.toLowerCase().startsWith('urn:') ? word.lastIndexOf(':') : -1;
    const [first = '', sub, ...rest] = this.afterVersion(word, colon);
    if (rest.length > 0) throw this.wrong(`has the path "${word.slice(0, 60)}" with more than one sub-attribute`);
    const path: AttributePath = { attribute: this.name(first), ...(sub === undefined ? {} : { sub: this.name(sub) }) };
    return colon === -1 ? path : { ...path, schema: word.slice(0, colon) };
  }

  /** Dots belong to the version number in a URN (`core:2.0:User:`), and to sub-attributes after it. */
  private afterVersion(word: string, colon: number): string[] {
    return word.slice(colon + 1).split('.');
  }

  private name(word: string): string {
    if (!NAME.test(word) || FORBIDDEN.has(word)) throw this.wrong(`has the attribute name "${word.slice(0, 60)}"`);
    return word;
  }

  private word(): string {
    const word = /^[\w$:.-]+/.exec(this.text.slice(this.at, this.at + 512))?.[0] ?? '';
    if (word === '') throw this.wrong(`ends too early or has something unexpected at position ${this.at + 1}`);
    this.at += word.length;
    return word;
  }

  private keyword(word: string): boolean {
    const start = this.at;
    if (this.spaceNeeded() || this.text[start - 1] === ')' || this.text[start - 1] === ']') {
      const found = this.text.slice(this.at, this.at + word.length).toLowerCase() === word;
      if (found && /^[\s(]/.test(this.text[this.at + word.length] ?? '')) {
        this.at += word.length;
        return true;
      }
    }
    this.at = start;
    return false;
  }

  private expect(character: string): void {
    this.space();
    if (this.text[this.at] !== character) throw this.wrong(`lacks "${character}" at position ${this.at + 1}`);
    this.at += 1;
  }

  private space(): void {
    while (this.text[this.at] === ' ' || this.text[this.at] === '\t') this.at += 1;
  }

  private spaceNeeded(): boolean {
    const start = this.at;
    this.space();
    return this.at > start;
  }

  private wrong(what: string): InputError {
    const noun = this.scimType === 'invalidFilter' ? 'filter' : 'path';
    return new InputError(`The ${noun} ${what}.`, { scimType: this.scimType, reason: `invalid-${noun}` });
  }
}

/**
 * True when the value fulfils the filter. Attribute names compare without case. Of several values one must match, for
 * `ne` too: it asks for a value that differs (RFC 7644 section 3.4.2.2). A missing attribute fulfils `ne` and `not`.
 * A value that does not say whether it is the primary one is not (RFC 7643 section 2.4).
 * @param within the attribute that has the value among others, when the filter is that of a value path
 */
export function matches(filter: Filter, value: unknown, within?: string): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.terms.every((term) => matches(term, value, within));
    case 'or':
      return filter.terms.some((term) => matches(term, value, within));
    case 'not':
      return !matches(filter.term, value, within);
    case 'present':
      return valuesAt(value, filter.path).some(isPresent);
    case 'element':
      return valuesAt(value, filter.path).some((inner) => matches(filter.filter, inner, filter.path.attribute));
    case 'compare':
      return compareAt(value, filter, within);
  }
}

function compareAt(value: unknown, term: Extract<Filter, { kind: 'compare' }>, within: string | undefined): boolean {
  const { path, operator, value: literal } = term;
  if (literal === null) {
    const has = valuesAt(value, path).some(isPresent);
    return operator === 'eq' ? !has : operator === 'ne' && has;
  }
  const items = comparedAt(value, path, within);
  const isName = path.sub === undefined && within === undefined && foldCase(path.attribute) === 'username';
  const holds = (item: unknown, by: Operator): boolean => {
    if (isName) return compare(keyOf(item), by, keyOf(literal) as Literal, true);
    const exact = isComplex(item)
      ? isCaseExact('value', path.attribute)
      : isCaseExact(path.sub ?? path.attribute, path.sub === undefined ? within : path.attribute);
    return compare(isComplex(item) ? item.value : item, by, literal, exact);
  };
  if (operator === 'ne') return items.length === 0 || items.some((item) => !holds(item, 'eq'));
  return items.some((item) => holds(item, operator));
}

function keyOf(value: unknown): unknown {
  return typeof value === 'string' ? nameKey(value) : value;
}

/** What is compared: undefined for each element that lacks the sub-attribute, and false where that is `primary`. */
function comparedAt(value: unknown, path: AttributePath, within: string | undefined): unknown[] {
  const items = itemsAt(value, path);
  const isPrimary = foldCase(path.sub ?? path.attribute) === 'primary';
  if (isPrimary && path.sub !== undefined) return items.map((item) => item ?? false);
  return isPrimary && within !== undefined && items.length === 0 ? [false] : items;
}

/** A complex value compares by its `value` (RFC 7644 section 3.4.2.2, "emails eq"). */
function isComplex(item: unknown): item is { readonly value: unknown } {
  return typeof item === 'object' && item !== null && 'value' in item;
}

/** Compares one simple value; what cannot be compared does not match. */
export function compare(value: unknown, operator: Operator, literal: Literal, exact: boolean): boolean {
  if (typeof value === 'string' && typeof literal === 'string') return compareText(value, operator, literal, exact);
  if (typeof value !== typeof literal) return false;
  if (operator === 'eq') return value === literal;
  if (operator === 'ne') return value !== literal;
  if (typeof value !== 'number' || typeof literal !== 'number') return false;
  return order(value - literal, operator);
}

function compareText(value: string, operator: Operator, literal: string, exact: boolean): boolean {
  const difference = ['co', 'sw', 'ew'].includes(operator) ? undefined : timeBetween(literal, value);
  if (difference !== undefined)
    return operator === 'eq' ? difference === 0 : operator === 'ne' ? difference !== 0 : order(difference, operator);
  const left = exact ? value : foldCase(value);
  const right = exact ? literal : foldCase(literal);
  if (operator === 'eq') return left === right;
  if (operator === 'ne') return left !== right;
  if (operator === 'co') return left.includes(right);
  if (operator === 'sw') return left.startsWith(right);
  if (operator === 'ew') return left.endsWith(right);
  return order(Buffer.compare(Buffer.from(left), Buffer.from(right)), operator);
}

/** In milliseconds; undefined unless both are times. */
function timeBetween(earlier: string, later: string): number | undefined {
  const from = instantOf(earlier);
  const to = from === undefined ? undefined : instantOf(later);
  return from === undefined || to === undefined ? undefined : to - from;
}

function order(difference: number, operator: Operator): boolean {
  if (operator === 'gt') return difference > 0;
  if (operator === 'ge') return difference >= 0;
  if (operator === 'lt') return difference < 0;
  return operator === 'le' && difference <= 0;
}

function isPresent(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return !Array.isArray(value) || value.some(isPresent);
}

/** All values at a path, arrays opened at each step. */
function valuesAt(value: unknown, { schema, attribute, sub }: AttributePath): unknown[] {
  const inExtension = schema === undefined || isCoreSchema(schema) ? value : own(value, schema);
  const first = open(own(inExtension, attribute));
  return sub === undefined ? first : first.flatMap((item) => open(own(item, sub)));
}

/** The same, with undefined for each element that lacks the sub-attribute. */
function itemsAt(value: unknown, { sub, ...path }: AttributePath): unknown[] {
  const elements = valuesAt(value, path).filter(isPresent);
  if (sub === undefined) return elements;
  return elements.flatMap((element) => {
    const inner = open(own(element, sub)).filter(isPresent);
    return inner.length === 0 ? [undefined] : inner;
  });
}

function isCoreSchema(schema: string): boolean {
  return foldCase(schema).startsWith('urn:ietf:params:scim:schemas:core:2.0:');
}

function open(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name];
  const wanted = foldCase(name);
  const key = Object.keys(value).find((candidate) => foldCase(candidate) === wanted);
  return key === undefined ? undefined : (value as Record<string, unknown>)[key];
}
