// The API reference: every call of the OpenAPI document with its parameters, the fields of its body, and its answers.

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

interface Answer {
  readonly $ref?: string;
  readonly description?: string;
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> };
  readonly responses?: Readonly<Record<string, Answer>>;
}

export interface ApiDocument {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

/** The body of a page; every text of the document is escaped. */
export function renderReference(api: ApiDocument): string {
  const groups = new Map<string, string[]>();
  for (const [path, operations] of Object.entries(api.paths ?? {}))
    for (const [method, operation] of Object.entries(operations)) {
      if (!METHODS.includes(method)) continue;
      const noun = path.split('/')[1] ?? '';
      groups.set(noun, [...(groups.get(noun) ?? []), article(api, method, path, operation)]);
    }
  const links = [...groups.keys()].map((noun) => `<a href="#${escapeHtml(noun)}">${escapeHtml(noun)}</a>`);
  const body = [...groups].map(
    ([noun, articles]) => `<h2 id="${escapeHtml(noun)}">${escapeHtml(noun)}</h2>${articles.join('')}`,
  );
  return `<h1>Sluice API</h1><p>All paths are below <code>/api/v1</code>. All but signing in and the document itself need a bearer token. The whole document: <a href="/api/v1/openapi.json">openapi.json</a>.</p><nav>${links.join('')}</nav>${body.join('')}`;
}

function article(api: ApiDocument, method: string, path: string, operation: Operation): string {
  const { summary = '', description = '', parameters = [], requestBody, responses = {} } = operation;
  const texts = [summary, description].filter((text) => text !== '').map((text) => `<p>${prose(text)}</p>`);
  const bodies = Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => fieldsOf(api, schema));
  const answers = Object.entries(responses).map(([status, answer]) => {
    const { description: text = '' } = resolve(api, answer);
    return `<li>${prose(`${status} ${text}`.trim())}</li>`;
  });
  return `<article><h3><b>${method.toUpperCase()}</b> ${escapeHtml(path)}</h3>${texts.join('')}${table('Parameters', parameters.map(parameterField))}${table('Body', bodies)}<ul>${answers.join('')}</ul></article>`;
}

function parameterField({ name, in: where, required = false, description = '', schema = {} }: Parameter): Field {
  return { name: where === 'header' ? `${name} (header)` : name, ...describe(schema, required, description) };
}

/** Of alternatives the fields of all, each once. */
function fieldsOf(api: ApiDocument, schema: Schema | undefined): Field[] {
  const { properties = {}, required = [], allOf = [], oneOf = [], anyOf = [] } = resolve(api, schema ?? {});
  const own = Object.entries(properties).map(([name, one]) => ({
    name,
    ...describe(one, required.includes(name), resolve(api, one).description ?? ''),
  }));
  const all = [...own, ...[...allOf, ...oneOf, ...anyOf].flatMap((one) => fieldsOf(api, one))];
  return [...new Map(all.map((field) => [field.name, field])).values()];
}

function describe(schema: Schema, required: boolean, description: string): Omit<Field, 'name'> {
  const fallback = schema.default === undefined ? '' : `Default: ${JSON.stringify(schema.default)}.`;
  return { type: `${typeOf(schema)}${required ? ', required' : ''}`, text: `${description} ${fallback}`.trim() };
}

function typeOf(schema: Schema): string {
  const { $ref, type, items, oneOf, anyOf, allOf } = schema;
  if ($ref !== undefined) return $ref.split('/').at(-1) ?? '';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(String).join(' | ');
  const parts = oneOf ?? anyOf ?? allOf;
  if (parts !== undefined) return [...new Set(parts.map(typeOf))].join(allOf === undefined ? ' or ' : ' and ');
  if (type === 'array') return `list of ${typeOf(items ?? {})}`;
  return (typeof type === 'string' ? type : type?.join(' or ')) ?? 'any';
}

/** What a reference within the document leads to; anything else is itself. */
function resolve<Node extends { readonly $ref?: string }>(api: ApiDocument, node: Node): Node {
  if (node.$ref === undefined) return node;
  const steps = node.$ref.slice('#/'.length).split('/');
  return steps.reduce((at, step) => (at as Record<string, unknown>)[step], api as unknown) as Node;
}

function table(caption: string, fields: readonly Field[]): string {
  if (fields.length === 0) return '';
  const rows = fields.map(
    ({ name, type, text }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${escapeHtml(type)}</td><td>${prose(text)}</td></tr>`,
  );
  return `<table><caption>${caption}</caption>${rows.join('')}</table>`;
}

/** What stands between backticks is code. */
function prose(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
