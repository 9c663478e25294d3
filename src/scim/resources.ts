import { type Request, type Response, Router } from 'express';
import { ForbiddenError, InputError, NotFoundError } from '#core/errors.ts';
import { parseFilter } from '#core/filter.ts';
import type { ResourceType } from '#core/resource.ts';
import { compileFilter, type Where } from '#store/filter.ts';
import { readPage, readResource, type ServedRow } from '#store/resource-reads.ts';
import { makeProjection, type Projection } from './projection.ts';
import type { ScimParts } from './router.ts';
import { RESOURCE_SCHEMAS } from './scimmy.ts';

const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
export const COUNT_DEFAULT = 100;
export const COUNT_MAX = 1_000;
/** Deeper than any list is long; keeps the offset a number PostgreSQL can hold. */
const START_MAX = 1_000_000_000;

const ENDPOINT: Readonly<Record<ResourceType, string>> = { User: '/Users', Group: '/Groups' };
const RELATED: Readonly<Record<ResourceType, string>> = { User: 'groups', Group: 'members' };

/** GET on one endpoint and its resources (RFC 7644 section 3.4). Writes say why they are refused. */
export function resourceRoutes(type: ResourceType, parts: ScimParts): Router {
  const endpoint = ENDPOINT[type];
  return Router()
    .get(endpoint, async (request, response) => {
      await answerList(type, parts, request, response);
    })
    .get(`${endpoint}/:id`, async (request, response) => {
      await answerOne(type, parts, request, response);
    })
    .all([endpoint, `${endpoint}/:id`], (request) => {
      throw new ForbiddenError(`This directory is read-only for this token: ${request.method} is refused.`, {
        reason: 'read-only',
      });
    });
}

async function answerOne(
  type: ResourceType,
  { database, publicUrl }: ScimParts,
  request: Request,
  response: Response,
): Promise<void> {
  const id = String(request.params['id']);
  const projection = makeProjection(
    RESOURCE_SCHEMAS[type],
    single(request, 'attributes'),
    single(request, 'excludedAttributes'),
  );
  const base = `${publicUrl()}/scim/v2`;
  const found = isUuid(id)
    ? await readResource(database, type, id.toLowerCase(), {
        base: jsonText(base),
        related: projection.wants(RELATED[type]),
      })
    : undefined;
  if (found === undefined) throw new NotFoundError(`There is no ${type} with the id "${id.slice(0, 64)}".`);
  const etag = etagOf(found);
  response.set({ etag, 'content-location': `${base}${endpoint(type)}/${found.id}` });
  if (noneMatch(request, etag)) {
    response.status(304).end();
    return;
  }
  response.type('application/scim+json').send(serialise(found, projection, base));
}

async function answerList(
  type: ResourceType,
  { database, publicUrl }: ScimParts,
  request: Request,
  response: Response,
): Promise<void> {
  const projection = makeProjection(
    RESOURCE_SCHEMAS[type],
    single(request, 'attributes'),
    single(request, 'excludedAttributes'),
  );
  const startIndex = Math.min(START_MAX, Math.max(1, integer(request, 'startIndex') ?? 1));
  const count = Math.min(COUNT_MAX, Math.max(0, integer(request, 'count') ?? COUNT_DEFAULT));
  const base = `${publicUrl()}/scim/v2`;
  const { rows, total } = await readPage(database, type, {
    where: whereOf(type, single(request, 'filter')),
    offset: startIndex - 1,
    limit: count,
    base: jsonText(base),
    related: projection.wants(RELATED[type]),
  });
  const resources = rows.map((row) => serialise(row, projection, base)).join(',');
  const head = `{"schemas":["${LIST_SCHEMA}"],"totalResults":${total},"startIndex":${startIndex},"itemsPerPage":${rows.length}`;
  response.type('application/scim+json').send(`${head},"Resources":[${resources}]}`);
}

function whereOf(type: ResourceType, filter: string | undefined): Where {
  return filter === undefined
    ? { text: 'true', values: [] }
    : compileFilter(parseFilter(filter), RESOURCE_SCHEMAS[type]);
}

/** The stored text with id, meta and related resources joined in front; parsed only when a projection asks for it. */
function serialise(row: ServedRow, projection: Projection, base: string): string {
  const type = row.resource_type;
  const meta = JSON.stringify({
    resourceType: type,
    created: row.created_at.toISOString(),
    lastModified: row.updated_at.toISOString(),
    location: `${base}${endpoint(type)}/${row.id}`,
    version: etagOf(row),
  });
  const related = row.related === null ? '' : `"${RELATED[type]}":${row.related},`;
  const text = `{"id":"${row.id}","meta":${meta},${related}${row.body.slice(1)}`;
  return projection.whole ? text : JSON.stringify(projection.apply(JSON.parse(text)));
}

function endpoint(type: ResourceType): string {
  return ENDPOINT[type];
}

function etagOf({ version }: ServedRow): string {
  return `W/"${version}"`;
}

/** Weak comparison (RFC 9110 section 13.1.2). */
function noneMatch(request: Request, etag: string): boolean {
  const header = request.get('if-none-match');
  if (header === undefined) return false;
  const strong = etag.replace(/^W\//, '');
  return header
    .split(',')
    .some((candidate) => candidate.trim() === '*' || candidate.trim().replace(/^W\//, '') === strong);
}

/** A query parameter; of one that is repeated, the first. Unknown ones are ignored. */
function single(request: Request, name: string): string | undefined {
  const value: unknown = request.query[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' && first !== '' ? first : undefined;
}

function integer(request: Request, name: string): number | undefined {
  const text = single(request, name);
  if (text === undefined) return undefined;
  if (!/^[+-]?\d+$/.test(text.trim()))
    throw new InputError(`"${name}" must be a whole number.`, { scimType: 'invalidValue' });
  return Number(text);
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** A text as it stands inside a JSON string. */
function jsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
