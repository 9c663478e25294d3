import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Run } from '../api/types.ts';
import { useActorName } from '../app/actors.ts';
import { dateTime, span } from '../app/format.ts';
import { useLanguage, useT, words } from '../app/i18n.ts';
import { type Change, sumsOf, tookMs } from '../app/run-facts.ts';
import { CHANGES, TRIGGER } from '../app/words.ts';
import { Apart, Memberships } from './apart.tsx';
import { RunStatus } from './run-status.tsx';
import { Table } from './table.tsx';

const WORDS = words({
  label: ['Sync runs', '동기화 실행'],
  run: ['Run', '실행'],
  started: ['Started', '시작'],
  by: ['Started by', '시작한 사람'],
  result: ['Result', '결과'],
  took: ['Took', '소요'],
});

/** Runs in a table; what a held run would do stands where what an applied run did. */
export function RunTable({
  runs,
  old,
  first,
  below,
}: {
  readonly runs: readonly Run[];
  readonly old?: boolean;
  readonly first?: boolean;
  /** What stands below a run, over the whole width. */
  readonly below?: (run: Run) => ReactNode;
}) {
  const t = useT(WORDS);
  const change = useT(CHANGES);
  const trigger = useT(TRIGGER);
  const language = useLanguage();
  const nameOf = useActorName();
  const number = (of: Change) => ({
    name: change(of),
    end: true,
    nothing: (run: Run) => sumsOf(run)[of].users + sumsOf(run)[of].groups === 0,
    cell: (run: Run) => <Apart sum={sumsOf(run)[of]} />,
  });
  return (
    <Table
      label={t('label')}
      items={runs}
      keyOf={({ id }) => id}
      {...(old === undefined ? {} : { old })}
      {...(first === undefined ? {} : { first })}
      detail={below}
      columns={[
        {
          name: t('run'),
          named: true,
          cell: (run) => (
            <Link to="/runs/$id" params={{ id: run.id }}>
              {run.number}
            </Link>
          ),
        },
        { name: t('started'), cell: (run) => dateTime(run.startedAt ?? run.createdAt, language) },
        { name: t('by'), cell: (run) => (run.trigger === 'manual' ? nameOf(run.requestedBy) : trigger(run.trigger)) },
        { name: t('result'), cell: (run) => <RunStatus run={run} /> },
        number('create'),
        number('update'),
        number('deactivate'),
        number('delete'),
        {
          name: change('membership'),
          end: true,
          nothing: (run) => sumsOf(run).memberships.added + sumsOf(run).memberships.removed === 0,
          cell: (run) => <Memberships memberships={sumsOf(run).memberships} />,
        },
        {
          name: t('took'),
          end: true,
          cell: (run) => (tookMs(run) === undefined ? '–' : span(tookMs(run) ?? 0, language)),
        },
      ]}
    />
  );
}
