import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { TargetHealth } from '../../api/types.ts';
import { relative, span } from '../../app/format.ts';
import { useLanguage, useT, words } from '../../app/i18n.ts';
import { useFailedRemedy, useFailedThere } from '../../app/korean.ts';
import { useSumWords } from '../../app/plan-sums.ts';
import { CHANNELS, type Health, healthOf, sumIn } from '../../app/targets.tsx';
import { Banner } from '../../ui/banner.tsx';
import { buttonClass } from '../../ui/button.tsx';

const WORDS = words({
  quarantined: ['{name} is in quarantine', '{name}이(가) 격리되었습니다'],
  quarantinedText: [
    'Nothing has been sent for {since}. Waiting in order: {what}; the next try is {next}, and when it works everything goes on by itself.',
    '{since} 동안 전송이 중지되었습니다. {what}의 변경이 순서대로 대기 중이며 다음 시도는 {next}입니다. 성공하면 자동으로 계속됩니다.',
  ],
  disabled: ['{name} is switched off', '{name}이(가) 꺼졌습니다'],
  disabledText: [
    'It failed for too long. What waits is kept ({what}); remove the cause, then resume it.',
    '너무 오래 실패했습니다. {what}의 변경이 보관되어 있습니다. 원인을 해결한 다음 다시 시작하세요.',
  ],
  held: ['{n} {n|departure waits|departures wait} for you at {name}', '{name}: 이탈 {n}건이 확인을 기다립니다'],
  heldText: [
    'More people would leave it at once than is usual. Nobody is taken away there until you have looked.',
    '평소보다 많은 사용자가 한꺼번에 제거됩니다. 확인할 때까지 아무도 제거되지 않습니다.',
  ],
  resting: ['{name} is tried again {next}', '{name}: {next} 다시 시도'],
  restingText: [
    'Once it answers, what waits goes out by itself: {what}.',
    '{what}의 변경이 대기 중이며 응답하면 자동으로 전송됩니다.',
  ],
  paused: ['{name} is paused', '{name}이(가) 일시 중지되었습니다'],
  pausedText: [
    'Changes are kept and will be sent when you resume. Waiting now: {what}.',
    '변경은 보관되며 다시 시작하면 전송됩니다. 현재 대기: {what}.',
  ],
  degraded: ['{n} dead {n|letter|letters} of {name}', '{name}: 배달 불가 {n}개'],
  degradedText: [
    'The rest goes on. They are grouped by cause, so that you can send them again together.',
    '나머지는 계속 전송됩니다. 원인별로 묶여 있어 함께 다시 전송할 수 있습니다.',
  ],
  nothingWaits: ['nothing', '0개'],
  look: ['Open the app', '앱 열기'],
  calls: ['See failed calls', '실패한 호출 보기'],
  replace: ['Replace the credential…', '자격 증명 교체…'],
});

/** The app does not take our credential any more. */
const REFUSED = 'target-refused-us';

export function isCredentialRefused({ reason }: TargetHealth): boolean {
  return reason?.code === REFUSED;
}

const TONE: Readonly<Record<Exclude<Health, 'healthy'>, 'red' | 'amber' | 'blue'>> = {
  quarantined: 'red',
  disabled: 'red',
  held: 'amber',
  resting: 'amber',
  degraded: 'amber',
  paused: 'blue',
};

/** What is wrong with a way out, since when, how much waits, and when it is tried next. Nothing when all is well. */
export function Trouble({
  target,
  actions,
  short = false,
}: {
  readonly target: TargetHealth;
  /** The one thing that mends it; without them, the way to it. */
  readonly actions?: ReactNode;
  /** Without the name of the app: on its own page. */
  readonly short?: boolean;
}) {
  const t = useT(WORDS);
  const how = useT(CHANNELS);
  const language = useLanguage();
  const sayRemedy = useFailedRemedy();
  const sayCause = useFailedThere();
  const { what } = useSumWords();
  const health = healthOf(target);
  if (health === 'healthy') return null;
  const { since, nextAttemptAt, reason } = target;
  const at = (time: string | null): string => (time === null ? '–' : relative(time, language));
  const lasts = since === null ? '–' : span(Date.now() - new Date(since).getTime(), language);
  const name = short ? how(target.channel) : `${target.name} (${how(target.channel)})`;
  const waiting = what(sumIn([target], 'waiting')) || t('nothingWaits');
  const n = health === 'held' ? target.held : health === 'degraded' ? target.dead : target.waiting;
  return (
    <Banner
      tone={TONE[health]}
      title={t(health, { name, n, next: at(nextAttemptAt) })}
      actions={actions ?? <WayThere target={target} health={health} />}
    >
      {reason === null || health === 'held' || health === 'degraded'
        ? null
        : `${sentence(sayCause(reason))} ${sayRemedy(reason)} `}
      {t(`${health}Text`, { n, what: waiting, since: lasts, next: at(nextAttemptAt) })}
    </Banner>
  );
}

/** What the other side said may have no end. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function WayThere({ target, health }: { readonly target: TargetHealth; readonly health: Health }) {
  const t = useT(WORDS);
  const link = (text: string, search: Record<string, string>, look?: 'primary') => (
    <Link to="/apps/$id" params={{ id: target.appId }} search={search as never} className={buttonClass(look)}>
      {text}
    </Link>
  );
  if (health === 'quarantined' && target.channel === 'push')
    return (
      <>
        {link(t('calls'), { tab: 'deliveries', channel: 'push' })}
        {isCredentialRefused(target)
          ? link(t('replace'), { tab: 'push', replace: 'credential' }, 'primary')
          : link(t('look'), { tab: 'push' }, 'primary')}
      </>
    );
  return link(t('look'), { tab: health === 'degraded' ? 'deliveries' : target.channel });
}
