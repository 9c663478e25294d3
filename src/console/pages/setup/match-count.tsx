import { useEffect, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { useCall } from '../../api/queries.ts';
import { count } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useReason } from '../../app/reasons.ts';
import { useNeeds } from '../../app/session.tsx';
import type { Json, Kind } from './model.ts';
import css from './setup.module.css';
import { WORDS } from './words.ts';

const QUIET_MS = 500;

/** How many of those that the last read showed the settings would let in; follows what is typed. */
export function MatchCount({ kind, settings }: { readonly kind: Kind; readonly settings: Json }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const needs = useNeeds('operator');
  const sayReason = useReason();
  const { data, error, mutate, reset } = useCall('POST /providers/{kind}/scope/try');
  const [asked, setAsked] = useState<string | undefined>(undefined);
  const text = JSON.stringify(settings);
  useEffect(() => {
    if (needs !== undefined) return;
    const timer = window.setTimeout(() => {
      reset();
      setAsked(text);
      mutate({ path: { kind }, body: JSON.parse(text) });
    }, QUIET_MS);
    return () => window.clearTimeout(timer);
  }, [text, kind, mutate, reset, needs]);
  const current = asked === text ? data : undefined;
  const wrong = asked === text && error instanceof ApiError && error.code !== 'settings-invalid' ? error : undefined;
  return (
    <div className={css.count} aria-live="polite">
      {wrong !== undefined ? (
        <span>{wrong.message}</span>
      ) : current === undefined ? null : current.total === 0 ? (
        <span>{t('countNone')}</span>
      ) : (
        <>
          {current.complete ? null : <span>{t('countGuess')}</span>}
          <b>{t('countOf', { n: count(current.matching, language), total: count(current.total, language) })}</b>
          {current.leaving > 0 ? <em>{t('wouldLeave', { n: current.leaving })}</em> : null}
          {current.joining > 0 ? <span>{t('wouldJoin', { n: current.joining })}</span> : null}
          {current.skipped.length === 0 ? null : (
            <ul>
              {current.skipped.map(({ reason, sentence, count: n }) => (
                <li key={reason}>
                  {count(n, language)} · {sayReason(reason, sentence)}
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </div>
  );
}
