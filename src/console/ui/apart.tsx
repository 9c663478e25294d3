import type { ReactNode } from 'react';
import { useLanguage, useT, words } from '../app/i18n.ts';
import { useSumWords } from '../app/plan-sums.ts';
import type { Sum, Sums } from '../app/run-facts.ts';
import css from './apart.module.css';

const WORDS = words({
  added: ['{n} added', '추가 {n}'],
  removed: ['{n} removed', '제거 {n}'],
});

/** Users and groups each by their own number, one below the other. */
export function Apart({ sum }: { readonly sum: Sum }) {
  const { parts } = useSumWords();
  return <Lines of={parts(sum)} />;
}

/** How many memberships were won and lost. */
export function Memberships({ memberships: { added, removed } }: Pick<Sums, 'memberships'>) {
  const t = useT(WORDS);
  const lines = [
    ...(added === 0 ? [] : [t('added', { n: added })]),
    ...(removed === 0 ? [] : [t('removed', { n: removed })]),
  ];
  return <Lines of={lines} />;
}

/** What is counted, a line each; nothing is a nought. */
export function Lines({ of }: { readonly of: readonly string[] }): ReactNode {
  const language = useLanguage();
  if (of.length === 0) return <span className={css.none}>{(0).toLocaleString(language)}</span>;
  return (
    <span className={css.lines}>
      {of.map((line) => (
        <span key={line}>{line}</span>
      ))}
    </span>
  );
}
