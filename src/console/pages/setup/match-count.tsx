import { useEffect, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { useAsk } from '../../api/queries.ts';
import type { ScopeTry } from '../../api/types.ts';
import { count } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useReason } from '../../app/reasons.ts';
import { useNeeds } from '../../app/session.tsx';
import type { Json, Kind } from './model.ts';
import css from './setup.module.css';
import { WORDS } from './words.ts';

const QUIET_MS = 500;

/** How many of those that the last read showed the settings would let in; follows what is typed. */
export function MatchCount({
  kind,
  settings,
  brief = false,
  fits,
}: {
  readonly kind: Kind;
  readonly settings: Json;
  /** Without the reasons of those who stay out. */
  readonly brief?: boolean;
  /** Says how many fit, and nothing of who comes or leaves. */
  readonly fits?: ((n: string, total: string) => string) | undefined;
}) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const { data, error, mutate, reset } = useAsk('POST /providers/{kind}/scope/try');
  const [asked, setAsked] = useState<string | undefined>(undefined);
  const text = JSON.stringify(settings);
  const blind = kind === 'microsoft365' && asksForGroups(settings);
  useEffect(() => {
    if (needs !== undefined || blind) return;
    const timer = window.setTimeout(() => {
      reset();
      setAsked(text);
      mutate({ path: { kind }, body: JSON.parse(text) });
    }, QUIET_MS);
    return () => window.clearTimeout(timer);
  }, [text, kind, mutate, reset, needs, blind]);
  const answered = !blind && asked === text;
  const wrong = answered && error instanceof ApiError && error.code !== 'settings-invalid' ? error : undefined;
  return (
    <div className={css.count} aria-live="polite">
      {blind ? <span>{t('countGroups')}</span> : null}
      {wrong === undefined ? null : <span>{wrong.message}</span>}
      {answered && data !== undefined ? <Figures found={brief ? { ...data, skipped: [] } : data} fits={fits} /> : null}
    </div>
  );
}

/** Memberships are looked up by a run, not in what was read of a user: a count would take everybody in. */
function asksForGroups(settings: Json): boolean {
  const { filter = '' } = (settings['scope'] ?? {}) as { readonly filter?: string };
  return /\bmemberOf\b/i.test(filter.replaceAll(/'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"/g, ''));
}

function Figures({
  found: { complete, total, matching, leaving, joining, skipped },
  fits,
}: {
  readonly found: ScopeTry;
  readonly fits: ((n: string, total: string) => string) | undefined;
}) {
  const t = useT(WORDS);
  const language = useLanguage();
  const sayReason = useReason();
  if (total === 0) return <span>{t('countNone')}</span>;
  const [n, of] = [count(matching, language), count(total, language)];
  if (fits !== undefined)
    return (
      <>
        {complete ? null : <span>{t('countGuess')}</span>}
        <b>{fits(n, of)}</b>
      </>
    );
  return (
    <>
      {complete ? null : <span>{t('countGuess')}</span>}
      <b>{t('countOf', { n, total: of })}</b>
      {leaving > 0 ? <em>{t('wouldLeave', { n: leaving })}</em> : null}
      {joining > 0 ? <span>{t('wouldJoin', { n: joining })}</span> : null}
      {skipped.length === 0 ? null : (
        <ul>
          {skipped.map(({ reason, sentence, count: n }) => (
            <li key={reason}>
              {count(n, language)} · {sayReason(reason, sentence)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
