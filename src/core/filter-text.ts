/** Filters in words: what they demand, and which demand a value fails. Pure. */
import { type AttributePath, type Filter, matches } from './filter.ts';

/** The filter as text, for the reason why somebody is out of scope. */
export function describeFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.terms.map((term) => inBrackets(term)).join(` ${filter.kind} `);
    case 'not':
      return `not (${describeFilter(filter.term)})`;
    case 'present':
      return `${pathText(filter.path)} pr`;
    case 'element':
      return `${pathText(filter.path)}[${describeFilter(filter.filter)}]`;
    case 'compare':
      return `${pathText(filter.path)} ${filter.operator} ${JSON.stringify(filter.value)}`;
  }
}

/** The terms of which each must be true by itself. */
export function demandsOf(filter: Filter | undefined): readonly Filter[] {
  return filter === undefined ? [] : filter.kind === 'and' ? filter.terms : [filter];
}

/** The first demand that a value fails, as text; undefined when it fulfils the filter. */
export function failedDemand(filter: Filter | undefined, value: unknown): string | undefined {
  const failed = demandsOf(filter).find((term) => !matches(term, value));
  return failed === undefined ? undefined : describeFilter(failed);
}

function inBrackets(filter: Filter): string {
  const inner = describeFilter(filter);
  return filter.kind === 'and' || filter.kind === 'or' ? `(${inner})` : inner;
}

function pathText({ schema, attribute, sub }: AttributePath): string {
  const name = schema === undefined ? attribute : `${schema}:${attribute}`;
  return sub === undefined ? name : `${name}.${sub}`;
}
