// Random filters over everything that the schemas declare, with literals that meet the values of documents.ts; and a
// filter as text.
import fc from 'fast-check';
import type { Attribute, ResourceSchema } from '#core/attributes.ts';
import type { AttributePath, Filter, Literal, Operator } from '#core/filter.ts';
import { anyWord } from './documents.ts';

const ORDERED: readonly Operator[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'];
const TEXT: readonly Operator[] = [...ORDERED, 'co', 'sw', 'ew'];
const EQUAL: readonly Operator[] = ['eq', 'ne'];

/** What an attribute may be compared with, where the words of documents.ts would never match: ids, URLs, times. */
export type Literals = Readonly<Record<string, readonly string[]>>;

/** Any filter that is legal for the schema. `literals` by path: `id`, `meta.created`, `groups.value`. */
export function anyFilter(schema: ResourceSchema, literals: Literals): fc.Arbitrary<Filter> {
  const leaves: fc.Arbitrary<Filter>[] = [];
  const elements: fc.Arbitrary<Filter>[] = [];
  for (const part of [schema.core, ...schema.extensions])
    for (const attribute of part.attributes.values()) {
      const of = { ...(part === schema.core ? {} : { schema: part.id }), attribute: attribute.name };
      leaves.push(present(of));
      if (attribute.type !== 'complex' || attribute.sub.has('value'))
        leaves.push(comparison(of, attribute, attribute.name, literals));
      for (const sub of attribute.sub.values()) {
        leaves.push(comparison({ ...of, sub: sub.name }, sub, `${attribute.name}.${sub.name}`, literals));
        leaves.push(present({ ...of, sub: sub.name }));
      }
      if (attribute.type === 'complex') elements.push(element(of, attribute, literals));
    }
  return combined(combined(fc.oneof({ weight: 3, arbitrary: fc.oneof(...leaves) }, fc.oneof(...elements))));
}

function element(path: AttributePath, { name, sub }: Attribute, literals: Literals): fc.Arbitrary<Filter> {
  const inner = [...sub.values()].flatMap((one) => [
    comparison({ attribute: one.name }, one, `${name}.${one.name}`, literals),
    present({ attribute: one.name }),
  ]);
  return combined(fc.oneof(...inner)).map((filter) => ({ kind: 'element', path, filter }));
}

function present(path: AttributePath): fc.Arbitrary<Filter> {
  return fc.constant({ kind: 'present', path });
}

function comparison(path: AttributePath, attribute: Attribute, name: string, literals: Literals): fc.Arbitrary<Filter> {
  const known = literals[name] ?? literals[`${name}.value`];
  const leaf = attribute.type === 'complex' ? (attribute.sub.get('value') ?? attribute) : attribute;
  const [operators, values] = comparable(leaf, known);
  const compared = plain({ operator: fc.constantFrom(...operators), value: values });
  const absent = plain({ operator: fc.constantFrom(...EQUAL), value: fc.constant(null) });
  return fc
    .oneof({ weight: 5, arbitrary: compared as fc.Arbitrary<{ operator: Operator; value: Literal }> }, absent)
    .map((rest) => ({ kind: 'compare', path, ...rest }));
}

function comparable(
  { type }: Attribute,
  known: readonly string[] | undefined,
): [readonly Operator[], fc.Arbitrary<Literal>] {
  if (type === 'boolean') return [EQUAL, fc.boolean()];
  if (type === 'dateTime') return [ORDERED, fc.constantFrom(...(known ?? []))];
  if (type === 'binary') return [EQUAL, fc.constantFrom('QWRh', 'qWrh', 'QQ==')];
  return [TEXT, known === undefined ? anyWord : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, anyWord)];
}

function combined(term: fc.Arbitrary<Filter>): fc.Arbitrary<Filter> {
  const several = plain({
    kind: fc.constantFrom('and' as const, 'or' as const),
    terms: fc.array(term, { minLength: 2, maxLength: 3 }),
  });
  const negated = plain({ kind: fc.constant('not' as const), term });
  return fc.oneof(
    { weight: 3, arbitrary: term },
    { weight: 1, arbitrary: several as fc.Arbitrary<Filter> },
    { weight: 1, arbitrary: negated as fc.Arbitrary<Filter> },
  );
}

/** A record with the prototype that objects have. */
function plain<Fields extends object>(
  fields: { [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> },
): fc.Arbitrary<Fields> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<Fields>;
}

/** The filter as text; `spelled` gives every keyword its case. */
export function printFilter(filter: Filter, spelled: (word: string) => string = (word) => word): string {
  const print = (inner: Filter): string => printFilter(inner, spelled);
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.terms
        .map((term) => (term.kind === 'and' || term.kind === 'or' ? `(${print(term)})` : print(term)))
        .join(` ${spelled(filter.kind)} `);
    case 'not':
      return `${spelled('not')} (${print(filter.term)})`;
    case 'present':
      return `${printPath(filter.path)} ${spelled('pr')}`;
    case 'element':
      return `${printPath(filter.path)}[${print(filter.filter)}]`;
    case 'compare': {
      const literal = JSON.stringify(filter.value);
      const value = typeof filter.value === 'string' ? literal : spelled(literal);
      return `${printPath(filter.path)} ${spelled(filter.operator)} ${value}`;
    }
  }
}

function printPath({ schema, attribute, sub }: AttributePath): string {
  return `${schema === undefined ? '' : `${schema}:`}${attribute}${sub === undefined ? '' : `.${sub}`}`;
}
