// Random resources, made by what the schemas declare: every attribute, every value of its declared type.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Attribute, ResourceSchema, Schema } from '#core/attributes.ts';
import { type Document, finish, isPrimary } from '#core/coerce.ts';
import { foldCase } from '#core/search.ts';

/** Texts in which case, accents, wildcards of SQL, quotes and planes of Unicode meet. Few, so that values meet too. */
export const anyWord: fc.Arbitrary<string> = fc.constantFrom(
  'Ada',
  'ada',
  'ADA L',
  'İz',
  'Straße',
  '김',
  '😀',
  '100%',
  'a_b',
  'a\\b',
  '"q"',
  'True',
  '2026-11-25',
  'z',
);
const anyBase64 = fc.constantFrom('QWRh', 'qWrh', 'QQ==', 'Zm9vYmFy');

/** Attributes that belong to the directory and never lie in a document. */
const JOINED: ReadonlySet<string> = new Set(['id', 'meta', 'schemas', 'groups', 'members']);

export interface DocumentOptions {
  /** Whether attributes that only the service sets are there too. */
  readonly withReadOnly: boolean;
}

/** A whole resource as it is stored, of the form that `finish` gives it. */
export function anyDocument(schema: ResourceSchema, options: DocumentOptions): fc.Arbitrary<Document> {
  const extensions = schema.extensions.map((extension) => fieldsOf(extension, options));
  return fc.tuple(fieldsOf(schema.core, options), ...extensions).map(([core, ...others]) => {
    const inner = others.map((fields, place) => [schema.extensions[place]?.id, fields]);
    return finish(schema, { ...core, ...Object.fromEntries(inner) });
  });
}

function fieldsOf({ attributes }: Schema, options: DocumentOptions): fc.Arbitrary<Document> {
  return recordOf(
    [...attributes.values()].filter(
      ({ name, mutability }) => !JOINED.has(name) && (options.withReadOnly || mutability !== 'readOnly'),
    ),
  );
}

/** Required ones always, the others every second time. */
function recordOf(attributes: readonly Attribute[]): fc.Arbitrary<Document> {
  const values = attributes.map((attribute) =>
    attribute.required ? anyValue(attribute) : fc.option(anyValue(attribute), { freq: 1, nil: undefined }),
  );
  return fc.tuple(...values).map((all) => {
    const document: Document = {};
    for (const [place, attribute] of attributes.entries())
      if (all[place] !== undefined) document[attribute.name] = all[place];
    return document;
  });
}

/** A value that the attribute may have; of a multi-valued one a list in which at most one is primary. */
export function anyValue(attribute: Attribute): fc.Arbitrary<unknown> {
  if (!attribute.multiValued) return anyOne(attribute);
  return fc.array(anyOne(attribute), { maxLength: 3 }).map((values) => {
    let primaries = 0;
    return values.map((value) => {
      primaries += isPrimary(value) ? 1 : 0;
      return isPrimary(value) && primaries > 1 ? { ...(value as Document), primary: false } : value;
    });
  });
}

function anyOne(attribute: Attribute): fc.Arbitrary<unknown> {
  switch (attribute.type) {
    case 'boolean':
      return fc.boolean();
    case 'binary':
      return anyBase64;
    case 'integer':
      return fc.integer();
    case 'decimal':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'dateTime':
      return fc.constantFrom('2026-11-25T10:00:00Z', '2026-11-25T11:00:00.000+01:00');
    case 'complex':
      return recordOf([...attribute.sub.values()]);
    default:
      return anyWord;
  }
}

/** Fails unless the document is of the one form in which resources are stored. */
export function assertConforms(schema: ResourceSchema, document: Document): void {
  const extensions = schema.extensions.filter(({ id }) => document[id] !== undefined);
  assert.deepEqual(document['schemas'], [schema.core.id, ...extensions.map(({ id }) => id)]);
  for (const { id } of extensions) assert.notDeepEqual(document[id], {});
  const { schemas: _schemas, ...rest } = document;
  const core = Object.fromEntries(Object.entries(rest).filter(([name]) => !extensions.some(({ id }) => id === name)));
  conform(schema.core.attributes, core, '');
  for (const { id, attributes } of extensions) conform(attributes, document[id] as Document, `${id}:`);
  for (const { name, required } of schema.core.attributes.values())
    if (required) assert.notEqual(document[name], undefined, name);
}

function conform(attributes: ReadonlyMap<string, Attribute>, fields: Document, place: string): void {
  for (const [name, value] of Object.entries(fields)) {
    const attribute = attributes.get(foldCase(name));
    assert.equal(attribute?.name, name, `${place}${name} is nothing that the schema declares`);
    if (attribute === undefined) continue;
    const values = attribute.multiValued ? (value as unknown[]) : [value];
    assert.ok(Array.isArray(values) && values.length > 0, `${place}${name} is not a list with a value`);
    assert.ok(values.filter(isPrimary).length <= 1, `${place}${name} has several primary values`);
    for (const one of values) conformOne(attribute, one, `${place}${name}`);
  }
}

function conformOne({ type, sub }: Attribute, value: unknown, place: string): void {
  if (type === 'complex') {
    assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${place} is not an object`);
    assert.ok(Object.keys(value).length > 0, `${place} is empty`);
    conform(sub, value as Document, `${place}.`);
    return;
  }
  const wanted = type === 'boolean' ? 'boolean' : type === 'integer' || type === 'decimal' ? 'number' : 'string';
  assert.equal(typeof value, wanted, place);
  assert.notEqual(value, '', place);
}
