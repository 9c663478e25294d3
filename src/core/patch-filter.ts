// The filter in a path of PATCH, `emails[type eq "work"]`: what it chooses, and the value that it describes.
import type { Attribute } from './attributes.ts';
import { coerceValue, type Document } from './coerce.ts';
import { InputError, type ScimType } from './errors.ts';
import type { AttributePath, Filter } from './filter.ts';
import { foldCase } from './search.ts';

/** `value eq "a"`, or several joined by `or`. */
export function idsNamed(filter: Filter): string[] | undefined {
  if (filter.kind === 'or') {
    const each = filter.terms.map(idsNamed);
    return each.every((ids) => ids !== undefined) ? each.flat() : undefined;
  }
  if (filter.kind !== 'compare' || filter.operator !== 'eq' || typeof filter.value !== 'string') return undefined;
  const { attribute, sub } = filter.path;
  if (sub !== undefined) return undefined;
  return foldCase(attribute) === 'value' ? [filter.value] : undefined;
}

/** What an address of ours ends with. */
const ADDRESS = /\/(?:User|Group)s\/[^/]+$/i;

/** A filter of members that compares their `$ref` by type and id alone: what comes before depends on the way by which one came. */
export function byPlace(filter: Filter): Filter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, terms: filter.terms.map(byPlace) };
    case 'not':
      return { kind: 'not', term: byPlace(filter.term) };
    case 'compare': {
      const isAddress = foldCase(filter.path.attribute) === '$ref' && typeof filter.value === 'string';
      const place = isAddress ? ADDRESS.exec(String(filter.value))?.[0] : undefined;
      return place === undefined ? filter : { ...filter, value: place.toLowerCase() };
    }
    default:
      return filter;
  }
}

/** The `$ref` of a member, as `byPlace` compares it. */
export function placeOf({ type, value }: { readonly type: string; readonly value: string }): string {
  return `/${type}s/${value}`.toLowerCase();
}

/** The element that a filter of equalities describes. */
export function elementFrom(filter: Filter, attribute: Attribute): Document | undefined {
  const terms = filter.kind === 'and' ? filter.terms : [filter];
  const element: Document = {};
  for (const term of terms) {
    if (term.kind !== 'compare' || term.operator !== 'eq' || term.path.sub !== undefined) return undefined;
    const sub = attribute.sub.get(foldCase(term.path.attribute));
    if (sub === undefined || sub.mutability === 'readOnly') return undefined;
    const value = coerceValue(sub, term.value);
    if (value !== undefined) element[sub.name] = value;
  }
  return element;
}

/** Booleans in a filter may be text: `primary eq "True"`. */
export function typed(filter: Filter, attribute: Attribute): Filter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, terms: filter.terms.map((term) => typed(term, attribute)) };
    case 'not':
      return { kind: 'not', term: typed(filter.term, attribute) };
    case 'compare': {
      const sub = attribute.sub.get(foldCase(filter.path.attribute));
      const isText = sub?.type === 'boolean' && typeof filter.value === 'string';
      return isText ? { ...filter, value: coerceValue(sub, filter.value) as boolean } : filter;
    }
    default:
      return filter;
  }
}

/**
 * Checks that a filter chooses by what the values of an attribute have, and as their types allow.
 * @throws {InputError} `invalidPath`: there is nothing of that name; `invalidFilter`: a comparison that its type does not have
 */
export function checkFilter(filter: Filter, attribute: Attribute): void {
  switch (filter.kind) {
    case 'and':
    case 'or':
      for (const term of filter.terms) checkFilter(term, attribute);
      return;
    case 'not':
      checkFilter(filter.term, attribute);
      return;
    case 'element':
      throw unknown(filter, attribute);
    default: {
      const { schema, attribute: name, sub } = filter.path;
      const chosenBy = schema === undefined && sub === undefined ? attribute.sub.get(foldCase(name)) : undefined;
      if (chosenBy === undefined) throw unknown(filter, attribute);
      if (filter.kind === 'compare' && !isComparable(chosenBy, filter))
        throw new InputError(
          `The path compares "${chosenBy.name}" in a way that its type does not have (${filter.operator}).`,
          { scimType: 'invalidFilter', reason: 'invalid-filter' },
        );
    }
  }
}

function unknown({ path }: { readonly path: AttributePath }, attribute: Attribute): InputError {
  const name = path.sub === undefined ? path.attribute : `${path.attribute}.${path.sub}`;
  return refuse('invalidPath', `The path chooses by "${name.slice(0, 60)}", which "${attribute.name}" does not have.`);
}

/** As in the filter of a list: of null, of true and false, and of bytes there is only to be it or not (RFC 7644 section 3.4.2.2). */
function isComparable({ type }: Attribute, { operator, value }: Extract<Filter, { kind: 'compare' }>): boolean {
  const isEquality = operator === 'eq' || operator === 'ne';
  if (value === null) return isEquality;
  if (type === 'boolean') return isEquality && /^(?:true|false)$/i.test(String(value));
  if (type === 'integer' || type === 'decimal') return typeof value === 'number';
  return typeof value === 'string' && (isEquality || type !== 'binary');
}

export function refuse(scimType: ScimType, message: string): InputError {
  return new InputError(message, { scimType, reason: scimType === 'mutability' ? 'read-only' : 'invalid-patch' });
}
