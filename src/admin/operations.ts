import { type Response, Router } from 'express';
import { z } from 'zod';
import { DEFAULT_GUARD } from '#core/guard.ts';
import { requireAdmin } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Db } from '#store/database.ts';
import { RUN_STATUSES } from '#store/run/runs.ts';
import { lockSettings, readGuard, writeSetting } from '#store/source/settings.ts';
import type { Page } from '#store/views/page.ts';
import { listRuns } from '#store/views/runs.ts';
import { listSetupTasks, type TaskView, viewTask } from '#store/views/tasks.ts';
import { DEFAULT_DIRECTORY, readDirectorySettings } from '#sync/directory.ts';
import { compileProtect } from '#sync/plan/protect.ts';
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

const TasksQuery = PageQuery.extend({
  state: z.enum(RUN_STATUSES).optional(),
  cursor: z
    .string()
    .regex(/^(setup-)?\d{1,18}$/, 'expected the nextCursor of an earlier answer')
    .optional(),
});

/** When a run is due, what it may do without a person, and what is going on. */
export function operationRoutes({ database, schedule, schemas }: AdminParts): Router {
  const db = database.knex;
  const admin = requireAdmin();
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
      const settings = parse(GuardBody, request.body);
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
      const settings = parse(DirectoryBody, request.body);
      await db.transaction(async (tx) => {
        await lockSettings(tx);
        await refuseChanged(tx, request, await readDirectorySettings(tx), { action: 'directory.change' });
        await writeSetting(tx, 'directory', settings);
        await writeAudit(tx, { actor: actorOf(request), action: 'directory.change', detail: settings });
      });
      sendDocument(response, settings);
    })
    .get('/tasks', async (request, response) => {
      response.json(await listTasks(db, parse(TasksQuery, request.query)));
    });
}

/** When it is due next is no part of what was saved. */
function sendSchedule(response: Response, schedule: ScheduleView): void {
  const { nextRunAt: _next, missed: _missed, ...settings } = schedule;
  sendDocument(response, schedule, settings);
}

/** Setup tasks stand before the newest runs. A cursor leads to the place among them, and later to a run. */
async function listTasks(db: Db, { state, limit, cursor }: z.output<typeof TasksQuery>): Promise<Page<TaskView>> {
  const from =
    cursor === undefined ? 0 : cursor.startsWith('setup-') ? Number(cursor.slice('setup-'.length)) : undefined;
  const setup = from === undefined ? [] : (await listSetupTasks(db, state)).slice(from);
  const shown = setup.slice(0, limit);
  const room = limit - shown.length;
  const runs = await listRuns(db, {
    limit: Math.max(room, 1),
    status: state,
    cursor: from === undefined ? cursor : undefined,
  });
  if (room > 0) return { items: [...shown, ...runs.items.map(viewTask)], nextCursor: runs.nextCursor };
  const isMore = setup.length > limit || runs.items.length > 0;
  return { items: shown, nextCursor: isMore ? `setup-${(from ?? 0) + limit}` : null };
}
