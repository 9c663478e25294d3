import { CalendarClock } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useDocument, useGet } from '../../api/queries.ts';
import { relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/layout.tsx';
import { Loaded, Together } from '../../ui/loaded.tsx';
import { ScheduleDialog } from '../inbound/schedule-dialog.tsx';
import { useScheduleWords } from '../inbound/schedule-words.ts';
import { LimitsTab } from '../settings/limits.tsx';
import { WORDS } from './words.ts';

/** When the active source is read, and what a run may change by itself. Both hold for whichever source is active. */
export function ScheduleTab({ pushed, children }: { readonly pushed: boolean; readonly children: ReactNode }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const needs = useNeeds('admin');
  const say = useScheduleWords();
  const schedule = useGet('GET /schedule');
  const limits = useDocument('GET /guard');
  const [changing, setChanging] = useState(false);
  return (
    <Together of={[schedule, limits]}>
      {pushed ? null : (
        <Loaded query={schedule} lines={2}>
          {(data) => (
            <Card
              title={t('scheduleOnly')}
              actions={
                <Button icon={<CalendarClock size={16} />} off={needs} onClick={() => setChanging(true)}>
                  {t('changeSchedule')}
                </Button>
              }
            >
              <b>{say(data)}</b>
              {data.enabled && data.nextRunAt ? <p>{t('nextRun', { t: relative(data.nextRunAt, language) })}</p> : null}
              {changing ? <ScheduleDialog onClose={() => setChanging(false)} /> : null}
            </Card>
          )}
        </Loaded>
      )}
      <LimitsTab />
      {children}
    </Together>
  );
}
