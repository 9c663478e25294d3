import { Link } from '@tanstack/react-router';
import type { TargetHealth } from '../../api/types.ts';
import { count, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSumWords } from '../../app/plan-sums.ts';
import { sumIn } from '../../app/targets.tsx';
import { sumOf } from '../../ui/hours.tsx';
import { Facts } from '../../ui/layout.tsx';
import { WORDS } from './words.ts';

/** Over all ways out: every figure with what it counts. */
export function Figures({ targets }: { readonly targets: readonly TargetHealth[] }) {
  const t = useT(WORDS);
  const { parts } = useSumWords();
  const noted = (figure: 'waiting' | 'dead', note: string): string =>
    [...parts(sumIn(targets, figure)), note].join(' · ');
  const language = useLanguage();
  const { delivered, failed } = sumOf(targets.flatMap(({ hours }) => hours));
  const waiting = targets.reduce((sum, target) => sum + target.waiting, 0);
  const dead = targets.reduce((sum, target) => sum + target.dead, 0);
  const oldest = targets.flatMap(({ oldestWaitingAt }) => oldestWaitingAt ?? []).sort()[0];
  const share = delivered + failed === 0 ? undefined : delivered / (delivered + failed);
  return (
    <Facts
      big
      items={[
        { name: t('delivered24'), value: count(delivered, language), note: t('delivered24Note') },
        {
          name: t('success'),
          value:
            share === undefined ? '–' : share.toLocaleString(language, { style: 'percent', maximumFractionDigits: 1 }),
          note: share === undefined ? t('successNone') : t('successNote', { n: failed }),
        },
        {
          name: t('waiting'),
          value: (
            <Link to="/deliveries" search={{ state: 'pending' } as never}>
              {count(waiting, language)}
            </Link>
          ),
          note:
            oldest === undefined
              ? t('waitingNone')
              : noted('waiting', t('waitingNote', { t: relative(oldest, language) })),
        },
        {
          name: t('dead'),
          value: (
            <Link to="/deliveries" search={{ tab: 'dead' } as never}>
              {count(dead, language)}
            </Link>
          ),
          note: dead === 0 ? t('deadNone') : noted('dead', t('deadNote')),
        },
      ]}
    />
  );
}
