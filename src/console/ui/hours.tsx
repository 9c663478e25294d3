import type { TargetHealth } from '../api/types.ts';
import { useLanguage, useT, words } from '../app/i18n.ts';
import { classes } from './classes.ts';
import css from './hours.module.css';

const HOURS = 24;
const HOUR_MS = 3_600_000;

const WORDS = words({
  label: [
    'Last 24 hours: {delivered} delivered, {failed} {failed|try|tries} failed',
    '최근 24시간: 전송 {delivered}건, 실패 {failed}건',
  ],
  quiet: ['Nothing was sent in the last 24 hours', '최근 24시간 동안 전송 없음'],
  one: ['{t}: {delivered} delivered, {failed} failed', '{t}: 전송 {delivered}건, 실패 {failed}건'],
  none: ['{t}: nothing sent', '{t}: 전송 없음'],
});

export interface Hour {
  readonly at: number;
  readonly delivered: number;
  readonly failed: number;
}

/** Each of the last 24 hours, the one that goes on last; an hour that comes twice is added up. */
export function hoursOf(hours: TargetHealth['hours'], now = Date.now()): readonly Hour[] {
  const current = Math.floor(now / HOUR_MS) * HOUR_MS;
  return Array.from({ length: HOURS }, (_, index) => {
    const at = current - (HOURS - 1 - index) * HOUR_MS;
    return { at, ...sumOf(hours.filter(({ hour }) => new Date(hour).getTime() === at)) };
  });
}

export function sumOf(hours: TargetHealth['hours']): { readonly delivered: number; readonly failed: number } {
  return hours.reduce(
    (sum, { delivered, failed }) => ({ delivered: sum.delivered + delivered, failed: sum.failed + failed }),
    { delivered: 0, failed: 0 },
  );
}

/** A cell for each hour: how much of it went well. What it shows is its label. */
export function HourStrip({ hours, tall = false }: { readonly hours: TargetHealth['hours']; readonly tall?: boolean }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const all = hoursOf(hours);
  const sum = sumOf(hours);
  const most = Math.max(1, ...all.map(({ delivered, failed }) => delivered + failed));
  const isQuiet = sum.delivered + sum.failed === 0;
  const label = isQuiet ? t('quiet') : t('label', sum);
  if (tall && isQuiet) return <p style={{ color: 'var(--muted)' }}>{label}</p>;
  return (
    <span className={classes(css.strip, tall && css.tall)} role="img" aria-label={label}>
      {all.map(({ at, delivered, failed }) => {
        const time = new Date(at).toLocaleTimeString(language === 'en' ? 'en-GB' : 'ko', {
          hour: '2-digit',
          minute: '2-digit',
        });
        const total = delivered + failed;
        const height = tall && total > 0 ? `${18 + 82 * Math.sqrt(total / most)}%` : undefined;
        return (
          <span
            key={at}
            className={total === 0 ? css.quiet : undefined}
            title={total === 0 ? t('none', { t: time }) : t('one', { t: time, delivered, failed })}
            style={height === undefined ? undefined : { height }}
          >
            {failed === 0 ? null : <i style={{ height: `${Math.max(18, (failed / total) * 100)}%` }} />}
          </span>
        );
      })}
    </span>
  );
}
