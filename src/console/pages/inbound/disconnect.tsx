import { useCall } from '../../api/queries.ts';
import type { ProviderCard } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { COMMON, PROVIDERS } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { WORDS } from './words.ts';

export function DisconnectDialog({ card, onClose }: { readonly card: ProviderCard; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const common = useT(COMMON);
  const deactivate = useCall('POST /providers/{kind}/deactivate');
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('disconnectTitle', { name: names(card.kind) })}
      lead={t('disconnectText')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="danger"
            busy={deactivate.isPending}
            onClick={() => deactivate.mutate({ path: { kind: card.kind } }, { onSuccess: onClose })}
          >
            {t('disconnect')}
          </Button>
        </>
      }
    >
      <Refusal error={deactivate.error} />
    </Dialog>
  );
}
