import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { coerceResource, fieldsOf, memberIds } from '#core/coerce.ts';
import type { ConflictError } from '#core/errors.ts';
import { jsonText } from '#core/json.ts';
import { parsePatch } from '#core/patch.ts';
import { PROVIDER_KINDS, type ResourceType } from '#core/resource.ts';
import { requireScope } from '#http/auth.ts';
import { etagOf, expectation } from '#http/etag.ts';
import { parse } from '#http/validate.ts';
import type { Removed } from '#store/directory/restore.ts';
import type { ServeOptions } from '#store/directory/served.ts';
import { countWholeMembers, listWholeMembers } from '#store/views/group-members.ts';
import { listHistory, listMembers, listPeople, type NamePlace, readPerson } from '#store/views/people.ts';
import { readRun } from '#store/views/runs.ts';
import {
  createResource,
  deleteResource,
  type Edit,
  type EditOfOne,
  type EditParts,
  missing,
  patchResource,
  replaceResource,
} from '#sync/edits.ts';
import { describeRemoved, requestRestore } from '#sync/plan/restore.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, PageQuery, uuidParam } from './query.ts';

const ListQuery = z.object({
  search: z.string().trim().min(1).max(200).optional(),
  origin: z.enum(['manual', ...PROVIDER_KINDS]).optional(),
  active: z.stringbool().optional(),
  removed: z.stringbool().optional(),
  top: z.stringbool().optional(),
  within: z.guid().optional(),
  limit: PageQuery.shape.limit,
  cursor: z
    .string()
    .max(2_000)
    .transform((text, context): NamePlace => {
      const place = Place.safeParse(decoded(text));
      if (place.success) return place.data;
      context.addIssue({ code: 'custom', message: 'expected the nextCursor of an earlier answer' });
      return z.NEVER;
    })
    .optional(),
});
const Place = z.strictObject({ name: z.string(), pos: z.string().regex(/^\d{1,18}$/) });
const MembersQuery = z.object({
  limit: PageQuery.shape.limit,
  cursor: z.guid().optional(),
  transitive: z.stringbool().default(false),
  type: z.enum(['User', 'Group']).optional(),
});

/** Users and groups: lists for people to look through, and entries made by hand. What a provider owns is read here. */
export function peopleRoutes(parts: AdminParts): Router {
  return Router()
    .use(resourceRoutes(parts, 'User', '/users'))
    .use(resourceRoutes(parts, 'Group', '/groups'));
}

function resourceRoutes(parts: AdminParts, type: ResourceType, path: string): Router {
  const { database, reader, schemas } = parts;
  const db = database.knex;
  const edits: EditParts = { database, reader, schemas };
  const operator = requireScope('admin', 'operator');
  const routes = Router()
    .get(path, async (request, response) => {
      const { cursor, ...query } = parse(ListQuery, request.query);
      const { items, nextPlace } = await listPeople(db, { ...query, type, after: cursor });
      response.json({ items, nextCursor: nextPlace === undefined ? null : encoded(nextPlace) });
    })
    .post(path, operator, async (request, response) => {
      const { document, members } = readBody(parts, type, request.body);
      const made = await createResource(edits, editOf(type, request), { document, members: members ?? [] });
      response.status(201).location(`/api/v1${path}/${made.id}`);
      await answerOne(parts, type, made.id, response);
    })
    .get(`${path}/:id`, async (request, response) => {
      await answerOne(parts, type, uuidParam(request, 'id'), response);
    })
    .put(`${path}/:id`, operator, async (request, response) => {
      const { document, members } = readBody(parts, type, request.body);
      const edit = editOfOne(type, request);
      await replaceResource(edits, edit, { document, members });
      await answerOne(parts, type, edit.id, response);
    })
    .patch(`${path}/:id`, operator, async (request, response) => {
      const edit = editOfOne(type, request);
      await patchResource(edits, edit, parsePatch(request.body));
      await answerOne(parts, type, edit.id, response);
    })
    .delete(`${path}/:id`, operator, async (request, response) => {
      await deleteResource(edits, editOfOne(type, request));
      response.status(204).end();
    })
    .get(`${path}/:id/restore`, async (request, response) => {
      const { removed, refusal } = await describeRemoved(parts, { type, id: uuidParam(request, 'id') });
      response.json(viewRemoved(removed, refusal));
    })
    .post(`${path}/:id/restore`, operator, async (request, response) => {
      const runId = await requestRestore(parts, { type, id: uuidParam(request, 'id') }, actorOf(request));
      parts.wakeSync();
      const run = await readRun(db, runId);
      response.status(202).location(`/api/v1/sync-runs/${runId}`).json(run);
    })
    .get(`${path}/:id/history`, async (request, response) => {
      const id = uuidParam(request, 'id');
      if ((await readPerson(db, type, id)) === undefined) throw missing(type, id);
      response.json(await listHistory(db, id, parse(PageQuery, request.query)));
    });
  if (type === 'User') return routes;
  return routes
    .get(`${path}/:id/members`, async (request, response) => {
      const id = await groupParam(parts, request);
      const { transitive, ...query } = parse(MembersQuery, request.query);
      response.json(await (transitive ? listWholeMembers(db, id, query) : listMembers(db, id, query)));
    })
    .get(`${path}/:id/members/count`, async (request, response) => {
      response.json(await countWholeMembers(db, await groupParam(parts, request)));
    });
}

