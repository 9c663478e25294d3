import { Link } from '@tanstack/react-router';
import { Settings2 } from 'lucide-react';
import type { Run, SettingsChange } from '../../api/types.ts';
import { useActorName } from '../../app/actors.ts';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT, words } from '../../app/i18n.ts';
import { PROVIDERS } from '../../app/words.ts';
import { FieldDifferences, type FieldWords } from '../../ui/field-differences.tsx';
import { useLimitWords } from '../settings/limit-words.ts';
import { fieldWords } from '../setup/field-words.ts';
import css from './runs.module.css';

const WORDS = words({
  'provider.configure': ['{who} saved version {n} of {name}', '{who} 님이 {name} 버전 {n}을(를) 저장함'],
  'provider.activate': ['{who} turned {name} on', '{who} 님이 {name}을(를) 켬'],
  'provider.deactivate': ['{who} turned {name} off', '{who} 님이 {name}을(를) 끔'],
  'provider.remove': ['{who} removed the settings of {name}', '{who} 님이 {name} 설정을 삭제함'],
  'guard.change': ['{who} changed the limits', '{who} 님이 제한을 변경함'],
  'schedule.change': ['{who} changed the schedule', '{who} 님이 일정을 변경함'],
  secret: ['A secret was replaced', '비밀 값이 교체됨'],
});

const FIELDS = words({
  enabled: ['Runs by itself', '자동 실행'],
  kind: ['How often', '주기'],
  time: ['Time', '시각'],
  timeZone: ['Time zone', '시간대'],
  everyMinutes: ['Minutes between', '간격(분)'],
  cron: ['Cron expression', 'Cron 식'],
  withoutPreview: ['Without a preview first', '미리 보기 없이'],
});

const KINDS = words({
  daily: ['every day', '매일'],
  interval: ['every so many minutes', '일정 간격'],
  cron: ['by a cron expression', 'Cron 식'],
});

/** Changes of settings in the order of the runs: those that a run was the first to see, and those that none has. */
export function placeChanges(
  runs: readonly Run[],
  changes: readonly SettingsChange[],
): { readonly since: readonly SettingsChange[]; readonly below: ReadonlyMap<string, readonly SettingsChange[]> } {
  const startOf = ({ startedAt, createdAt }: Run): string => startedAt ?? createdAt;
  const below = new Map<string, SettingsChange[]>();
  const since: SettingsChange[] = [];
  for (const change of changes) {
    const first = runs.findLast((run) => startOf(run) >= change.at);
    if (first === undefined) since.push(change);
    else below.set(first.id, [...(below.get(first.id) ?? []), change]);
  }
  return { since, below };
}

/** Thin lines between runs: who changed which setting. */
export function SettingsBetween({ changes }: { readonly changes: readonly SettingsChange[] }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const language = useLanguage();
  const nameOf = useActorName();
  const field = useT(FIELDS);
  const kinds = useT(KINDS);
  const schedule: FieldWords = {
    nameOf: (path) => (path in FIELDS ? field(path as keyof typeof FIELDS) : undefined),
    sayValue: (_path, value) =>
      typeof value === 'string' && value in KINDS ? kinds(value as keyof typeof KINDS) : undefined,
  };
  const limits = useLimitWords();
  const wordsOf = ({ action, provider }: SettingsChange): FieldWords =>
    action === 'schedule.change' ? schedule : action === 'guard.change' ? limits : fieldWords(provider ?? '', language);
  return (
    <ul className={css.between}>
      {changes.map((change) => {
        const { id, at, actor, action, provider, configVersion, changes: fields, secretsChanged } = change;
        return (
          <li key={id}>
            <Settings2 size={14} aria-hidden />
            <div>
              <span>
                {dateTime(at, language)} ·{' '}
                {t(action, {
                  who: nameOf(actor),
                  n: String(configVersion ?? '?'),
                  name: provider === null ? '' : names(provider as keyof typeof PROVIDERS),
                })}
                {secretsChanged ? ` · ${t('secret')}` : ''}
              </span>
              {fields.length === 0 ? null : <FieldDifferences changes={fields} words={wordsOf(change)} />}
            </div>
            {action === 'provider.configure' && provider !== null ? (
              <Link to="/inbound/$provider/settings" params={{ provider }} search={{ tab: 'versions' } as never}>
                {names(provider as keyof typeof PROVIDERS)}
              </Link>
            ) : null}
          </li>
        );
      })}
    </ul>
  );
}
