// Numbers, dates and spans in the reader's language.
import { type Language, say } from './i18n.ts';

const DAY_MS = 86_400_000;

export function count(value: number, language: Language): string {
  return value.toLocaleString(language);
}

export function percent(part: number, whole: number, language: Language): string {
  const share = whole === 0 ? 0 : part / whole;
  return share.toLocaleString(language, { style: 'percent', maximumFractionDigits: share < 0.1 ? 1 : 0 });
}

export function dateTime(at: string, language: Language, timeZone?: string): string {
  return new Date(at).toLocaleString(language === 'en' ? 'en-GB' : 'ko', {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(new Date(at).getFullYear() === new Date().getFullYear() ? {} : { year: 'numeric' as const }),
    ...(timeZone === undefined ? {} : { timeZone }),
  });
}

export function day(at: string, language: Language): string {
  return new Date(at).toLocaleDateString(language === 'en' ? 'en-GB' : 'ko', {
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC',
  });
}

/** `38 s`, `4 min`, `11 h 42 min`, `3 d`. */
export function span(ms: number, language: Language): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 1) return say(['under 1 s', '1초 미만'], {}, language);
  if (seconds < 60) return say(['{s} s', '{s}초'], { s: seconds }, language);
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return say(['{m} min', '{m}분'], { m: minutes }, language);
  const hours = Math.floor(minutes / 60);
  if (ms < DAY_MS) return say(['{h} h {m} min', '{h}시간 {m}분'], { h: hours, m: minutes % 60 }, language);
  return say(['{d} d', '{d}일'], { d: Math.round(ms / DAY_MS) }, language);
}

/** `4 min ago`, `in 11 h 42 min`. */
export function relative(at: string, language: Language, now = Date.now()): string {
  const ms = new Date(at).getTime() - now;
  if (Math.abs(ms) < 5_000) return say(['now', '방금'], {}, language);
  const text = span(Math.abs(ms), language);
  return say(ms > 0 ? ['in {t}', '{t} 후'] : ['{t} ago', '{t} 전'], { t: text }, language);
}

/** Two letters that stand for a name. */
export function initials(name: string): string {
  const parts = name
    .trim()
    .split(/[\s._@-]+/)
    .filter((part) => part !== '');
  return ((parts[0]?.[0] ?? '') + (parts[1]?.[0] ?? '')).toUpperCase() || '?';
}
