import { createTask, schedule as cron, type Logger, type ScheduledTask, validate } from 'node-cron';
import { ConflictError, GatewayError, InputError } from '#core/errors.ts';
import {
  DEFAULT_SCHEDULE,
  isTimeZone,
  nextDaily,
  nextInterval,
  previousDaily,
  previousInterval,
  type ScheduleSettings,
} from '#core/schedule.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { Database, Db } from '#store/database.ts';
import { readWholeRead } from '#store/mirror/whole-read.ts';
import { wasApproved } from '#store/plan/plans.ts';
import { findOpenRun } from '#store/run/runs.ts';
import { claimSlot, isSlotClaimed } from '#store/run/schedule-slots.ts';
import { lockSettings, readActiveProvider, readSetting, writeSetting } from '#store/source/settings.ts';
import { findMissed, type MissedRun, missedByZone } from './missed.ts';
import type { ScheduleService, ScheduleView, SyncService } from './service.ts';

/** A slot that was missed is made up for when it is not older than this. */
const CATCH_UP_WITHIN_MS = 24 * 3_600_000;
/** A slot this late is called a catch-up in the run's trigger. */
const ON_TIME_MS = 90_000;
const MINUTE_MS = 60_000;
/** A day, less what a run may take: everything is read once a day. */
const WHOLE_EVERY_MS = 23 * 3_600_000;
const SLOT_NAME = 'sync';

