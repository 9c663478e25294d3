import { useCall } from '../../api/queries.ts';
import type { ProviderCard } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { PROVIDERS } from '../../app/words.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { WORDS } from './words.ts';

/** Forgets what a source that is off was set up with. */
export function RemoveSettingsDialog({ card, onClose }: { readonly card: ProviderCard; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const remove = useCall('DELETE /providers/{kind}');
  return (
    <ConfirmDialog
      onClose={onClose}
      title={t('removeTitle', { name: names(card.kind) })}
      lead={t('removeText')}
      action={t('remove')}
      call={remove}
      onConfirm={() => remove.mutate({ path: { kind: card.kind } }, { onSuccess: onClose })}
    />
  );
}
