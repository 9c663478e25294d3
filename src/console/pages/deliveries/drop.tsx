import { useState } from 'react';
import { useCall } from '../../api/queries.ts';
import type { Channel, DeadLetters as Picked } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { COMMON } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { WORDS } from './words.ts';

interface DropProps {
  readonly channel: Channel;
  readonly count: number;
  readonly picked: Picked;
  readonly onClose: () => void;
}

/** Gives dead letters up for good; why goes to the audit log. */
export function DropDialog({ channel, count, picked, onClose }: DropProps) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const drop = useCall('POST /deliveries/drop');
  const [reason, setReason] = useState('');
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('dropTitle', { n: count })}
      lead={t(channel === 'push' ? 'dropPush' : 'dropMessage')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="danger"
            off={reason.trim() === '' ? t('reasonNeeded') : undefined}
            busy={drop.isPending}
            onClick={() =>
              drop.mutate(
                { body: { ...picked, reason: reason.trim() } },
                {
                  onSuccess: ({ count: n }) => {
                    toast(t('droppedN', { n }));
                    onClose();
                  },
                },
              )
            }
          >
            {t('dropN', { n: count })}
          </Button>
        </>
      }
    >
      <Refusal error={drop.error} />
      <TextField label={t('reason')} hint={t('reasonHint')} value={reason} onChange={setReason} />
    </Dialog>
  );
}
