// Those who were removed: their list, the page of one of them, and the way back.
import { useNavigate } from '@tanstack/react-router';
import { ArchiveRestore } from 'lucide-react';
import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useRefusal } from '../../app/korean.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Banner, Empty } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Card, Page, Pairs } from '../../ui/layout.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { History } from './history.tsx';
import type { Noun } from './people.tsx';
import { WORDS } from './words.ts';

/** What is kept of one who was removed. */
function useRemoved(noun: Noun, id: string) {
  const user = useGet('GET /users/{id}/restore', { path: { id }, enabled: noun === 'users' });
  const group = useGet('GET /groups/{id}/restore', { path: { id }, enabled: noun === 'groups' });
  return noun === 'users' ? user : group;
}

/** Brings back one who was removed, or says what stands in the way. */
export function RestoreButton({ noun, id, name }: { readonly noun: Noun; readonly id: string; readonly name: string }) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const navigate = useNavigate();
  const sayRefusal = useRefusal();
  const removed = useRemoved(noun, id);
  const users = useCall('POST /users/{id}/restore');
  const groups = useCall('POST /groups/{id}/restore');
  const restore = noun === 'users' ? users : groups;
  const [asking, setAsking] = useState(false);
  const refusal = removed.data?.refusal;
  const off = refusal === null || refusal === undefined ? needs : sayRefusal(refusal);
  return (
    <>
      <Button look="primary" icon={<ArchiveRestore size={16} />} off={off} onClick={() => setAsking(true)}>
        {t('bringBack')}
      </Button>
      {asking ? (
        <ConfirmDialog
          onClose={() => setAsking(false)}
          title={t('bringBackTitle', { name })}
          lead={t('bringBackText')}
          action={t('bringBack')}
          look="primary"
          call={restore}
          onConfirm={() =>
            restore.mutate(
              { path: { id } },
              { onSuccess: (run) => void navigate({ to: '/runs/$id', params: { id: run.id } } as never) },
            )
          }
        />
      ) : null}
    </>
  );
}

/** Where somebody was who is not here any more. */
export function RemovedPage({ noun, id }: { readonly noun: Noun; readonly id: string }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const language = useLanguage();
  const sayRefusal = useRefusal();
  const query = useRemoved(noun, id);
  return (
    <Loaded query={query}>
      {({ displayName, userName, origin, deletedAt, refusal }) => (
        <Page
          title={displayName}
          lead={t('removedLead', { when: deletedAt === null ? '–' : dateTime(deletedAt, language) })}
          actions={<RestoreButton noun={noun} id={id} name={displayName} />}
        >
          {refusal === null ? null : (
            <Banner tone="amber" title={t('cannotBringBack')}>
              {sayRefusal(refusal)}
            </Banner>
          )}
          <Card>
            <Pairs
              items={[
                ...(userName === null ? [] : [[t('userName'), userName] as const]),
                [t('origin'), names(origin as keyof typeof PROVIDERS)],
                [t('id'), <code key="id">{id}</code>],
              ]}
            />
          </Card>
          <History noun={noun} id={id} />
        </Page>
      )}
    </Loaded>
  );
}

/** Nobody was removed, or nothing is kept of them any more. */
export function NoneRemoved() {
  const t = useT(WORDS);
  return (
    <Empty icon={<ArchiveRestore size={26} />} title={t('noneRemoved')}>
      {t('noneRemovedText')}
    </Empty>
  );
}
