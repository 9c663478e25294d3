// Holds answers to openapi.yaml.
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

interface Operation {
  readonly responses: Readonly<Record<string, { $ref?: string; content?: Record<string, { schema: unknown }> }>>;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly responses: Record<string, Operation['responses'][string]>;
  };
}

export const openapi: Document = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8'));

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(openapi as unknown as Record<string, unknown>, 'openapi.yaml');
const compiled = new Map<string, ValidateFunction>();

/** The problems of an answer; empty when it is as the document says. */
export function problemsOf(method: string, path: string, status: number, body: unknown): string[] {
  const template = Object.keys(openapi.paths).find((candidate) => matcher(candidate).test(path.split('?')[0] ?? ''));
  const operation = template === undefined ? undefined : openapi.paths[template]?.[method.toLowerCase()];
  if (template === undefined || operation === undefined) return [`${method} ${path} is not in openapi.yaml`];
  const response = operation.responses[String(status)];
  if (response === undefined) return [`${method} ${template} does not name the status ${status}`];
  const whole =
    response.$ref === undefined ? response : openapi.components.responses[response.$ref.split('/').at(-1) ?? ''];
  const content = Object.values(whole?.content ?? {})[0];
  if (content === undefined) return [];
  const pointer = `${method}${template}${status}`;
  const validate = compiled.get(pointer) ?? ajv.compile(rebase(content.schema) as object);
  compiled.set(pointer, validate);
  return validate(body) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function matcher(template: string): RegExp {
  return new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`);
}

/** References inside the document, as seen from outside. */
function rebase(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"openapi.yaml#/components'));
}
