import { Link } from '@tanstack/react-router';
import { urlOf } from '../../api/client.ts';
import { useGet } from '../../api/queries.ts';
import type { Run } from '../../api/types.ts';
import { useActorName } from '../../app/actors.ts';
import { count, dateTime, span } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSumWords } from '../../app/plan-sums.ts';
import { plannedSums } from '../../app/run-facts.ts';
import { TRIGGER } from '../../app/words.ts';
import { Card, Pairs } from '../../ui/layout.tsx';
import { Table } from '../../ui/table.tsx';
import { WORDS } from './words.ts';

/** What the run was asked for, what it spent, and what tells its plan from any other. */
export function Details({ run }: { readonly run: Run }) {
  const t = useT(WORDS);
  const trigger = useT(TRIGGER);
  const language = useLanguage();
  const nameOf = useActorName();
  const plan = useGet('GET /plans/{id}', { path: { id: run.planId ?? '' }, enabled: run.planId !== null });
  const whatItDid = useWhatItDid(run);
  const at = (when: string | null): string => (when === null ? '–' : dateTime(when, language));
  const rows: (readonly [string, React.ReactNode])[] = [
    [t('started'), `${trigger(run.trigger)} · ${nameOf(run.requestedBy)}`],
    [t('created'), at(run.createdAt)],
    [t('finished'), at(run.finishedAt)],
    [t('mode'), t(run.mode)],
  ];
  if (run.cost !== null) {
    rows.push([t('requests'), count(run.cost.requests, language)]);
    if (run.cost.throttledMs > 0) rows.push([t('throttled'), span(run.cost.throttledMs, language)]);
  }
  if (run.reverts !== null)
    rows.push([
      t('undoes'),
      <Link key="undoes" to="/runs/$id" params={{ id: run.reverts }}>
        {t('theRun')}
      </Link>,
    ]);
  if (plan.data?.hash) rows.push([t('planHash'), <code key="hash">{plan.data.hash}</code>]);
  const logged = (run.options as { logLevel?: string }).logLevel !== undefined;
  if (logged)
    rows.push([
      t('log'),
      <a key="log" href={urlOf('GET /sync-runs/{id}/log', { id: run.id })} download>
        {t('download')}
      </a>,
    ]);
  return (
    <>
      <Card>
        <Pairs items={rows} />
      </Card>
      {run.steps.length === 0 ? null : (
        <Card flush foot={logged ? undefined : <span style={{ marginRight: 'auto' }}>{t('noLog')}</span>}>
          <Table
            first
            label={t('tab-details')}
            items={run.steps}
            keyOf={({ name }) => name}
            columns={[
              { name: t('step'), cell: ({ name }) => t(`step-${name}`) },
              { name: t('started'), cell: ({ startedAt }) => at(startedAt) },
              { name: t('finished'), cell: ({ finishedAt }) => at(finishedAt) },
              { name: t('stepDone'), cell: (step) => whatItDid(step) },
              { name: t('took'), end: true, cell: ({ ms }) => span(ms, language) },
            ]}
          />
        </Card>
      )}
    </>
  );
}

type RunStep = Run['steps'][number];

/** In words, each number with its unit; comparing counts nothing by itself, so it says what it found. */
function useWhatItDid(run: Run): (step: RunStep) => string {
  const t = useT(WORDS);
  const { about } = useSumWords();
  return ({ name, done, state }) => {
    if (name === 'reading') return t('recordsRead', { n: done });
    if (name === 'applying') return t('changesMade', { n: done });
    if (run.planned !== null)
      return t('found', { what: about(plannedSums(run.plannedByType)).join(', ') || t('nothing') });
    return state === 'succeeded' ? t('nothing') : '–';
  };
}
