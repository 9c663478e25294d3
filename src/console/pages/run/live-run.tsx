import { CircleStop } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useCall } from '../../api/queries.ts';
import type { Run } from '../../api/types.ts';
import { span } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { percentOf, tookMs } from '../../app/run-facts.ts';
import { useNeeds } from '../../app/session.tsx';
import { Progress } from '../../ui/bars.tsx';
import { Button } from '../../ui/button.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import css from './run.module.css';
import { Stages } from './stages.tsx';
import { WORDS } from './words.ts';

const QUARTER = 25;

/** A run that is under way: how far, how long yet, and how to stop it. */
export function LiveRun({ run }: { readonly run: Run }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const needs = useNeeds('operator');
  const cancel = useCall('POST /sync-runs/{id}/cancel');
  useTick();
  const percent = percentOf(run);
  const { estimatedSecondsLeft: left, done, total } = run.progress;
  const elapsed = span(tookMs(run) ?? 0, language);
  const details = [
    t('elapsed', { t: elapsed }),
    left === null ? undefined : t('left', { t: span(left * 1000, language) }),
    total === null ? (done > 0 ? t('doneSoFar', { n: done }) : undefined) : t('doneOf', { n: done, total }),
  ].filter((text) => text !== undefined);
  // A screen reader hears each quarter, not every number.
  const heard = percent === undefined ? '' : t('heard', { n: Math.floor(percent / QUARTER) * QUARTER });
  return (
    <div className={css.live}>
      <div className={css.liveHead}>
        {percent === undefined ? null : <b>{percent}%</b>}
        <div>
          <strong>{run.status === 'queued' ? t('queued') : t('syncing')}</strong>
          <small>{details.join(' · ')}</small>
        </div>
        <Button
          small
          icon={<CircleStop size={15} />}
          off={needs}
          busy={cancel.isPending}
          onClick={() => cancel.mutate({ path: { id: run.id } })}
        >
          {t('stop')}
        </Button>
      </div>
      <Refusal error={cancel.error} />
      <Progress label={t('progress')} percent={percent} />
      <span className="hidden" aria-live="polite">
        {heard}
      </span>
      <Stages run={run} />
    </div>
  );
}

/** Renders once a second, for the clock. */
function useTick(): void {
  const [, set] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => set((n) => n + 1), 1000);
    return () => window.clearInterval(timer);
  }, []);
}
