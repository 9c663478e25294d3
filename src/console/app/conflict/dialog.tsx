import { type ReactNode, useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Chips } from '../../ui/field.tsx';
import { Row } from '../../ui/layout.tsx';
import { Table } from '../../ui/table.tsx';
import { useActorName } from '../actors.ts';
import { relative } from '../format.ts';
import { useLanguage, useT } from '../i18n.ts';
import { COMMON } from '../words.ts';
import type { Saver } from './draft.tsx';
import type { Apart } from './three-way.ts';
import { WORDS } from './words.ts';

type Choice = 'mine' | 'theirs';

/** Two saved the same settings: each field in which they differ, with both values and the choice between them. */
export function ConflictDialog({
  saver: { savedBy, savedAt },
  fields,
  nameOf,
  sayValue,
  busy,
  onClose,
  onSave,
}: {
  readonly saver: Saver;
  readonly fields: readonly Apart[];
  readonly nameOf: ((path: string) => string | undefined) | undefined;
  readonly sayValue: ((path: string, value: unknown) => string | undefined) | undefined;
  readonly busy: boolean;
  readonly onClose: () => void;
  /** Hears in which fields theirs is taken. */
  readonly onSave: (taken: readonly Apart[]) => void;
}) {
  const t = useT(WORDS);
  const language = useLanguage();
  const actor = useActorName();
  const [chosen, setChosen] = useState<Readonly<Record<string, Choice>>>({});
  const choiceOf = ({ path, onlyTheirs }: Apart): Choice => chosen[path] ?? (onlyTheirs ? 'theirs' : 'mine');
  const all = (choice: Choice): void => setChosen(Object.fromEntries(fields.map(({ path }) => [path, choice])));
  const title =
    savedBy === null || savedAt === null
      ? t('others')
      : t('title', { who: actor(savedBy), when: relative(savedAt, language) });
  return (
    <Dialog
      open
      shape="wide"
      onClose={onClose}
      title={title}
      lead={t('lead')}
      foot={
        <>
          <Button onClick={onClose}>{t('goOn')}</Button>
          <Button
            look="primary"
            busy={busy}
            onClick={() => onSave(fields.filter((field) => choiceOf(field) === 'theirs'))}
          >
            {t('save')}
          </Button>
        </>
      }
    >
      {fields.length > 1 ? (
        <Row>
          <Button small onClick={() => all('mine')}>
            {t('allMine')}
          </Button>
          <Button small onClick={() => all('theirs')}>
            {t('allTheirs')}
          </Button>
        </Row>
      ) : null}
      <Table
        label={t('fields')}
        items={fields}
        keyOf={({ path }) => path}
        columns={[
          {
            name: t('field'),
            cell: (field) => (
              <span>
                <b>{nameOf?.(field.path) ?? <code>{field.path}</code>}</b>
                {field.onlyTheirs ? (
                  <small style={{ display: 'block', color: 'var(--muted)' }}>{t('onlyTheirs')}</small>
                ) : null}
              </span>
            ),
          },
          { name: t('mine'), cell: ({ path, mine }) => sayValue?.(path, mine) ?? <Value path={path} value={mine} /> },
          {
            name: t('theirs'),
            cell: ({ path, theirs }) => sayValue?.(path, theirs) ?? <Value path={path} value={theirs} />,
          },
          {
            name: t('choice'),
            end: true,
            cell: (field) => (
              <span style={{ display: 'inline-block', minWidth: '198px' }}>
                <Chips
                  label={`${t('choice')}: ${nameOf?.(field.path) ?? field.path}`}
                  value={choiceOf(field)}
                  onChange={(choice) => setChosen({ ...chosen, [field.path]: choice as Choice })}
                  options={[
                    ['mine', t('keepMine')],
                    ['theirs', t('takeTheirs')],
                  ]}
                />
              </span>
            ),
          },
        ]}
      />
    </Dialog>
  );
}

const SECRET = /(^|\.)(secret|password|token|clientSecret|privateKey|bindPassword|authorization)$/;

/** A list line by line; of a secret only that there is one. */
function Value({ path, value }: { readonly path: string; readonly value: unknown }): ReactNode {
  const t = useT(WORDS);
  const common = useT(COMMON);
  if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0))
    return <span style={{ color: 'var(--muted)' }}>{t('empty')}</span>;
  if (SECRET.test(path)) return <span>{t('secret')}</span>;
  if (typeof value === 'boolean') return <span>{common(value ? 'yes' : 'no')}</span>;
  if (Array.isArray(value) && value.every((part) => typeof part !== 'object'))
    return (
      <span>
        {value.map((part) => (
          <span key={String(part)} style={{ display: 'block' }}>
            {String(part)}
          </span>
        ))}
      </span>
    );
  return <span>{typeof value === 'object' ? <code>{JSON.stringify(value)}</code> : String(value)}</span>;
}
