// The API reference: every call of the OpenAPI document with its parameters, the fields of its body, and its answers.

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly title?: string;
  readonly description?: string;
  readonly writeOnly?: boolean;
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
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface Field {
  readonly name: string;
  readonly required: boolean;
  readonly schema: Schema;
}

/** Of a table. */
interface Row {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

/** The section of the schemas that have a title: calls that take or answer them lead there. */
const SCHEMAS = 'schemas';
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
  const schemas = Object.values(api.components?.schemas ?? {}).filter(({ title }) => title !== undefined);
  if (schemas.length > 0)
    groups.set(
      SCHEMAS,
      schemas.map((schema) => schemaArticle(api, schema)),
    );
  const links = [...groups.keys()].map((noun) => `<a href="#${escapeHtml(noun)}">${escapeHtml(noun)}</a>`);
  const body = [...groups].map(
    ([noun, articles]) => `<h2 id="${escapeHtml(noun)}">${escapeHtml(noun)}</h2>${articles.join('')}`,
  );
  return `<h1>Sluice API</h1><p>All paths are below <code>/api/v1</code>. All but signing in and the document itself need a bearer token. The whole document: <a href="/api/v1/openapi.json">openapi.json</a>.</p><nav>${links.join('')}</nav>${body.join('')}`;
}

function schemaArticle(api: ApiDocument, schema: Schema): string {
  const { title = '', description = '' } = schema;
  return `<article id="${idOf(title)}"><h3>${escapeHtml(title)}</h3><p>${prose(description)}</p>${table('Fields', rowsOf(api, schema))}</article>`;
}

function article(api: ApiDocument, method: string, path: string, operation: Operation): string {
  const { summary = '', description = '', parameters = [], requestBody, responses = {} } = operation;
  const texts = [summary, description].filter((text) => text !== '').map((text) => `<p>${prose(text)}</p>`);
  const bodies = Object.values(requestBody?.content ?? {}).map(({ schema = {} }) => bodyOf(api, schema));
  const answers = Object.entries(responses).map(([status, answer]) => {
    const { description: text = '' } = resolve(api, answer);
    return `<li>${prose(`${status} ${text}`.trim())}</li>`;
  });
  const rows = parameters.map((parameter) => parameterRow(api, parameter));
  return `<article><h3><b>${method.toUpperCase()}</b> ${escapeHtml(path)}</h3>${texts.join('')}${table('Parameters', rows)}${bodies.join('')}<ul>${answers.join('')}</ul></article>`;
}

/** The fields of a body, or the way to what is described apart. */
function bodyOf(api: ApiDocument, schema: Schema): string {
  const whole = resolve(api, schema);
  const titles = (whole.anyOf ?? whole.oneOf ?? []).map((one) => resolve(api, one).title);
  if (titles.length === 0 || titles.includes(undefined)) return table('Body', rowsOf(api, whole));
  const links = titles.map((title = '') => `<a href="#${idOf(title)}">${escapeHtml(title)}</a>`);
  return `<p>Body: ${links.join(', or ')}. ${prose(whole.description ?? '')}</p>`;
}

function parameterRow(api: ApiDocument, { name, in: where, required = false, ...parameter }: Parameter): Row {
  const { description = '', schema = {} } = parameter;
  return {
    name: where === 'header' ? `${name} (header)` : name,
    type: typed(typeOf(api, schema), required),
    text: textOf(schema, description),
  };
}

/** Fields, each followed by those within it by their path: `scope.filter`, `rules[].filter`. */
function rowsOf(api: ApiDocument, schema: Schema, above = ''): Row[] {
  const fields = new Map<string, Field[]>();
  for (const field of fieldsOf(api, schema)) fields.set(field.name, [...(fields.get(field.name) ?? []), field]);
  return [...fields].flatMap(([name, alternatives]) => {
    const path = `${above}${name}`;
    const types = new Set(alternatives.map(({ schema: one }) => typeOf(api, one)));
    const texts = new Set(alternatives.map(({ schema: one }) => textOf(one, resolve(api, one).description ?? '')));
    const row = {
      name: path,
      type: typed(
        [...types].join(' or '),
        alternatives.every(({ required }) => required),
      ),
      text: [...texts].filter((text) => text !== '').join(' '),
    };
    return [row, ...alternatives.flatMap(({ schema: one }) => rowsWithin(api, one, path))];
  });
}

function rowsWithin(api: ApiDocument, schema: Schema, path: string): Row[] {
  const { items } = resolve(api, schema);
  return items === undefined ? rowsOf(api, schema, `${path}.`) : rowsOf(api, items, `${path}[].`);
}

/** Of alternatives the fields of each; required is what all of them require that are not null. */
function fieldsOf(api: ApiDocument, schema: Schema): Field[] {
  const { properties = {}, required = [], allOf = [], oneOf = [], anyOf = [] } = resolve(api, schema);
  const own = Object.entries(properties).map(([name, one]) => ({
    name,
    required: required.includes(name),
    schema: one,
  }));
  const choices = [...oneOf, ...anyOf].filter(({ type }) => type !== 'null').map((one) => fieldsOf(api, one));
  const isRequired = (name: string): boolean =>
    choices.every((fields) => fields.some((field) => field.name === name && field.required));
  return [
    ...own,
    ...allOf.flatMap((one) => fieldsOf(api, one)),
    ...choices.flat().map((field) => ({ ...field, required: isRequired(field.name) })),
  ];
}

function typed(type: string, required: boolean): string {
  return required ? `${type}, required` : type;
}

function textOf(schema: Schema, description: string): string {
  const notes = [
    description,
    ...(schema.writeOnly === true ? ['Never shown.'] : []),
    ...(schema.default === undefined ? [] : [`Default: ${JSON.stringify(schema.default)}.`]),
  ];
  return notes.join(' ').trim();
}

function typeOf(api: ApiDocument, schema: Schema): string {
  const whole = resolve(api, schema);
  const { type, items, oneOf, anyOf, allOf } = whole;
  if (whole.const !== undefined) return JSON.stringify(whole.const);
  if (whole.enum !== undefined) return whole.enum.map(String).join(' | ');
  const parts = oneOf ?? anyOf ?? allOf;
  if (parts !== undefined)
    return [...new Set(parts.map((part) => typeOf(api, part)))].join(allOf === undefined ? ' or ' : ' and ');
  if (type === 'array') return `list of ${typeOf(api, items ?? {})}`;
  return (typeof type === 'string' ? type : type?.join(' or ')) ?? 'any';
}

/** What a reference within the document leads to, with what stands beside the reference; anything else is itself. */
function resolve<Node extends { readonly $ref?: string }>(api: ApiDocument, node: Node): Node {
  if (node.$ref === undefined) return node;
  const { $ref, ...own } = node;
  const steps = $ref.slice('#/'.length).split('/');
  const found = steps.reduce((at, step) => (at as Record<string, unknown>)[step], api as unknown) as Node;
  return { ...resolve(api, found), ...own };
}

function idOf(title: string): string {
  return escapeHtml(title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'));
}

function table(caption: string, fields: readonly Row[]): string {
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
