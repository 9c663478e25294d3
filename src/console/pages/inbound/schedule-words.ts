import type { Schedule } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { WORDS } from './words.ts';

/** A schedule as a sentence. */
export function useScheduleWords(): (schedule: Schedule) => string {
  const t = useT(WORDS);
  return ({ enabled, kind = 'daily', time = '', timeZone = 'UTC', everyMinutes = 0, cron = '' }) => {
    if (!enabled) return t('off');
    if (kind === 'interval') return t('everyMinutes', { n: everyMinutes });
    return kind === 'cron' ? t('byCron', { cron, zone: timeZone }) : t('everyDay', { time, zone: timeZone });
  };
}
