import { CircleSlash, Link2, Minus, Pencil, Plus, SkipForward, UsersRound } from 'lucide-react';
import type { Run } from '../../api/types.ts';
import { count } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { usePlanSums, useSumWords } from '../../app/plan-sums.ts';
import { CHANGE_TONE, type ChangeCounts, changesOf } from '../../app/run-facts.ts';
import { CHANGES } from '../../app/words.ts';
import { classes } from '../../ui/classes.ts';
import css from './run.module.css';

const TILES = [
  ['delete', Minus],
  ['deactivate', CircleSlash],
  ['create', Plus],
  ['update', Pencil],
  ['link', Link2],
  ['membership', UsersRound],
  ['skip', SkipForward],
] as const satisfies readonly (readonly [keyof ChangeCounts, unknown])[];

/** How many of what, each a filter of the list below. */
export function Tiles({
  run,
  value,
  onChange,
}: {
  readonly run: Run;
  readonly value: string | undefined;
  readonly onChange: (action: string | undefined) => void;
}) {
  const t = useT(CHANGES);
  const language = useLanguage();
  const counts = changesOf(run);
  const sums = usePlanSums(run.planId);
  const sumWords = useSumWords();
  // Most runs link nobody.
  const shown = TILES.filter(([action]) => action !== 'link' || counts.link > 0 || value === 'link');
  return (
    <div className={css.tiles}>
      {shown.map(([action, Icon]) => (
        <button
          key={action}
          type="button"
          aria-pressed={value === action}
          onClick={() => onChange(value === action ? undefined : action)}
        >
          <span>
            <i className={classes(css.mark, css[CHANGE_TONE[action]])}>
              <Icon size={13} aria-hidden />
            </i>
            {t(action)}
          </span>
          <b>{count(counts[action], language)}</b>
          <small>{sums?.[action] === undefined ? null : sumWords.kinds(sums[action])}</small>
        </button>
      ))}
    </div>
  );
}
