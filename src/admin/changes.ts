import { Router } from 'express';
import { z } from 'zod';
import { InputError } from '#core/errors.ts';
import { isId } from '#core/ids.ts';
import { decodeCursor, encodeCursor, JOURNAL_START, type JournalPlace } from '#core/journal.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { type Change, journalEnd, readChanges } from '#store/directory/changes.ts';
import { readSnapshot, type SnapshotPlace } from '#store/views/snapshot.ts';
import type { AdminParts } from './parts.ts';
import { actorOf } from './query.ts';

const limit = z.coerce.number().int().min(1).max(1_000).default(100);
const FeedQuery = z.object({ after: z.string().max(200).optional(), limit });
const SnapshotQuery = z.object({ cursor: z.string().max(600).optional(), limit });
const Write = z.strictObject({
  resourceId: z.guid('expected the id of a resource').transform((id) => id.toLowerCase()),
  version: z.int().min(1),
});
const Place = z.discriminatedUnion('part', [
  z.strictObject({ part: z.enum(['User', 'Group']), at: z.string().regex(/^\d{0,18}$/), after: z.string() }),
  z.strictObject({ part: z.literal('members'), at: z.string().refine(isPair), after: z.string() }),
]);

/** Nothing, or a group and a member of it. */
function isPair(text: string): boolean {
  const ids = text.split(' ');
  return text === '' || (ids.length === 2 && ids.every(isId));
}

/** The journal as a feed, and the snapshot that a consumer begins with. */
export function changeRoutes({ database, sync }: AdminParts): Router {
  const db = database.knex;
  const operator = requireScope('admin', 'operator');
  return Router()
    .post('/changes/revert', operator, async (request, response) => {
      const { resourceId, version } = parse(Write, request.body);
      const run = await sync.revertWrite({ resourceId, version: String(version) }, actorOf(request));
      response.status(202).location(`/api/v1/sync-runs/${run.id}`).json(run);
    })
    .get('/changes', async (request, response) => {
      const query = parse(FeedQuery, request.query);
      const after = query.after === undefined ? undefined : placeOf(query.after);
      const { changes, next, more } = await readChanges(db, after, query.limit);
      response.json({ items: changes.map(viewChange), nextCursor: encodeCursor(next), more });
    })
    .get('/changes/snapshot', async (request, response) => {
      const query = parse(SnapshotQuery, request.query);
      const { after, ...place } = query.cursor === undefined ? await firstPlace() : snapshotPlaceOf(query.cursor);
      const begun = decodeCursor(after) ?? JOURNAL_START;
      const { items, next } = await readSnapshot(db, place, begun, query.limit);
      const nextCursor = next === undefined ? null : encodePlace({ ...next, after });
      response.json({ items, nextCursor, after });
    });

  /** The place in the journal is taken before the first row is read. */
  async function firstPlace(): Promise<SnapshotPlace & { after: string }> {
    return { part: 'User', at: '', after: encodeCursor(await journalEnd(db)) };
  }
}

function viewChange(change: Change) {
  const { at, resource_type, resource_id, version, operation, run_id, actor, detail } = change;
  return {
    cursor: encodeCursor(change),
    at,
    resourceType: resource_type,
    resourceId: resource_id,
    version: Number(version),
    operation,
    runId: run_id,
    actor,
    detail,
  };
}

function placeOf(text: string): JournalPlace {
  const place = decodeCursor(text);
  if (place === undefined) throw wrongCursor();
  return place;
}

function encodePlace(place: z.output<typeof Place>): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function snapshotPlaceOf(text: string): z.output<typeof Place> {
  try {
    const place = Place.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    if (decodeCursor(place.after) !== undefined) return place;
  } catch {
    // Said below.
  }
  throw wrongCursor();
}

function wrongCursor(): InputError {
  return new InputError('The cursor is none that was given out here.', {
    reason: 'invalid-cursor',
    remedy: 'Use nextCursor of an earlier answer, or leave it out to begin.',
  });
}
