import type { ReactNode } from 'react';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Button } from '../../ui/button.tsx';
import { Card, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { WORDS } from './words.ts';

interface SaveCardProps {
  readonly lead?: string;
  readonly save: { readonly error: unknown; readonly isPending: boolean };
  readonly onSave: (done: () => void) => void;
  readonly extra?: ReactNode;
  readonly children: ReactNode;
}

/** Fields of one settings document, and the button that saves them. */
export function SaveCard({ lead, save, onSave, extra, children }: SaveCardProps) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  return (
    <Card
      foot={
        <>
          {extra}
          <Button look="primary" off={needs} busy={save.isPending} onClick={() => onSave(() => toast(t('saved')))}>
            {t('save')}
          </Button>
        </>
      }
    >
      <Stack>
        {lead === undefined ? null : <p>{lead}</p>}
        <Refusal error={save.error} />
        {children}
      </Stack>
    </Card>
  );
}
