import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { ConflictError, NotFoundError } from '#core/errors.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import type { Db } from '#store/database.ts';
import { listItems } from '#store/views/plans.ts';
import { listRuns, type RunView, readRun } from '#store/views/runs.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, PageQuery, uuidParam } from './query.ts';

const StartBody = z
  .strictObject({
    mode: z.enum(['incremental', 'full']).optional(),
    preview: z.boolean().default(false),
    allowLargeSync: z.boolean().default(false),
    resetAccountMapping: z.union([z.boolean(), z.array(z.guid()).min(1).max(1_000)]).default(false),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).optional(),
  })
  .prefault({});

const RunsQuery = PageQuery.extend({ provider: z.string().max(40).optional(), status: z.string().max(40).optional() });

/** Filters of the provisioning log, the same for a run and for a plan. */
export const ItemsQuery = PageQuery.extend({
  action: z.enum(['create', 'update', 'deactivate', 'delete', 'membership', 'skip']).optional(),
  outcome: z.string().max(40).optional(),
  reason: z.string().max(80).optional(),
  search: z.string().max(200).optional(),
});

/** How often a watched run is looked at. The row is the truth, whichever replica works on it. */
const WATCH_MS = 200;
const HEARTBEAT_MS = 15_000;

export function runRoutes(parts: AdminParts): Router {
  const db = parts.database.knex;
  const operator = requireScope('admin', 'operator');
  return Router()
    .get('/sync-runs', async (request, response) => {
      response.json(await listRuns(db, parse(RunsQuery, request.query)));
    })
    .post('/sync-runs', operator, async (request, response) => {
      const options = parse(StartBody, request.body ?? {});
      try {
        const run = await parts.sync.start({ ...options, trigger: 'manual', requestedBy: actorOf(request) });
        response.status(202).location(`/api/v1/sync-runs/${run.id}`).json(run);
      } catch (error) {
        if (error instanceof ConflictError && typeof error.details['runId'] === 'string')
          response.location(`/api/v1/sync-runs/${error.details['runId']}`);
        throw error;
      }
    })
    .get('/sync-runs/:id', async (request, response) => {
      response.json(await needRun(db, request));
    })
    .get('/sync-runs/:id/changes', async (request, response) => {
      const run = await needRun(db, request);
      const query = parse(ItemsQuery, request.query);
      if (run.planId === null) response.json({ items: [], nextCursor: null });
      else response.json(await listItems(db, { id: run.planId, provider: run.provider }, query));
    })
    .get('/sync-runs/:id/events', async (request, response) => {
      await streamRun(parts, await needRun(db, request), response);
    })
    .post('/sync-runs/:id/cancel', operator, async (request, response) => {
      const run = await needRun(db, request);
      await parts.sync.cancel(run.id, actorOf(request));
      response.status(202).json(await needRun(db, request));
    });
}

async function needRun(db: Db, request: Request): Promise<RunView> {
  const id = uuidParam(request, 'id');
  const run = await readRun(db, id);
  if (run === undefined) throw new NotFoundError(`There is no run "${id}".`, { reason: 'run-not-found' });
  return run;
}

function isOver({ status }: RunView): boolean {
  return status !== 'queued' && status !== 'running';
}

/** One `run` event for each change of the row, until the run is over or the reader goes. */
async function streamRun({ database, clock }: AdminParts, first: RunView, response: Response): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.status(200).set({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  response.flushHeaders();
  let sent = '';
  let quietSince = clock.now().getTime();
  for (
    let run: RunView | undefined = first;
    run !== undefined && !gone.signal.aborted;
    run = await readRun(database.knex, first.id)
  ) {
    const text = JSON.stringify(run);
    const now = clock.now().getTime();
    if (text !== sent) {
      response.write(`event: run\ndata: ${text}\n\n`);
      sent = text;
      quietSince = now;
    } else if (now - quietSince > HEARTBEAT_MS) {
      response.write(': still here\n\n');
      quietSince = now;
    }
    if (isOver(run)) break;
    await clock.sleep(WATCH_MS, gone.signal).catch(() => undefined);
  }
  response.end();
}
