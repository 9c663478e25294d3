import { Link } from '@tanstack/react-router';
import type { Impact } from '../../api/types.ts';
import { count } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSumWords } from '../../app/plan-sums.ts';
import { Banner } from '../../ui/banner.tsx';
import { Table } from '../../ui/table.tsx';
import css from './inbound.module.css';
import { SWITCH } from './switch-words.ts';

/** How many people lose their account, or its use; where nobody does, how many groups go. */
export function removedBy({ users, groups }: Impact): { readonly users: number; readonly asked: number } {
  const gone = users.deactivated + users.deleted;
  return { users: gone, asked: gone > 0 ? gone : groups.deactivated + groups.deleted };
}

const ROWS = ['linked', 'own', 'created', 'leftOver', 'idsKept', 'inQuestion'] as const;
const REASON_OF = { linked: 'Linked', created: 'NewInSource', leftOver: 'LeftOver' } as const;

/** Who is linked to whom, who is new, who is left over and what becomes of them, and how many ids stay. */
export function ImpactFacts({ impact, active }: { readonly impact: Impact; readonly active: string }) {
  const t = useT(SWITCH);
  const language = useLanguage();
  const { what } = useSumWords();
  const by = Object.entries(impact.linkedBy).filter(([, n]) => n > 0);
  const questions = impact.users.inQuestion + impact.groups.inQuestion;
  return (
    <>
      {impact.complete ? null : <Banner tone="red" title={t('notWhole')} />}
      {questions === 0 ? null : (
        <Banner
          tone="amber"
          title={t('questions', { n: questions })}
          actions={<Link to="/disputes">{t('toDisputes')}</Link>}
        >
          {t('questionsText')}
        </Banner>
      )}
      <Table
        first
        label={t('facts')}
        items={ROWS}
        keyOf={(row) => row}
        columns={[
          {
            name: t('what'),
            cell: (row) => (
              <>
                <b>{t(row)}</b>
                <br />
                <small className={css.note}>{noteOf(row)}</small>
              </>
            ),
          },
          { name: t('users'), end: true, cell: (row) => <Figure impact={impact} row={row} /> },
          { name: t('groups'), end: true, cell: (row) => count(impact.groups[row], language) },
        ]}
      />
      {by.length === 0 ? null : (
        <p>
          {t('linkedBy')}:{' '}
          {by.map(([name, n]) => `${name === 'former' ? t('former') : name} ${count(n, language)}`).join(', ')}
        </p>
      )}
      <Link to="/runs/$id" params={{ id: impact.runId }}>
        {t('all')}
      </Link>
    </>
  );

  function noteOf(row: (typeof ROWS)[number]): string {
    if (row === 'linked') return t('linkedNote', { active });
    if (row !== 'leftOver') return t(`${row}Note`);
    if (impact.leftOvers === 'keep') return t('kept');
    const say = (of: 'deactivated' | 'deleted'): string =>
      what({ users: impact.users[of], groups: impact.groups[of] }) || count(0, language);
    return t('goes', { disabled: say('deactivated'), removed: say('deleted') });
  }
}

function Figure({ impact, row }: { readonly impact: Impact; readonly row: (typeof ROWS)[number] }) {
  const t = useT(SWITCH);
  const language = useLanguage();
  const n = impact.users[row];
  const reason = row in REASON_OF ? REASON_OF[row as keyof typeof REASON_OF] : undefined;
  if (reason === undefined || n === 0) return <>{count(n, language)}</>;
  return (
    <Link to="/runs/$id" params={{ id: impact.runId }} search={{ reason } as never} aria-label={`${t(row)}: ${n}`}>
      {count(n, language)}
    </Link>
  );
}