export interface ScheduleParts {
  readonly database: Database;
  readonly sync: SyncService;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Schedule extends ScheduleService {
  /** Starts the ticks, and makes up at once for a slot missed while nothing ran. */
  start(): void;
  /** Looks whether a slot is due now. What the tick does. */
  tick(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The daily run. Every minute node-cron asks which slot was the last one due; whoever inserts its row starts the run.
 * So a change needs no restart, replicas never run a slot twice, and a missed slot is made up for.
 */
export function makeSchedule({ database, sync, clock, log }: ScheduleParts): Schedule {
  const db = database.knex;
  let task: ScheduledTask | undefined;

  async function tick(): Promise<void> {
    try {
      const saved = await readSaved(db);
      if (!saved.settings.enabled) return;
      if (!knowsZone(saved.settings)) {
        log.error({ timeZone: saved.settings.timeZone }, 'the schedule is in a time zone that is not known here');
        return;
      }
      const now = clock.now();
      const slot = previousSlot(saved.settings, now);
      if (slot === undefined || slot.getTime() <= saved.since.getTime()) return;
      if (now.getTime() - slot.getTime() > CATCH_UP_WITHIN_MS) return;
      await startSlot(slot, saved.settings, now);
    } catch (error) {
      log.error({ err: error }, 'schedule failed');
    }
  }

  async function startSlot(slot: Date, settings: ScheduleSettings, now: Date): Promise<void> {
    if ((await readActiveProvider(db)) === undefined) return;
    const trigger = now.getTime() - slot.getTime() > ON_TIME_MS ? 'catch-up' : 'schedule';
    const claim = (tx: Db, runId: string | null): Promise<boolean> => claimSlot(tx, SLOT_NAME, slot, runId);
    if (await isSlotClaimed(db, SLOT_NAME, slot)) return;
    const mode = await modeOf(db, settings, now);
    try {
      // Slot and run together: a process that dies in between leaves neither, and the next tick makes up for it.
      await sync.start({ mode, trigger, requestedBy: 'schedule' }, claim);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'ERR_CONFLICT') throw error;
      // A run that is under way covers this slot when it does as much; else the next minute looks again.
      const open = await findOpenRun(db);
      if (open !== undefined && mode === 'full' && (open.mode !== 'full' || open.preview)) return;
      if (await claim(db, null)) log.info({ reason: error.reason }, 'slot passed over');
    }
  }

  return {
    start() {
      task = cron('* * * * *', tick, { name: 'sluice-schedule', noOverlap: true, logger: cronLog(log) });
      void tick();
    },
    tick,
    async stop() {
      await task?.destroy();
    },
    async describe() {
      const saved = await readSaved(db);
      return { ...view(saved.settings, clock.now()), missed: await missedOf(db, saved, clock.now()) };
    },
    async change(settings, { withoutPreview = false, within } = {}) {
      checkSchedule(settings);
      await db.transaction(async (tx) => {
        await lockSettings(tx);
        await within?.(tx, (await readSaved(tx)).settings);
        if (settings.enabled && !withoutPreview) await checkPreviewed(tx);
        await writeSetting(tx, 'schedule', { settings, since: clock.now().toISOString() });
      });
      return { ...view(settings, clock.now()), missed: null };
    },
  };
}

/** What node-cron has to say, as lines of ours: by itself it writes some of its own form to standard output. */
function cronLog(log: Log): Logger {
  return {
    info: (says) => log.debug({ says }, 'ticks of the schedule'),
    warn: (says) => log.warn({ says }, 'ticks of the schedule'),
    error: (error, cause) => log.error({ err: cause ?? error }, 'ticks of the schedule'),
    debug: () => undefined,
  };
}

/**
 * Once a day everything is read, whatever changes were missed; what runs more often reads changes between. A
 * whole read that stopped may have written what a source that lags behind itself showed, so there is another one soon;
 * in turn with changes, so that leavers do not wait for one that never comes to its end.
 */
async function modeOf(db: Db, settings: ScheduleSettings, now: Date): Promise<'full' | 'incremental'> {
  const provider = settings.kind === 'daily' ? undefined : await readActiveProvider(db);
  if (provider === undefined) return 'full';
  const { at, stopped, justStopped } = await readWholeRead(db, provider.kind);
  if (at === undefined) return 'full';
  if (justStopped) return 'incremental';
  return stopped || now.getTime() - at.getTime() > WHOLE_EVERY_MS ? 'full' : 'incremental';
}

interface Saved {
  readonly settings: ScheduleSettings;
  /** Slots up to this instant belong to an earlier schedule. */
  readonly since: Date;
}

async function readSaved(db: Db): Promise<Saved> {
  const saved = await readSetting<{ settings: ScheduleSettings; since: string }>(db, 'schedule');
  if (saved === undefined) return { settings: DEFAULT_SCHEDULE, since: new Date(0) };
  return { settings: saved.settings, since: new Date(saved.since) };
}

/** What is on may be changed; what is off is switched on only after a look at what a run would do. */
async function checkPreviewed(db: Db): Promise<void> {
  if ((await readSaved(db)).settings.enabled) return;
  const provider = await readActiveProvider(db);
  if (provider !== undefined && (await wasApproved(db, provider.kind, provider.config_version))) return;
  throw new ConflictError('Nobody has approved yet what a run with the present settings would do.', {
    reason: 'preview-required',
    remedy:
      provider === undefined
        ? 'Activate a provider and approve its first plan, or send "withoutPreview": true.'
        : 'Start a run with "preview": true and approve its plan, or send "withoutPreview": true.',
  });
}

/** Looks back as far as a tick does. */
async function missedOf(db: Db, { settings, since }: Saved, now: Date): Promise<MissedRun | null> {
  if (!settings.enabled) return null;
  if (!knowsZone(settings)) return missedByZone(settings.timeZone);
  const slot = previousSlot(settings, now);
  if (slot === undefined) return null;
  return (await findMissed(db, { name: SLOT_NAME, slot, since, now, catchUpMs: CATCH_UP_WITHIN_MS })) ?? null;
}

function view(settings: ScheduleSettings, now: Date): Omit<ScheduleView, 'missed'> {
  const isDueEver = settings.enabled && knowsZone(settings);
  return { ...settings, nextRunAt: isDueEver ? (nextSlot(settings, now)?.toISOString() ?? null) : null };
}

/** False where the time-zone data of this process lacks a zone that was saved by another one. */
function knowsZone({ kind, timeZone }: ScheduleSettings): boolean {
  return kind === 'interval' || isTimeZone(timeZone);
}

/** The last slot at or before an instant; undefined when a cron expression had none within the catch-up window. */
export function previousSlot(settings: ScheduleSettings, at: Date): Date | undefined {
  if (settings.kind === 'daily') return previousDaily(settings.time ?? '00:00', settings.timeZone, at);
  if (settings.kind === 'interval') return previousInterval(settings.everyMinutes ?? 1, at);
  const matches = cronMatcher(settings);
  const latest = Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS;
  for (let instant = latest; latest - instant <= CATCH_UP_WITHIN_MS; instant -= MINUTE_MS)
    if (matches(new Date(instant))) return new Date(instant);
  return undefined;
}

/** The first slot after an instant; undefined for a cron expression that never comes within four years. */
export function nextSlot(settings: ScheduleSettings, after: Date): Date | undefined {
  if (settings.kind === 'daily') return nextDaily(settings.time ?? '00:00', settings.timeZone, after);
  if (settings.kind === 'interval') return nextInterval(settings.everyMinutes ?? 1, after);
  const matches = cronMatcher(settings);
  const first = (Math.floor(after.getTime() / MINUTE_MS) + 1) * MINUTE_MS;
  // A day of minutes first, then node-cron's own search, which starts from now.
  for (let instant = first; instant - first <= CATCH_UP_WITHIN_MS; instant += MINUTE_MS)
    if (matches(new Date(instant))) return new Date(instant);
  const task = cron(settings.cron ?? '', () => undefined, { timezone: settings.timeZone });
  const next = task.getNextRun();
  void task.destroy();
  return next ?? undefined;
}

function cronMatcher(settings: ScheduleSettings): (date: Date) => boolean {
  return withTask(settings, (task) => (date) => task.match(date));
}

function withTask<Result>(
  { cron: expression = '', timeZone }: ScheduleSettings,
  use: (task: ScheduledTask) => Result,
): Result {
  return use(createTask(expression, () => undefined, { timezone: timeZone }));
}

/** @throws {InputError} naming what is wrong with it */
export function checkSchedule(settings: ScheduleSettings): void {
  if (!isTimeZone(settings.timeZone))
    throw wrong('timeZone', `"${settings.timeZone}" is no IANA time zone, such as "Europe/Berlin".`);
  // What is off is due never, so the details may be left out.
  if (!settings.enabled && hasNoDetails(settings)) return;
  if (settings.kind === 'daily' && !/^([01]\d|2[0-3]):[0-5]\d$/.test(settings.time ?? ''))
    throw wrong('time', 'A daily schedule needs "time" as HH:MM, from 00:00 to 23:59.');
  const minutes = settings.everyMinutes ?? 0;
  if (settings.kind === 'interval' && (!Number.isInteger(minutes) || minutes < 5 || minutes > 10_080))
    throw wrong('everyMinutes', 'An interval needs "everyMinutes" from 5 to 10080.');
  if (settings.kind === 'cron') checkCron(settings.cron?.trim() ?? '');
}

function checkCron(expression: string): void {
  if (expression.split(/\s+/).length !== 5)
    throw wrong(
      'cron',
      'A cron schedule needs "cron" with five fields: minute, hour, day of month, month, day of week.',
    );
  if (!validate(expression))
    throw wrong('cron', `"${expression.slice(0, 100)}" cannot be read as a cron expression, or never comes due.`);
}

function hasNoDetails({ time, everyMinutes, cron: expression }: ScheduleSettings): boolean {
  return time === undefined && everyMinutes === undefined && expression === undefined;
}

function wrong(field: string, message: string): InputError {
  return new InputError(message, { reason: 'schedule-invalid', remedy: `Correct "${field}".`, details: { field } });
}
