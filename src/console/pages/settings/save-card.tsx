import type { ReactNode } from 'react';
import type { Draft } from '../../app/conflict/draft.tsx';
import { useT } from '../../app/i18n.ts';
import { useLeaveWarning } from '../../app/leave-warning.ts';
import { useNeeds } from '../../app/session.tsx';
import { Button } from '../../ui/button.tsx';
import { Card, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { WORDS } from './words.ts';

interface SaveCardProps {
  readonly lead?: string;
  readonly draft: Pick<Draft<unknown, unknown>, 'changed' | 'error' | 'isPending' | 'save' | 'notice'>;
  readonly extra?: ReactNode;
  readonly children: ReactNode;
}

/** Fields of one settings document, and the button that saves them. */
export function SaveCard({ lead, draft, extra, children }: SaveCardProps) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  useLeaveWarning(draft.changed);
  return (
    <Card
      foot={
        <>
          {extra}
          <Button
            look="primary"
            off={needs ?? (draft.changed ? undefined : t('unchanged'))}
            busy={draft.isPending}
            onClick={() => draft.save(() => toast(t('saved')))}
          >
            {t('save')}
          </Button>
        </>
      }
    >
      <Stack>
        {lead === undefined ? null : <p>{lead}</p>}
        <Refusal error={draft.error} />
        {draft.notice}
        {children}
      </Stack>
    </Card>
  );
}
