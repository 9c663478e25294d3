// Comparisons of one column, or of any expression that has a value of its type.
import type { AttributePath, Operator } from '#core/filter.ts';
import { isUuid } from '#core/ids.ts';
import { instantOf } from '#core/instant.ts';
import { foldCase } from '#core/search.ts';
import type { Statement } from '../statement.ts';
import { unfit } from './filter-literals.ts';

/** Of those that PostgreSQL has a sign for. */
export const SIGN: Readonly<Record<Operator, string>> = {
  eq: '=',
  ne: '<>',
  gt: '>',
  ge: '>=',
  lt: '<',
  le: '<=',
  co: '',
  sw: '',
  ew: '',
};

/**
 * Of a resource `r`. The column has our own id of whom the identity provider wrote without an externalId: an anchor that
 * nobody is told.
 */
export const SERVED_EXTERNAL_ID = `(r.search ->> 'externalId')`;

/** PostgreSQL has no year 0. */
const YEAR_ONE = Date.parse('0001-01-01T00:00:00Z');
/** From here on JavaScript writes years in a way that PostgreSQL does not read. */
const YEAR_TEN_THOUSAND = Date.parse('+010000-01-01T00:00:00Z');

/** Writes comparisons whose values are bound to a statement. What has no value matches none but `ne`. */
export class Columns {
  private readonly statement: Statement;

  constructor(statement: Statement) {
    this.statement = statement;
  }

  text(expression: string, operator: Operator, text: string): string {
    if (operator === 'ne') return `${expression} is distinct from ${this.statement.bind(text)}`;
    // No coalesce: it would hide the column from its index. A null is no match, under `not` either.
    const present = `${expression} is not null and`;
    if (operator === 'eq') return `(${present} ${expression} = ${this.statement.bind(text)})`;
    if (operator === 'co') return `(${present} ${expression} like ${this.statement.bind(`%${escapeLike(text)}%`)})`;
    if (operator === 'sw') return `(${present} ${expression} like ${this.statement.bind(`${escapeLike(text)}%`)})`;
    if (operator === 'ew') return `(${present} ${expression} like ${this.statement.bind(`%${escapeLike(text)}`)})`;
    return `(${present} ${expression} collate "C" ${SIGN[operator]} ${this.statement.bind(text)})`;
  }

  uuid(expression: string, operator: Operator, text: string): string {
    const isId = isUuid(text);
    if (operator === 'eq') return isId ? `${expression} = ${this.statement.bind(text.toLowerCase())}::uuid` : 'false';
    if (operator === 'ne') return isId ? `${expression} <> ${this.statement.bind(text.toLowerCase())}::uuid` : 'true';
    return this.text(`${expression}::text`, operator, text);
  }

  /** A UUID that compares case-exactly: in another case it is another text. */
  exactUuid(expression: string, operator: Operator, text: string): string {
    if (text === foldCase(text)) return this.uuid(expression, operator, text);
    if (operator === 'eq' || operator === 'ne') return String(operator === 'ne');
    return this.text(`${expression}::text`, operator, text);
  }

  /** An address of ours: as a whole it is compared by the id in it, which has an index. */
  address(id: string, before: string, operator: Operator, text: string): string {
    if (operator === 'eq' || operator === 'ne')
      return this.exactUuid(id, operator, text.startsWith(before) ? text.slice(before.length) : '');
    return this.text(`(${this.statement.bind(before)}::text || ${id})`, operator, text);
  }

  time(expression: string, operator: Operator, text: string, path: AttributePath): string {
    const instant = instantOf(text);
    if (instant === undefined || ['co', 'sw', 'ew'].includes(operator)) throw unfit(path, operator);
    return `${expression} ${SIGN[operator]} ${this.statement.bind(boundOf(instant))}::timestamptz`;
  }

  truth(expression: string, operator: Operator, value: boolean, path: AttributePath): string {
    if (operator !== 'eq' && operator !== 'ne') throw unfit(path, operator);
    return (operator === 'eq') === value ? expression : `not ${expression}`;
  }
}

function boundOf(instant: number): string {
  if (instant < YEAR_ONE) return '-infinity';
  return instant < YEAR_TEN_THOUSAND ? new Date(instant).toISOString() : 'infinity';
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}
