import { type Request, Router } from 'express';
import { z } from 'zod';
import { csvLine } from '#core/csv.ts';
import { ConflictError, NotFoundError } from '#core/errors.ts';
import { PROVIDER_KINDS } from '#core/resource.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import type { Db } from '#store/database.ts';
import { readRunLog } from '#store/run/run-logs.ts';
import { RUN_STATUSES } from '#store/run/runs.ts';
import { readPlan } from '#store/views/plans.ts';
import { listRuns, type RunsQuery as Narrowed, type RunView, readRun } from '#store/views/runs.ts';
import { refuseWithoutConsent } from './consent.ts';
import { formatOf, jsonLines, sendLines } from './formats.ts';
import { answerItems } from './items.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, instant, PageQuery, uuidParam } from './query.ts';
import { streamRun } from './run-events.ts';

const StartBody = z
  .strictObject({
    mode: z.enum(['incremental', 'full']).optional(),
    preview: z.boolean().default(false),
    allowLargeSync: z.boolean().default(false),
    resetAccountMapping: z.union([z.boolean(), z.array(z.guid()).min(1).max(1_000)]).default(false),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).optional(),
  })
  .prefault({});

/** What is answered while another run is under way: a refusal that names it, or that run. */
const StartQuery = z.object({ ifRunning: z.enum(['refuse', 'join']).default('refuse') });

const RunsQuery = PageQuery.extend({
  provider: z.enum(PROVIDER_KINDS).optional(),
  status: z.enum(RUN_STATUSES).optional(),
  trigger: z.string().max(40).optional(),
  requestedBy: z.string().max(1_000).optional(),
  since: instant.optional(),
  until: instant.optional(),
});

export function runRoutes(parts: AdminParts): Router {
  const db = parts.database.knex;
  const operator = requireScope('admin', 'operator');
  return Router()
    .get('/sync-runs', async (request, response) => {
      const query = parse(RunsQuery, request.query);
      const format = formatOf(request);
      if (format === 'json') {
        response.json(await listRuns(db, query));
        return;
      }
      const runs = eachRun(db, query);
      await sendLines(
        parts.longWork,
        { request, response },
        {
          name: 'sync-runs',
          format,
          lines: format === 'csv' ? csvLines(runs) : jsonLines(runs),
        },
      );
    })
    .post('/sync-runs', operator, async (request, response) => {
      const options = parse(StartBody, request.body ?? {});
      const { ifRunning } = parse(StartQuery, request.query);
      await refuseWithoutConsent(parts, request);
      const start = () => parts.sync.start({ ...options, trigger: 'manual', requestedBy: actorOf(request) });
      try {
        const run = ifRunning === 'join' ? await startIntoRoom(start) : await start();
        response.status(202).location(`/api/v1/sync-runs/${run.id}`).json(run);
      } catch (error) {
        if (!(error instanceof ConflictError) || typeof error.details['runId'] !== 'string') throw error;
        response.location(`/api/v1/sync-runs/${error.details['runId']}`);
        const running = ifRunning === 'join' ? await readRun(db, error.details['runId']) : undefined;
        if (running === undefined) throw error;
        response.json(running);
      }
    })
    .get('/sync-runs/:id', async (request, response) => {
      response.json(await needRun(db, request));
    })
    .get('/sync-runs/:id/changes', async (request, response) => {
      const run = await needRun(db, request);
      const plan = run.planId === null ? undefined : await readPlan(db, run.planId);
      await answerItems(parts, plan, { request, response });
    })
    .get('/sync-runs/:id/log', async (request, response) => {
      const run = await needRun(db, request);
      const pieces = await readRunLog(db, run.id);
      if (pieces.length === 0) throw noLog(run);
      response.attachment(`sync-run-${run.id}.ndjson`).type('application/x-ndjson');
      response.send(pieces.join(''));
    })
    .get('/sync-runs/:id/events', async (request, response) => {
      await streamRun(parts, await needRun(db, request), request, response);
    })
    .post('/sync-runs/:id/revert', operator, async (request, response) => {
      const run = await parts.sync.revert(uuidParam(request, 'id'), actorOf(request));
      response.status(202).location(`/api/v1/sync-runs/${run.id}`).json(run);
    })
    .post('/sync-runs/:id/cancel', operator, async (request, response) => {
      const run = await needRun(db, request);
      await parts.sync.cancel(run.id, actorOf(request));
      response.status(202).json(await needRun(db, request));
    });
}

/** What stands in the way may have ended before it could be named: then there is room. */
function startIntoRoom(start: () => Promise<RunView>): Promise<RunView> {
  return start().catch((error: unknown) => {
    if (!(error instanceof ConflictError) || error.details['runId'] !== null) throw error;
    return start();
  });
}

const READ_AT_ONCE = 200;

async function* eachRun(db: Db, { cursor: _cursor, limit: _limit, ...filter }: Narrowed): AsyncGenerator<RunView> {
  let cursor: string | undefined;
  do {
    const page = await listRuns(db, { ...filter, limit: READ_AT_ONCE, cursor });
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

const COUNTED = ['created', 'updated', 'deactivated', 'deleted', 'membershipsChanged', 'held', 'skipped'] as const;

async function* csvLines(runs: AsyncIterable<RunView>): AsyncGenerator<string> {
  yield csvLine([
    ...['number', 'id', 'provider', 'mode', 'preview', 'trigger', 'requestedBy', 'status'],
    ...['createdAt', 'startedAt', 'finishedAt', 'seconds', ...COUNTED, 'failure', 'message'],
  ]);
  for await (const run of runs)
    yield csvLine([
      ...[run.number, run.id, run.provider, run.mode, run.preview, run.trigger, run.requestedBy, run.status],
      ...[run.createdAt, run.startedAt, run.finishedAt].map((at) => (at === null ? null : new Date(at).toISOString())),
      run.cost === null ? null : Math.round(run.cost.wallMs / 1000),
      ...COUNTED.map((name) => run.counts[name] ?? 0),
      run.error?.failure ?? null,
      run.error?.message ?? null,
    ]);
}

async function needRun(db: Db, request: Request): Promise<RunView> {
  const id = uuidParam(request, 'id');
  const run = await readRun(db, id);
  if (run === undefined) throw new NotFoundError(`There is no run "${id}".`, { reason: 'run-not-found' });
  return run;
}

function noLog({ id }: RunView): NotFoundError {
  return new NotFoundError(`No log of the run "${id}" is kept.`, {
    reason: 'log-not-kept',
    remedy: 'Start a run with "logLevel": "debug"; its last lines are there a moment after its end.',
  });
}
