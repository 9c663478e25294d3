// The values that a filter compares with, as `search` has them, and what cannot be compared.
import type { Attribute } from '#core/attributes.ts';
import { InputError } from '#core/errors.ts';
import type { AttributePath, Literal, Operator } from '#core/filter.ts';
import { foldCase } from '#core/search.ts';

/** The literal as `search` has it: of the attribute's type, in the case by which it compares. */
export function literalOf(
  { type, caseExact }: Attribute,
  value: Literal,
  path: AttributePath,
  operator: Operator,
): string | number | boolean {
  if (type === 'boolean') return booleanOf(value, path, operator);
  if (type === 'decimal' || type === 'integer') {
    if (typeof value === 'number') return value;
    throw unfit(path, operator);
  }
  const text = stringOf(value, path, operator);
  return caseExact ? text : foldCase(text);
}

export function stringOf(value: Literal, path: AttributePath, operator: Operator): string {
  if (typeof value === 'string') return value;
  throw unfit(path, operator);
}

/** Of null there is only to be it, or not (RFC 7644 section 3.4.2.2). @throws {InputError} `invalidFilter` */
export function checkAgainstNull(operator: Operator, path: AttributePath): void {
  if (operator !== 'eq' && operator !== 'ne') throw unfit(path, operator);
}

/** Clients send booleans as text, in any case. */
export function booleanOf(value: Literal, path: AttributePath, operator: Operator): boolean {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  if (text === 'true' || text === 'false') return text === 'true';
  throw unfit(path, operator);
}

export function unfit(path: AttributePath, operator: Operator): InputError {
  return new InputError(`The filter compares "${nameOf(path)}" in a way that its type does not have (${operator}).`, {
    scimType: 'invalidFilter',
    reason: 'invalid-filter',
  });
}

export function nameOf({ attribute, sub }: AttributePath): string {
  return (sub === undefined ? attribute : `${attribute}.${sub}`).slice(0, 80);
}
