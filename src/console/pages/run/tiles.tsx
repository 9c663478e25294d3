import { CircleSlash, Link2, Minus, Pencil, Plus, SkipForward, UsersRound } from 'lucide-react';
import type { Run } from '../../api/types.ts';
import { count } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { CHANGE_TONE, type Change, type Sum, type Sums, sumsOf } from '../../app/run-facts.ts';
import { CHANGES } from '../../app/words.ts';
import { classes } from '../../ui/classes.ts';
import css from './run.module.css';
import { WORDS } from './words.ts';

const TILES = [
  ['delete', Minus],
  ['deactivate', CircleSlash],
  ['create', Plus],
  ['update', Pencil],
  ['link', Link2],
  ['membership', UsersRound],
  ['skip', SkipForward],
] as const satisfies readonly (readonly [Change, unknown])[];

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
  const sums = sumsOf(run);
  // Most runs link nobody.
  const shown = TILES.filter(
    ([action]) => action !== 'link' || sums.link.users + sums.link.groups > 0 || value === 'link',
  );
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
          <Figures sum={sums[action]} />
          {action === 'membership' ? <Won memberships={sums.memberships} /> : null}
        </button>
      ))}
    </div>
  );
}

/** The number with the word that goes with it; two where there are both. */
function Figures({ sum: { users, groups, others = 0 } }: { readonly sum: Sum }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const shown = [
    ...(users > 0 ? [[users, t('usersWord', { n: users })] as const] : []),
    ...(groups > 0 ? [[groups, t('groupsWord', { n: groups })] as const] : []),
    ...(others > 0 ? [[others, t('othersWord', { n: others })] as const] : []),
    ...(users + groups + others === 0 ? [[0, ''] as const] : []),
  ];
  return (
    <span className={css.figures}>
      {shown.map(([n, word]) => (
        <span key={word}>
          <b>{count(n, language)}</b> {word}
        </span>
      ))}
    </span>
  );
}

/** Groups have other members: how many memberships that is. */
function Won({ memberships: { added, removed } }: Pick<Sums, 'memberships'>) {
  const t = useT(WORDS);
  if (added + removed === 0) return null;
  return <small>{t('members', { added, removed })}</small>;
}
