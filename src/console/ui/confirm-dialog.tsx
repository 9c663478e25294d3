import type { ReactNode } from 'react';
import { useT } from '../app/i18n.ts';
import { COMMON } from '../app/words.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Refusal } from './loaded.tsx';

/** Asks before something that takes away, and says why when it is refused. */
export function ConfirmDialog({
  open = true,
  onClose,
  title,
  lead,
  action,
  look = 'danger',
  call,
  onConfirm,
}: {
  readonly open?: boolean;
  readonly onClose: () => void;
  readonly title: ReactNode;
  readonly lead: ReactNode;
  /** The word on the button. */
  readonly action: string;
  /** Primary for what can be taken back. */
  readonly look?: 'danger' | 'primary';
  readonly call: { readonly isPending: boolean; readonly error: unknown };
  readonly onConfirm: () => void;
}) {
  const common = useT(COMMON);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      lead={lead}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button look={look} busy={call.isPending} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      <Refusal error={call.error} />
    </Dialog>
  );
}
