import { type Request, type RequestHandler, type Response, Router } from 'express';
import { MethodError, NotImplementedError } from '#core/errors.ts';
import type { ResourceType } from '#core/resource.ts';
import { principalOf } from '#http/auth.ts';
import type { Served } from '#store/served.ts';
import { type Edited, missing } from '#sync/edits.ts';
import { etagOf, expectation, jsonText, names } from './answers.ts';
import { jsonBody, readBody } from './body.ts';
import { answerList } from './lists.ts';
import type { ScimParts } from './parts.ts';
import { type AskedAttributes, makeProjection } from './projection.ts';
import { readAsked, readQuery, readSearch } from './query.ts';
import { sendOne } from './sending.ts';
import { type View, viewOf } from './view.ts';
import { writerFor } from './writes.ts';

export const ENDPOINT: Readonly<Record<ResourceType, string>> = { User: '/Users', Group: '/Groups' };

/** One endpoint and its resources (RFC 7644 sections 3.3 to 3.6). */
export function resourceRoutes(type: ResourceType, parts: ScimParts): Router {
  const endpoint = ENDPOINT[type];
  return Router()
    .get(`${endpoint}/:id`, async (request, response) => {
      await answerOne(parts, type, String(request.params['id']), request, response);
    })
    .get(endpoint, async (request, response) => {
      const view = seeing(request, type);
      await answerList(parts, { view, types: [type], query: readQuery(request) }, request, response);
    })
    .post(`${endpoint}/.search`, jsonBody, async (request, response) => {
      const view = seeing(request, type);
      await answerList(parts, { view, types: [type], query: readSearch(readBody(request)) }, request, response);
    })
    .post(endpoint, jsonBody, async (request, response) => {
      await create(parts, type, request, response);
    })
    .all(endpoint, refuseMethod('GET, POST'))
    .use(singleRoutes(parts, type, `${endpoint}/:id`, (request) => String(request.params['id'])));
}

/** `/Me` is the user that the token stands for, under another name (RFC 7644 section 3.11). */
export function meRoutes(parts: ScimParts): Router {
  return Router()
    .get('/Me', async (request, response) => {
      await answerOne(parts, 'User', subjectOf(request), request, response);
    })
    .post('/Me', (request) => {
      subjectOf(request);
      throw new MethodError('A user cannot make itself.');
    })
    .use(singleRoutes(parts, 'User', '/Me', subjectOf));
}

function subjectOf(request: Request): string {
  const { subject, name } = principalOf(request);
  if (subject === null)
    throw new NotImplementedError(`The token of "${name}" stands for no user, so there is no "/Me" for it.`, {
      reason: 'no-subject',
      remedy: 'Make a token with "userId" to have one that stands for a user.',
    });
  return subject;
}

function singleRoutes(parts: ScimParts, type: ResourceType, path: string, idOf: (request: Request) => string): Router {
  return Router()
    .put(path, jsonBody, async (request, response) => {
      const target = { type, id: idOf(request), expects: expectation(request) };
      const edited = await writerFor(parts, principalOf(request)).replace(target, readBody(request));
      await answerEdited(parts, { type, id: target.id.toLowerCase(), edited }, request, response);
    })
    .patch(path, jsonBody, async (request, response) => {
      const target = { type, id: idOf(request), expects: expectation(request) };
      const edited = await writerFor(parts, principalOf(request)).patch(target, readBody(request));
      await answerEdited(parts, { type, id: target.id.toLowerCase(), edited }, request, response);
    })
    .delete(path, async (request, response) => {
      const target = { type, id: idOf(request), expects: expectation(request) };
      await writerFor(parts, principalOf(request)).remove(target);
      response.status(204).end();
    })
    .all(path, refuseMethod('GET, PUT, PATCH, DELETE'));
}

export function refuseMethod(allowed: string): RequestHandler {
  return (request, response) => {
    response.setHeader('allow', allowed);
    throw new MethodError(`${request.method} is not for this endpoint, which takes ${allowed}.`);
  };
}

/** @throws {NotFoundError} resources of this type are out of the consumer's scope */
function seeing(request: Request, type: ResourceType): View {
  const view = viewOf(principalOf(request).scope);
  if (!view.types.includes(type)) throw missing(type, '');
  return view;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function answerOne(
  parts: ScimParts,
  type: ResourceType,
  id: string,
  request: Request,
  response: Response,
): Promise<void> {
  const view = seeing(request, type);
  const asked = readAsked(request);
  const found = UUID.test(id) ? await readOne(parts, type, id.toLowerCase(), view, asked) : undefined;
  if (found === undefined) throw missing(type, id);
  response.setHeader('etag', etagOf(found.version));
  const known = request.headers['if-none-match'];
  if (known !== undefined && names(known, found.version)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const projection = makeProjection(view, type, asked);
  await sendOne(parts, { row: found, projection, view }, request, response);
}

async function readOne(
  { reader, publicUrl }: ScimParts,
  type: ResourceType,
  id: string,
  view: View,
  asked: AskedAttributes,
): Promise<Served | undefined> {
  const { related } = makeProjection(view, type, asked);
  const base = jsonText(`${publicUrl()}/scim/v2`);
  const [found] = await reader.lookUp(type, 'id', id, { base, related: related ? [type] : [], visible: view.visible });
  return found;
}

async function create(parts: ScimParts, type: ResourceType, request: Request, response: Response): Promise<void> {
  const edited = await writerFor(parts, principalOf(request)).create(type, readBody(request));
  response.setHeader('location', `${parts.publicUrl()}/scim/v2${ENDPOINT[type]}/${edited.id}`);
  await answerEdited(parts, { type, id: edited.id, edited, status: 201 }, request, response);
}

interface EditedAnswer {
  readonly type: ResourceType;
  readonly id: string;
  readonly edited: Edited;
  readonly status?: number;
}

/** A group with more members than this is not answered after PATCH, unless it is asked for with `attributes`. */
const ANSWERED_MEMBERS = 100;

/**
 * The resource after a write. A large group is 204 after PATCH, so that adding one member costs one row and not a list
 * of all the others (RFC 7644 section 3.5.2 leaves both open).
 */
async function answerEdited(
  parts: ScimParts,
  { type, id, edited, status = 200 }: EditedAnswer,
  request: Request,
  response: Response,
): Promise<void> {
  const view = seeing(request, type);
  const asked = readAsked(request);
  response.setHeader('etag', etagOf(edited.version));
  const isAsked = asked.attributes !== undefined || asked.excludedAttributes !== undefined;
  if (type === 'Group' && request.method === 'PATCH' && !isAsked) {
    const bare = await readOne(parts, type, id, view, { excludedAttributes: 'members' });
    if (bare !== undefined && bare.member_count > ANSWERED_MEMBERS) {
      response.status(204).end();
      return;
    }
  }
  const base = jsonText(`${parts.publicUrl()}/scim/v2`);
  const isWhole = type === 'User' && edited.row !== undefined;
  const row = isWhole ? await parts.groups.serve(edited.row, base) : await readOne(parts, type, id, view, asked);
  if (row === undefined) throw missing(type, id);
  response.statusCode = status;
  await sendOne(parts, { row, projection: makeProjection(view, type, asked), view }, request, response);
}
