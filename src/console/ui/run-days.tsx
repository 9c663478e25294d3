import type { Overview } from '../api/types.ts';
import { day } from '../app/format.ts';
import { useLanguage, useT, words } from '../app/i18n.ts';
import { type Bar, Bars, Legend } from './bars.tsx';
import { Card } from './layout.tsx';

const DAYS = 30;

const WORDS = words({
  title: ['Runs in the last 30 days', '최근 30일간 실행'],
  succeeded: ['Succeeded', '성공'],
  held: ['Held', '보류'],
  failed: ['Failed', '실패'],
  today: ['Today', '오늘'],
  said: [
    '{day}: {runs} {runs|run|runs}; {users} {users|user|users}, {groups} {groups|group|groups} and {memberships} {memberships|membership|memberships} changed',
    '{day}: 실행 {runs}회, 변경: 사용자 {users}명, 그룹 {groups}개, 구성원 관계 {memberships}개',
  ],
  none: ['{day}: no run', '{day}: 실행 없음'],
});

const NOBODY = { runs: 0, failed: 0, held: 0, changes: 0, users: 0, groups: 0, memberships: 0 };

/** So many days before today in the reader's calendar, as `2026-11-20`. */
function dayBefore(days: number): string {
  const today = new Date();
  const date = new Date(Date.UTC(today.getFullYear(), today.getMonth(), today.getDate() - days));
  return date.toISOString().slice(0, 10);
}

/** Height says how much changed, colour how it went. */
export function RunDays({ days, children }: { readonly days: Overview['days']; readonly children?: React.ReactNode }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const byDay = new Map(days.map((one) => [one.day, one]));
  const dates = Array.from({ length: DAYS }, (_, index) => dayBefore(DAYS - 1 - index));
  const bars = dates.map((date): Bar => {
    const { runs, users, groups, memberships, ...found } = byDay.get(date) ?? NOBODY;
    const named = day(date, language);
    if (runs === 0) return { key: date, value: 0, tone: 'none', text: t('none', { day: named }) };
    const tone = found.failed > 0 ? 'red' : found.held > 0 ? 'amber' : 'green';
    return {
      key: date,
      value: found.changes,
      tone,
      text: t('said', { day: named, runs, users, groups, memberships }),
    };
  });
  return (
    <Card
      title={t('title')}
      actions={
        <Legend
          items={[
            ['green', t('succeeded')],
            ['amber', t('held')],
            ['red', t('failed')],
          ]}
        />
      }
      flush
    >
      <div style={{ padding: '0 20px 16px' }}>
        <Bars label={t('title')} bars={bars} from={day(dates[0] ?? '', language)} to={t('today')} />
      </div>
      {children}
    </Card>
  );
}
