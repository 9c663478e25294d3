import { X } from 'lucide-react';
import { useState } from 'react';
import { useGet, useList } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { SearchField } from '../../ui/field.tsx';
import { Row, Stack } from '../../ui/layout.tsx';
import { WORDS } from './words.ts';

const SHOWN = 6;

/** Groups of the directory: whoever is in one of them is seen. */
export function GroupsField({
  value,
  onChange,
}: {
  readonly value: readonly string[];
  readonly onChange: (next: readonly string[]) => void;
}) {
  const t = useT(WORDS);
  const [text, setText] = useState('');
  const found = useList('GET /groups', { query: { search: text } as never, enabled: text.length > 1 });
  const hits = text.length > 1 ? found.items.filter(({ id }) => !value.includes(id)).slice(0, SHOWN) : [];
  return (
    <fieldset>
      <Stack>
        <legend style={{ padding: 0, fontWeight: 580 }}>{t('groups')}</legend>
        {value.length === 0 ? <span style={{ color: 'var(--muted)' }}>{t('groupsNone')}</span> : null}
        <Row>
          {value.map((id) => (
            <Picked key={id} id={id} onRemove={() => onChange(value.filter((other) => other !== id))} />
          ))}
        </Row>
        <SearchField label={t('groupsFind')} value={text} onChange={setText} />
        {hits.length === 0 ? null : (
          <Row>
            {hits.map(({ id, displayName }) => (
              <Button
                key={id}
                small
                onClick={() => {
                  onChange([...value, id]);
                  setText('');
                }}
              >
                + {displayName ?? id}
              </Button>
            ))}
          </Row>
        )}
      </Stack>
    </fieldset>
  );
}

function Picked({ id, onRemove }: { readonly id: string; readonly onRemove: () => void }) {
  const t = useT(WORDS);
  const { data } = useGet('GET /groups/{id}', { path: { id } });
  const name = (data as { displayName?: string } | undefined)?.displayName ?? id;
  return (
    <Button small aria-label={t('groupRemove', { name })} onClick={onRemove}>
      {name}
      <X size={14} aria-hidden />
    </Button>
  );
}
