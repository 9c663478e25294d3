import { type Request, type RequestHandler, type Response, Router } from 'express';
import { MethodError, NotImplementedError } from '#core/errors.ts';
import { jsonText } from '#core/json.ts';
import type { ResourceType } from '#core/resource.ts';
import { principalOf } from '#http/auth.ts';
import { etagOf, expectation } from '#http/etag.ts';
import { type Edited, missing } from '#sync/edits.ts';
import { setPlace } from './answers.ts';
import { jsonBody, readBody } from './body.ts';
import { answerList } from './lists.ts';
import type { ScimParts } from './parts.ts';
import { makeProjection } from './projection.ts';
import { readAsked, readAskedOfOne, readQuery, readSearch, SEARCH_BYTES_MAX } from './query.ts';
import { answerOne, ENDPOINT, locationOf, readOne, seeing } from './reads.ts';
import { sendOne } from './sending.ts';
import { writerFor } from './writes.ts';

/** One endpoint and its resources (RFC 7644 sections 3.3 to 3.6). */
export function addResourceRoutes(router: Router, type: ResourceType, parts: ScimParts): void {
  const endpoint = ENDPOINT[type];
  router
    .post(`${endpoint}/.search`, jsonBody, async (request, response) => {
      const view = seeing(request, type);
      const { tokenId: reader } = principalOf(request);
      const query = readSearch(readBody(request, SEARCH_BYTES_MAX));
      await answerList(parts, { view, reader, types: [type], query }, request, response);
    })
    .all(`${endpoint}/.search`, refuseMethod('POST'))
    .get(`${endpoint}/:id`, async (request, response) => {
      await answerOne(
        parts,
        { type, id: String(request.params['id']), asked: readAskedOfOne(request.query) },
        request,
        response,
      );
    })
    .get(endpoint, async (request, response) => {
      const view = seeing(request, type);
      const { tokenId: reader } = principalOf(request);
      await answerList(parts, { view, reader, types: [type], query: readQuery(request.query) }, request, response);
    })
    .post(endpoint, jsonBody, async (request, response) => {
      await create(parts, type, request, response);
    })
    .all(endpoint, refuseMethod('GET, HEAD, POST'));
  addSingleRoutes(router, parts, { type, path: `${endpoint}/:id`, idOf: (request) => String(request.params['id']) });
}

/** `/Me` is the user that the token stands for, under another name; any answer says where it is (RFC 7644 section 3.11). */
export function meRoutes(parts: ScimParts): Router {
  const router = Router()
    .use('/Me', (request, response, next) => {
      const { subject } = principalOf(request);
      if (subject !== null) setPlace(response, locationOf(parts, 'User', subject));
      next();
    })
    .get('/Me', async (request, response) => {
      await answerOne(
        parts,
        { type: 'User', id: subjectOf(request), asked: readAskedOfOne(request.query) },
        request,
        response,
      );
    })
    .post('/Me', (request, _response, next) => {
      subjectOf(request);
      next();
    });
  addSingleRoutes(router, parts, { type: 'User', path: '/Me', idOf: subjectOf });
  return router;
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

interface Single {
  readonly type: ResourceType;
  readonly path: string;
  idOf(request: Request): string;
}

function addSingleRoutes(router: Router, parts: ScimParts, { type, path, idOf }: Single): void {
  router
    .put(path, jsonBody, async (request, response) => {
      const target = { type, id: idOf(request), expects: expectation(request) };
      const shown = shownAfter(request, type);
      const edited = await writerFor(parts, principalOf(request)).replace(target, readBody(request));
      await answerEdited(parts, { type, id: target.id, edited, shown }, request, response);
    })
    .patch(path, jsonBody, async (request, response) => {
      const target = { type, id: idOf(request), expects: expectation(request) };
      const shown = shownAfter(request, type);
      const edited = await writerFor(parts, principalOf(request)).patch(target, readBody(request));
      await answerEdited(parts, { type, id: target.id, edited, shown }, request, response);
    })
    .delete(path, async (request, response) => {
      const target = { type, id: idOf(request), expects: expectation(request) };
      await writerFor(parts, principalOf(request)).remove(target);
      response.status(204).end();
    })
    .all(path, refuseMethod('GET, HEAD, PUT, PATCH, DELETE'));
}

export function refuseMethod(allowed: string): RequestHandler {
  return (request, response) => {
    response.setHeader('allow', allowed);
    throw new MethodError(`${request.method} is not for this endpoint, which takes ${allowed}.`);
  };
}

async function create(parts: ScimParts, type: ResourceType, request: Request, response: Response): Promise<void> {
  const shown = shownAfter(request, type);
  const edited = await writerFor(parts, principalOf(request)).create(type, readBody(request));
  await answerEdited(parts, { type, id: edited.id, edited, shown, status: 201 }, request, response);
}

interface EditedAnswer {
  readonly type: ResourceType;
  readonly id: string;
  readonly edited: Edited;
  readonly shown: ReturnType<typeof shownAfter>;
  readonly status?: number;
}

/**
 * What is shown of the resource after a write, known before it: an answer that cannot be given leaves everything as it was
 * (RFC 7644 section 3.5.2).
 */
function shownAfter(request: Request, type: ResourceType) {
  const view = seeing(request, type);
  const asked = readAsked(request.query);
  return { view, asked, projection: makeProjection(view, type, asked) };
}

/** A group with more members than this is not answered after PATCH, unless it is asked for with `attributes`. */
const ANSWERED_MEMBERS = 100;

/**
 * The resource after a write. A large group is 204 after PATCH, so that adding one member costs one row and not a list
 * of all the others (RFC 7644 section 3.5.2 leaves both open).
 */
async function answerEdited(
  parts: ScimParts,
  { type, id, edited, shown: { view, asked, projection }, status = 200 }: EditedAnswer,
  request: Request,
  response: Response,
): Promise<void> {
  if (edited.gone === true) {
    response.status(204).end();
    return;
  }
  setPlace(response, locationOf(parts, type, id));
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
  await sendOne(parts, { row, projection, view }, request, response);
}
