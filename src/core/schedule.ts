/**
 * When a run is due. A slot is the nominal instant of one due time; whoever inserts its row runs it, so that any
 * number of replicas, restarts and late ticks run each slot once. Cron expressions are evaluated in sync/schedule.ts.
 */
export interface ScheduleSettings {
  readonly enabled: boolean;
  readonly kind: 'daily' | 'interval' | 'cron';
  /** Wall-clock time `HH:MM` of a daily run. */
  readonly time?: string | undefined;
  /** IANA name of the zone in which `time` and `cron` are read. */
  readonly timeZone: string;
  readonly everyMinutes?: number | undefined;
  /** Five fields: minute, hour, day of month, month, day of week. */
  readonly cron?: string | undefined;
}

export const DEFAULT_SCHEDULE: ScheduleSettings = { enabled: false, kind: 'daily', time: '03:00', timeZone: 'UTC' };

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** True for an IANA zone that this process knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * The first daily slot after an instant. On the day on which the wall clock jumps over `time`, the slot is the next
 * valid minute; on the day on which `time` comes twice, it is the first of the two, once.
 */
export function nextDaily(time: string, timeZone: string, after: Date): Date {
  const zone = zoneClock(timeZone);
  const today = zone(after.getTime());
  // One day back covers the zones in which the slot of "yesterday" is still ahead.
  for (let offset = -1; ; offset += 1) {
    const day = Date.UTC(today.year, today.month - 1, today.day) + offset * DAY_MS;
    const slot = dailySlot(day, time, zone);
    if (slot > after.getTime()) return new Date(slot);
  }
}

/** The last daily slot at or before an instant. */
export function previousDaily(time: string, timeZone: string, at: Date): Date {
  const zone = zoneClock(timeZone);
  const today = zone(at.getTime());
  for (let offset = 1; ; offset -= 1) {
    const day = Date.UTC(today.year, today.month - 1, today.day) + offset * DAY_MS;
    const slot = dailySlot(day, time, zone);
    if (slot <= at.getTime()) return new Date(slot);
  }
}

/** The first interval slot after an instant: multiples of the interval since the epoch, the same on every replica. */
export function nextInterval(everyMinutes: number, after: Date): Date {
  const step = everyMinutes * MINUTE_MS;
  return new Date((Math.floor(after.getTime() / step) + 1) * step);
}

export function previousInterval(everyMinutes: number, at: Date): Date {
  const step = everyMinutes * MINUTE_MS;
  return new Date(Math.floor(at.getTime() / step) * step);
}

/** A day of a zone, such as `2026-11-27`, and the instant at which it begins there. */
export interface ZoneDay {
  readonly day: string;
  readonly from: Date;
}

/** The last days of a zone, the oldest first, the one that goes on at an instant last. @throws {RangeError} not a zone */
export function lastDays(timeZone: string, at: Date, count: number): readonly ZoneDay[] {
  const zone = zoneClock(timeZone);
  const { year, month, day } = zone(at.getTime());
  const today = Date.UTC(year, month - 1, day);
  return Array.from({ length: count }, (_, index) => {
    const midnight = today - (count - 1 - index) * DAY_MS;
    return { day: new Date(midnight).toISOString().slice(0, 10), from: new Date(dailySlot(midnight, '00:00', zone)) };
  });
}

interface Wall {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** Wall clock as if it were UTC, in milliseconds, whole minutes. */
  readonly asUtc: number;
}

type ZoneClock = (instant: number) => Wall;

function zoneClock(timeZone: string): ZoneClock {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (instant) => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instant)) part[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = part;
    return { year, month, day, asUtc: Date.UTC(year, month - 1, day, hour, minute) };
  };
}

/** The first instant of a local day at which the wall clock shows `time` or later. `day` is that day's midnight as if UTC. */
function dailySlot(day: number, time: string, zone: ZoneClock): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const wanted = day + (hours * 60 + minutes) * MINUTE_MS;
  // Offsets a day before and after bracket any change of offset on the day itself.
  const offsets = [zone(wanted - DAY_MS).asUtc - (wanted - DAY_MS), zone(wanted + DAY_MS).asUtc - (wanted + DAY_MS)];
  const exact = offsets.map((offset) => wanted - offset).filter((instant) => zone(instant).asUtc === wanted);
  if (exact.length > 0) return Math.min(...exact);
  let instant = wanted - Math.max(...offsets);
  while (zone(instant).asUtc < wanted) instant += MINUTE_MS;
  return instant;
}
