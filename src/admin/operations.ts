import { type Response, Router } from 'express';
import { z } from 'zod';
import { DEFAULT_GUARD } from '#core/guard.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { writeAudit } from '#store/audit.ts';
import { lockSettings, readGuard, writeSetting } from '#store/settings.ts';
import { listRuns } from '#store/views/runs.ts';
import { listSetupTasks, viewTask } from '#store/views/tasks.ts';
import { DEFAULT_DIRECTORY, readDirectorySettings } from '#sync/directory.ts';
import { compileProtect } from '#sync/protect.ts';
import type { ScheduleView } from '#sync/service.ts';
import { refuseChanged, sendDocument } from './documents.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, PageQuery } from './query.ts';

const ScheduleBody = z.strictObject({
  enabled: z.boolean(),
  kind: z.enum(['daily', 'interval', 'cron']).default('daily'),
  time: z.string().optional(),
  timeZone: z.string().default('UTC'),
  everyMinutes: z.number().int().optional(),
  cron: z.string().max(200).optional(),
  withoutPreview: z.boolean().default(false),
});

const percent = z.number().min(0).max(100);
const GuardBody = z.strictObject({
  enabled: z.boolean().default(DEFAULT_GUARD.enabled),
  percent: percent.default(DEFAULT_GUARD.percent),
  minObjects: z.number().int().min(0).default(DEFAULT_GUARD.minObjects),
  maxDeletes: z.number().int().min(0).default(DEFAULT_GUARD.maxDeletes),
  membershipPercent: percent.default(DEFAULT_GUARD.membershipPercent),
  perOperation: z
    .strictObject({ create: percent.optional(), update: percent.optional(), remove: percent.optional() })
    .default(DEFAULT_GUARD.perOperation),
  groupMembershipPercent: percent.default(DEFAULT_GUARD.groupMembershipPercent),
  emptiedGroupFrom: z.number().int().min(1).nullable().default(DEFAULT_GUARD.emptiedGroupFrom),
  attributePercent: percent.default(DEFAULT_GUARD.attributePercent),
  protect: z.string().trim().min(1).nullable().default(DEFAULT_GUARD.protect),
  leaverLane: z
    .strictObject({ max: z.number().int().min(0).max(100), hours: z.number().int().min(1).max(720) })
    .default(DEFAULT_GUARD.leaverLane),
  holds: z.enum(['class', 'plan']).default(DEFAULT_GUARD.holds),
});

const DirectoryBody = z.strictObject({
  localEdits: z.enum(['reject', 'overwrite']).default(DEFAULT_DIRECTORY.localEdits),
});

const TasksQuery = PageQuery.extend({ state: z.string().max(40).optional() });

/** When a run is due, what it may do without a person, and what is going on. */
export function operationRoutes({ database, schedule, schemas }: AdminParts): Router {
  const db = database.knex;
  const admin = requireScope('admin');
  return Router()
    .get('/schedule', async (_request, response) => {
      sendSchedule(response, await schedule.describe());
    })
    .put('/schedule', admin, async (request, response) => {
      const { nextRunAt: _next, missed: _missed, ...body } = { nextRunAt: null, missed: null, ...request.body };
      const { withoutPreview, ...settings } = parse(ScheduleBody, body);
      const saved = await schedule.change(settings, {
        withoutPreview,
        async within(tx, before) {
          await refuseChanged(tx, request, before, { action: 'schedule.change' });
          const detail = withoutPreview ? { ...settings, withoutPreview } : settings;
          await writeAudit(tx, { actor: actorOf(request), action: 'schedule.change', detail });
        },
      });
      sendSchedule(response, saved);
    })
    .get('/guard', async (_request, response) => {
      sendDocument(response, await readGuard(db));
    })
    .put('/guard', admin, async (request, response) => {
      const settings = parse(GuardBody, request.body ?? {});
      if (settings.protect !== null) compileProtect(settings.protect, schemas);
      await db.transaction(async (tx) => {
        await lockSettings(tx);
        await refuseChanged(tx, request, await readGuard(tx), { action: 'guard.change' });
        await writeSetting(tx, 'guard', settings);
        await writeAudit(tx, { actor: actorOf(request), action: 'guard.change', detail: settings });
      });
      sendDocument(response, settings);
    })
    .get('/directory', async (_request, response) => {
      sendDocument(response, await readDirectorySettings(db));
    })
    .put('/directory', admin, async (request, response) => {
      const settings = parse(DirectoryBody, request.body ?? {});
      await db.transaction(async (tx) => {
        await lockSettings(tx);
        await refuseChanged(tx, request, await readDirectorySettings(tx), { action: 'directory.change' });
        await writeSetting(tx, 'directory', settings);
        await writeAudit(tx, { actor: actorOf(request), action: 'directory.change', detail: settings });
      });
      sendDocument(response, settings);
    })
    .get('/tasks', async (request, response) => {
      const { state, ...query } = parse(TasksQuery, request.query);
      const setup = query.cursor === undefined ? await listSetupTasks(db, state) : [];
      // They stand before the newest runs, where a page has room for both.
      const shown = setup.length < query.limit ? setup : [];
      const page = await listRuns(db, { ...query, limit: query.limit - shown.length, status: state });
      response.json({ items: [...shown, ...page.items.map(viewTask)], nextCursor: page.nextCursor });
    });
}

/** When it is due next is no part of what was saved. */
function sendSchedule(response: Response, schedule: ScheduleView): void {
  const { nextRunAt: _next, missed: _missed, ...settings } = schedule;
  sendDocument(response, schedule, settings);
}
