// Types of the admin API for the console, written from openapi.yaml: a client cannot ask for what there is not.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface Media {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Operation {
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema?: Schema }[];
  readonly requestBody?: Media;
  readonly responses: Readonly<Record<string, Media>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const SOURCE = fileURLToPath(new URL('../openapi.yaml', import.meta.url));
const TARGET = fileURLToPath(new URL('../src/console/api/types.ts', import.meta.url));

/** Writes src/console/api/types.ts, which is no part of the repository. */
export function writeApiTypes(): void {
  const { paths, components }: Document = parse(readFileSync(SOURCE, 'utf8'));
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `export type ${name} = ${typeOf(schema)};`,
  );
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationOf(method, path, operation)),
  );
  const text = `// Made from openapi.yaml by tools/api-types.ts.\n${schemas.join('\n')}\nexport interface Operations {\n${operations.join('\n')}\n}\n`;
  mkdirSync(dirname(TARGET), { recursive: true });
  writeFileSync(TARGET, text);
}

function operationOf(method: string, path: string, { parameters = [], requestBody, responses }: Operation): string {
  const at = (place: string): string =>
    objectOf(
      parameters
        .filter((parameter) => parameter.in === place)
        .map(({ name, required, schema }) => [name, required === true, typeOf(schema ?? {})]),
    );
  const ok = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1];
  const body = schemaOf(requestBody);
  return `  '${method.toUpperCase()} ${path}': { path: ${at('path')}; query: ${at('query')}; body: ${body === undefined ? 'undefined' : typeOf(body)}; answer: ${ok?.content === undefined ? 'undefined' : typeOf(schemaOf(ok) ?? {})} };`;
}

function schemaOf(media: Media | undefined): Schema | undefined {
  return Object.values(media?.content ?? {})[0]?.schema;
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? 'unknown';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return union(schema.enum.map((value) => JSON.stringify(value)));
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) return union(choices.map(typeOf));
  if (schema.allOf !== undefined) return schema.allOf.map((part) => `(${typeOf(part)})`).join(' & ');
  const types = schema.type === undefined ? [] : [schema.type].flat();
  return types.length === 0
    ? schema.properties === undefined
      ? 'unknown'
      : recordOf(schema)
    : union(types.map((type) => plainOf(type, schema)));
}

function plainOf(type: string, schema: Schema): string {
  if (type === 'integer') return 'number';
  if (type === 'array') return `readonly (${schema.items === undefined ? 'unknown' : typeOf(schema.items)})[]`;
  return type === 'object' ? recordOf(schema) : type;
}

function recordOf({ properties, required = [], additionalProperties }: Schema): string {
  if (properties === undefined)
    return `Readonly<Record<string, ${typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown'}>>`;
  const known = objectOf(
    Object.entries(properties).map(([name, schema]) => [name, required.includes(name), typeOf(schema)]),
  );
  return additionalProperties === undefined || additionalProperties === false
    ? known
    : `${known} & Record<string, unknown>`;
}

function objectOf(members: readonly (readonly [string, boolean, string])[]): string {
  if (members.length === 0) return '{}';
  return `{ ${members.map(([name, required, type]) => `readonly ${JSON.stringify(name)}${required ? '' : '?'}: ${type}`).join('; ')} }`;
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(' | ');
}

if (import.meta.main) writeApiTypes();
