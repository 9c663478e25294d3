import { UserRoundSearch } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useGet, useList } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { PROVIDERS } from '../../app/words.ts';
import { Empty } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Card, Page } from '../../ui/layout.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import css from './check.module.css';
import { ExplanationView, isUnknown } from './explanation.tsx';
import { WORDS } from './words.ts';

export function CheckPage() {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const [search, change] = useSearchState();
  const subject = search['subject'];
  const [text, setText] = useState(subject ?? '');
  const found = useGet('GET /explain', { query: { subject: subject ?? '' }, enabled: subject !== undefined });

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (text.trim() !== '') change({ subject: text.trim() });
  }

  function pick(id: string): void {
    setText(id);
    change({ subject: id });
  }

  return (
    <Page title={t('title')} lead={t('lead')}>
      <Card>
        <form className={css.form} onSubmit={submit}>
          <div>
            <TextField label={t('subject')} value={text} onChange={setText} />
          </div>
          <div style={{ alignSelf: 'end' }}>
            <Button type="submit" look="primary">
              {t('check')}
            </Button>
          </div>
        </form>
      </Card>
      {subject === undefined ? (
        <Card flush>
          <Empty icon={<UserRoundSearch size={26} />} title={t('start')}>
            {t('startText')}
          </Empty>
        </Card>
      ) : (
        <Loaded query={found}>
          {({ explanation, candidates }) =>
            explanation !== null ? (
              <>
                {isUnknown(explanation) ? <Similar text={subject} onPick={pick} /> : null}
                <ExplanationView explanation={explanation} />
              </>
            ) : (
              <Card title={candidates.length === 0 ? t('nobody') : t('several')}>
                <ul className={css.candidates}>
                  {candidates.map((candidate) => {
                    const id = candidate.id ?? candidate.externalId ?? '';
                    return (
                      <li key={id}>
                        <Button look="quiet" onClick={() => pick(id)}>
                          {candidate.label ?? id} · {names((candidate.provider ?? 'manual') as keyof typeof PROVIDERS)}
                        </Button>
                      </li>
                    );
                  })}
                </ul>
              </Card>
            )
          }
        </Loaded>
      )}
    </Page>
  );
}

const SIMILAR = 8;

/** Nobody is called just that: those in the directory in whose name or address it stands. */
function Similar({ text, onPick }: { readonly text: string; readonly onPick: (id: string) => void }) {
  const t = useT(WORDS);
  const { items } = useList('GET /users', { query: { search: text, limit: SIMILAR } as never });
  if (items.length === 0) return null;
  return (
    <Card title={t('similar')}>
      <ul className={css.candidates}>
        {items.slice(0, SIMILAR).map(({ id, displayName, userName }) => (
          <li key={id}>
            <Button look="quiet" onClick={() => onPick(id)}>
              {[displayName, userName].filter(Boolean).join(' · ')}
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
