import { Circle, CircleAlert, CircleCheck, ShieldAlert } from 'lucide-react';
import type { Run } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useSumWords } from '../../app/plan-sums.ts';
import { doneSums, isOpen, plannedSums, type Sums } from '../../app/run-facts.ts';
import { Spinner } from '../../ui/button.tsx';
import css from './run.module.css';
import { WORDS } from './words.ts';

type State = 'done' | 'now' | 'stop' | 'fail' | 'later';

interface Stage {
  readonly name: 'read' | 'compare' | 'check' | 'apply';
  readonly state: State;
  readonly note: string;
}

/** Where a run is on its way: read, compare, check the limits, apply. */
export function Stages({ run }: { readonly run: Run }) {
  const t = useT(WORDS);
  const stages = useStages(run);
  return (
    <ol className={css.stages}>
      {stages.map(({ name, state, note }) => (
        <li key={name} className={css[state]} aria-current={state === 'now' ? 'step' : undefined}>
          <StageIcon state={state} />
          <b>{t(name)}</b>
          <small>{note}</small>
        </li>
      ))}
    </ol>
  );
}

function StageIcon({ state }: { readonly state: State }) {
  if (state === 'now') return <Spinner size={18} />;
  const Icon =
    state === 'done' ? CircleCheck : state === 'stop' ? ShieldAlert : state === 'fail' ? CircleAlert : Circle;
  return <Icon size={18} aria-hidden />;
}

function useStages(run: Run): readonly Stage[] {
  const t = useT(WORDS);
  const step = (name: 'reading' | 'planning' | 'applying') => run.steps.find((one) => one.name === name);
  const stateOf = (name: 'reading' | 'planning' | 'applying'): State => {
    const state = step(name)?.state;
    if (state === 'running') return isOpen(run) ? 'now' : 'done';
    return state === 'succeeded' ? 'done' : state === 'failed' ? 'fail' : 'later';
  };
  const read = step('reading');
  const { about } = useSumWords();
  const inWords = (sums: Sums): string => about(sums).join(', ') || t('nothing');
  const planned = run.planned !== null;
  const later = (state: State): string | undefined => (state === 'later' ? t('notStarted') : undefined);
  const readState =
    (run.trigger === 'revert' || run.trigger === 'restore') && read === undefined ? 'done' : stateOf('reading');
  const compareState = stateOf('planning');
  const checked: State = run.status === 'held' ? 'stop' : planned && compareState !== 'now' ? 'done' : 'later';
  const applied = run.status === 'held' && step('applying') === undefined ? 'later' : stateOf('applying');
  return [
    {
      name: 'read',
      state: readState,
      note: later(readState) ?? (read === undefined ? t('notNeeded') : t('records', { n: read.done })),
    },
    {
      name: 'compare',
      state: compareState,
      note: later(compareState) ?? (planned ? inWords(plannedSums(run.plannedByType)) : ''),
    },
    {
      name: 'check',
      state: checked,
      note: later(checked) ?? (checked === 'stop' ? t('waitsForYou') : t('withinLimits')),
    },
    {
      name: 'apply',
      state: applied,
      note:
        later(applied) ??
        (isOpen(run) ? t('changes', { n: step('applying')?.done ?? 0 }) : inWords(doneSums(run.countsByType))),
    },
  ];
}
