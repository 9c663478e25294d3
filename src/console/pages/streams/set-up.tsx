import { type ReactNode, useState } from 'react';
import type { Draft } from '../../app/conflict/draft.tsx';
import { useT } from '../../app/i18n.ts';
import { useLeaveWarning } from '../../app/leave-warning.ts';
import { useNeeds } from '../../app/session.tsx';
import { Button } from '../../ui/button.tsx';
import { SelectField } from '../../ui/field.tsx';
import { Card, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { SaveBar } from '../../ui/save-bar.tsx';
import { WORDS } from './words.ts';

/** Where a new stream begins: with what changes from now on, or with everybody who is here. */
export type Start = 'now' | 'snapshot';

interface Saving {
  readonly isPending: boolean;
  readonly error: unknown;
}

/** What a stream needs before it is made. */
export function NewStream({
  title,
  lead,
  save,
  onCreate,
  children,
}: {
  readonly title: string;
  readonly lead: string;
  readonly save: Saving;
  readonly onCreate: (start: Start) => void;
  readonly children: ReactNode;
}) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const [start, setStart] = useState<Start>('now');
  return (
    <Card
      title={title}
      foot={
        <Button look="primary" off={needs} busy={save.isPending} onClick={() => onCreate(start)}>
          {t('create')}
        </Button>
      }
    >
      <Stack>
        <p style={{ color: 'var(--muted)' }}>{lead}</p>
        <Refusal error={save.error} />
        {children}
        <SelectField
          label={t('start')}
          value={start}
          onChange={(next) => setStart(next as Start)}
          options={[
            ['now', t('startNow')],
            ['snapshot', t('startSnapshot')],
          ]}
        />
      </Stack>
    </Card>
  );
}

/** The settings of a stream that is there, and what to do with those that are not saved. */
export function StreamSettings({
  draft,
  onSave,
  children,
}: {
  readonly draft: Pick<Draft<unknown, unknown>, 'changed' | 'isPending' | 'error' | 'revert' | 'notice'>;
  readonly onSave: () => void;
  readonly children: ReactNode;
}) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  useLeaveWarning(draft.changed);
  return (
    <>
      <Card title={t('settings')}>
        <Stack>
          <Refusal error={draft.error} />
          {draft.notice}
          {children}
        </Stack>
      </Card>
      {draft.changed ? (
        <SaveBar text={t('unsaved')}>
          <Button onClick={draft.revert}>{t('revert')}</Button>
          <Button look="primary" off={needs} busy={draft.isPending} onClick={onSave}>
            {t('save')}
          </Button>
        </SaveBar>
      ) : null}
    </>
  );
}
