// Settings of sources as openapi.yaml describes them, held against what the parsers take.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import * as csv from '../../src/providers/csv/settings.ts';
import * as ldap from '../../src/providers/ldap/settings.ts';
import * as microsoft365 from '../../src/providers/microsoft365/settings.ts';
import * as scim from '../../src/providers/scim/settings.ts';
import { openapi } from '../support/openapi.ts';

type Json = Readonly<Record<string, unknown>>;

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly format?: string;
  readonly writeOnly?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: unknown;
  readonly unevaluatedProperties?: unknown;
}

/** What answers add to settings, and what confirms them. */
const MARKS = ['configVersion', 'secretsSet', 'confirmImpact'];

const KINDS = {
  Microsoft365Settings: {
    ...microsoft365,
    samples: [{ tenantId: 'contoso.com', clientId: 'c', credential: { kind: 'managedIdentity' } }],
  },
  LdapSettings: {
    ...ldap,
    samples: [
      { preset: 'openldap', url: 'ldaps://a', users: { base: 'dc=a' } },
      { preset: 'openldap', url: 'ldaps://a', users: { base: 'dc=a' }, groups: { base: 'dc=a' } },
    ],
  },
  CsvSettings: {
    ...csv,
    samples: [{}, { source: { kind: 'folder' } }, { source: { kind: 'url', users: 'https://a.test/users.csv' } }],
  },
  ScimSettings: { ...scim, SECRET_PATHS: [], samples: [{}] },
} satisfies Record<string, { Settings: z.ZodType; SECRET_PATHS: readonly string[]; samples: readonly object[] }>;

describe('settings of sources in openapi.yaml', () => {
  for (const [name, { Settings, SECRET_PATHS, parseSettings, samples }] of Object.entries(KINDS)) {
    it(`has the fields of ${name} with the limits of the parser, and no others`, () => {
      assert.deepEqual(withoutMarks(shapeOf(documented(name))), shapeOf(parserOf(Settings), SECRET_PATHS));
    });

    it(`says what of ${name} is never shown`, () => {
      assert.deepEqual(secretsIn(documented(name)).sort(), ['confirmImpact', ...SECRET_PATHS].sort());
    });

    it(`has the defaults of ${name}, every one`, () => {
      for (const sample of samples) assert.deepEqual(filled(documented(name), sample), parseSettings(sample));
    });
  }

  it('has the fields by which the way to Microsoft is found', () => {
    assert.deepEqual(shapeOf(documented('MicrosoftApplication')), shapeOf(parserOf(microsoft365.ConnectTarget)));
  });
});

function documented(name: string): Schema {
  return openapi.components.schemas[name] as Schema;
}

function parserOf(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema;
}

function withoutMarks({ properties, ...shape }: Json): Json {
  const own = Object.entries(properties as Json).filter(([name]) => !MARKS.includes(name));
  return { ...shape, properties: Object.fromEntries(own) };
}

function resolved({ $ref, ...own }: Schema): Schema {
  return $ref === undefined ? own : { ...resolved(documented($ref.split('/').at(-1) ?? '')), ...own };
}

/** Alternatives within alternatives as one list. */
function choicesOf(schema: Schema): readonly Schema[] {
  const whole = resolved(schema);
  const { oneOf, anyOf, ...rest } = whole;
  const choices = oneOf ?? anyOf;
  if (choices !== undefined) return choices.flatMap(choicesOf);
  return Array.isArray(rest.type) ? rest.type.map((type) => ({ ...rest, type })) : [rest];
}

const LIMITS = ['minimum', 'maximum', 'minLength', 'maxLength', 'maxItems', 'pattern'] as const;
/** What belongs to which type: of `type: [integer, "null"]` the limits are the integer's. */
const TYPED: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern'],
  integer: ['minimum', 'maximum'],
  array: ['maxItems'],
};

/**
 * What a schema takes, whichever way it is written. Formats are left out: they say what `pattern` and the parser's own
 * rules say. Defaults are compared apart.
 * @param secrets need not be given again, so they are required of nobody
 */
function shapeOf(schema: Schema, secrets: readonly string[] = []): Json {
  const shapes = choicesOf(schema).map((choice) => plainShape(choice, secrets));
  if (shapes.length === 1) return shapes[0] ?? {};
  return { choices: shapes.map((shape) => JSON.stringify(shape)).sort() };
}

function plainShape(schema: Schema, secrets: readonly string[]): Json {
  const { type, enum: words, properties, items, required = [], format } = schema;
  const values = words ?? ('const' in schema ? [schema.const] : undefined);
  if (values !== undefined) return { values: [...values].map(String).sort() };
  const limits = LIMITS.filter((limit) => limit in schema && TYPED[String(type)]?.includes(limit) === true)
    .filter((limit) => limit !== 'pattern' || (format !== 'date' && format !== 'uuid'))
    .map((limit) => [limit, (schema as Json)[limit]]);
  const shape: Json = { ...(type === undefined ? {} : { type }), ...Object.fromEntries(limits) };
  if (type === 'array') return { ...shape, items: shapeOf(items ?? {}, secrets) };
  if (type !== 'object') return shape;
  const below = (name: string): string[] =>
    secrets.filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1));
  const fields = Object.entries(properties ?? {}).map(([name, one]) => [name, shapeOf(one, below(name))] as const);
  return {
    ...shape,
    closed: schema.additionalProperties === false || schema.unevaluatedProperties === false,
    required: required.filter((name) => !secrets.includes(name)).sort(),
    properties: Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function secretsIn(schema: Schema): string[] {
  const found = choicesOf(schema).flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([name, one]) => [
      ...(resolved(one).writeOnly === true ? [name] : []),
      ...secretsIn(one).map((path) => `${name}.${path}`),
    ]),
  );
  return [...new Set(found)];
}

/** A value with the defaults of the document: what may be left out and has none is left out. */
function filled(schema: Schema, given: unknown): unknown {
  const whole = resolved(schema);
  const value = given === undefined ? whole.default : given;
  const objects = choicesOf(schema).filter(({ type }) => type === 'object');
  const isOptional = objects.length === 1 && (objects[0]?.required ?? []).length === 0;
  if (value === undefined && !isOptional) return undefined;
  if (value === null || objects.length === 0) return value;
  const fields = (value ?? {}) as Json;
  const fits = ({ properties }: Schema): boolean => {
    const kind = properties?.['kind']?.const;
    return kind === undefined || kind === fields['kind'];
  };
  const { properties = {} } = objects.find(fits) ?? {};
  const entries = Object.entries(properties).map(([name, one]) => [name, filled(one, fields[name])]);
  return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
}