/** The group in the path. @throws {NotFoundError} */
async function groupParam({ database }: AdminParts, request: Request): Promise<string> {
  const id = uuidParam(request, 'id');
  const group = await readPerson(database.knex, 'Group', id);
  if (group === undefined || group.deletedAt !== null) throw missing('Group', id);
  return id;
}

/** The SCIM resource, and beside it what SCIM has no word for: `state`, which is passed over when it comes back. */
async function answerOne(parts: AdminParts, type: ResourceType, id: string, response: Response): Promise<void> {
  const [found] = await parts.reader.lookUp(type, 'id', id, serveOptions(parts, type));
  const person = found === undefined ? undefined : await readPerson(parts.database.knex, type, id);
  if (found === undefined || person === undefined) throw missing(type, id);
  const { origin, overridden, leftAt, memberCount } = person;
  const state = { origin, overridden, leftAt, ...(type === 'Group' ? { memberCount } : {}) };
  response.setHeader('etag', etagOf(found.version));
  response.json({ ...JSON.parse(found.text), state });
}

/** One who was removed, and what stands in the way of bringing them back. */
function viewRemoved(removed: Removed, refusal: ConflictError | undefined) {
  const { id, resource_type: resourceType, origin, display, user_name: userName, left_at, deleted_at } = removed;
  return {
    ...{ id, resourceType, origin, displayName: display, userName, leftAt: left_at, deletedAt: deleted_at },
    refusal:
      refusal === undefined ? null : { code: refusal.reason, message: refusal.message, remedy: refusal.remedy ?? null },
  };
}

function serveOptions({ publicUrl }: AdminParts, type: ResourceType): ServeOptions {
  return { base: jsonText(`${publicUrl()}/scim/v2`), related: [type] };
}

function editOf(type: ResourceType, request: Request): Edit {
  return { type, actor: actorOf(request), audited: true };
}

function editOfOne(type: ResourceType, request: Request): EditOfOne {
  return { ...editOf(type, request), id: uuidParam(request, 'id'), expects: expectation(request) };
}

/** A SCIM resource. Its `schemas` may be left out: the path says what it is. Members that are not there stay as they are. */
function readBody({ schemas }: AdminParts, type: ResourceType, body: unknown) {
  const fields = fieldsOf(body, 'The body');
  const given = fields.has('schemas') ? body : { ...(body as object), schemas: [schemas[type].core.id] };
  const document = coerceResource(schemas[type], given);
  return {
    document,
    members: type === 'Group' && fields.has('members') ? memberIds(fields.get('members')) : undefined,
  };
}

function encoded(place: NamePlace): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
