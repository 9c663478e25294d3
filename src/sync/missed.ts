// A run that did not start when it was due: which one, why, and what to do about it.
import type { Db } from '#store/database.ts';
import { readSlot } from '#store/run/schedule-slots.ts';

export interface MissedRun {
  /** Null when it cannot be told, since the zone of the schedule is not known here. */
  readonly dueAt: string | null;
  /** `started-late`: another run has made up for it. `not-started`: it still will. `passed`: nothing makes up for it. */
  readonly state: 'started-late' | 'not-started' | 'passed' | 'time-zone-unknown';
  readonly message: string;
  readonly remedy: string;
  /** The run that made up for it, and when that was asked for. */
  readonly runId: string | null;
  readonly startedAt: string | null;
}

/** How late a slot may be before it is called missed: the tick comes once a minute. */
const GRACE_MS = 150_000;

export interface LastSlot {
  /** As the slots are named in the table. */
  readonly name: string;
  readonly slot: Date;
  /** Slots up to this instant belong to an earlier schedule. */
  readonly since: Date;
  readonly now: Date;
  /** A slot older than this is not made up for. */
  readonly catchUpMs: number;
}

/** What became of the last slot that was due; undefined when all is well, and while no source is active. */
export async function findMissed(db: Db, last: LastSlot): Promise<MissedRun | undefined> {
  const { name, slot, since, now, catchUpMs } = last;
  if (slot <= since || now.getTime() - slot.getTime() < GRACE_MS) return undefined;
  const found = await readSlot(db, name, slot);
  if (found === undefined) return undefined;
  const { claimed, runId, startedAt } = found;
  const about = { dueAt: slot.toISOString(), runId, startedAt: startedAt?.toISOString() ?? null };
  const what = `The sync due at ${about.dueAt}`;
  if (runId !== null)
    return {
      ...about,
      state: 'started-late',
      message: `${what} started late: nothing was running that starts syncs when it was due.`,
      remedy: 'Nothing needs to be done. If it repeats, find out why the gateway was stopped at that time.',
    };
  if (claimed) return undefined;
  if (now.getTime() - slot.getTime() <= catchUpMs)
    return {
      ...about,
      state: 'not-started',
      message: `${what} did not start: nothing is running that starts syncs.`,
      remedy:
        'Start a gateway with the role "all" or "worker"; it makes up for this within a minute. If one is running, look at its log.',
    };
  return {
    ...about,
    state: 'passed',
    message: `${what} did not start, and nothing makes up for it any more.`,
    remedy: 'Run a sync now. If it repeats, find out why no gateway was running at that time.',
  };
}

/** Nothing is ever due in a zone that this process does not know. */
export function missedByZone(timeZone: string): MissedRun {
  return {
    dueAt: null,
    state: 'time-zone-unknown',
    message: `No sync starts by itself: the time zone "${timeZone}" of the schedule is not known here.`,
    remedy: 'Choose another zone, or give the process up-to-date time-zone data.',
    runId: null,
    startedAt: null,
  };
}
