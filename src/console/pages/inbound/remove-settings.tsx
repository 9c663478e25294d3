import { useEffect, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { useCall, useDocument } from '../../api/queries.ts';
import type { ProviderCard } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { PROVIDERS } from '../../app/words.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { WORDS } from './words.ts';

/** Forgets what a source that is off was set up with: the version that was there when it was asked. */
export function RemoveSettingsDialog({ card, onClose }: { readonly card: ProviderCard; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const path = { kind: card.kind };
  const remove = useCall('DELETE /providers/{kind}');
  const settings = useDocument('GET /providers/{kind}', { path });
  const [asked, setAsked] = useState<string | undefined>(undefined);
  const isChanged = remove.error instanceof ApiError && remove.error.status === 412;
  const read = settings.isFetching ? undefined : settings.data?.etag;
  // What is saved while the question stands is not what was asked about.
  useEffect(() => setAsked((known) => known ?? read), [read]);

  function confirm(): void {
    if (asked === undefined) void settings.refetch();
    else
      remove.mutate(
        { path, ifMatch: asked },
        { onSuccess: onClose, onError: ({ status }) => (status === 412 ? setAsked(undefined) : undefined) },
      );
  }

  return (
    <ConfirmDialog
      onClose={onClose}
      title={t('removeTitle', { name: names(card.kind) })}
      lead={t('removeText')}
      action={t('remove')}
      call={{
        isPending: remove.isPending || (asked === undefined && settings.isFetching),
        error: isChanged ? t('removeChanged') : (remove.error ?? settings.error),
      }}
      onConfirm={confirm}
    />
  );
}
