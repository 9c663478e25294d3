import { useCall } from '../../api/queries.ts';
import type { ProviderCard } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { PROVIDERS } from '../../app/words.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { WORDS } from './words.ts';

export function DisconnectDialog({ card, onClose }: { readonly card: ProviderCard; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const deactivate = useCall('POST /providers/{kind}/deactivate');
  return (
    <ConfirmDialog
      onClose={onClose}
      title={t('disconnectTitle', { name: names(card.kind) })}
      lead={t('disconnectText')}
      action={t('disconnect')}
      call={deactivate}
      onConfirm={() => deactivate.mutate({ path: { kind: card.kind } }, { onSuccess: onClose })}
    />
  );
}
