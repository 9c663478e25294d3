import { Dialog as Base } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import type { ReactNode, RefObject } from 'react';
import { useT, words } from '../app/i18n.ts';
import { Button } from './button.tsx';
import { classes } from './classes.ts';
import css from './dialog.module.css';

const WORDS = words({ close: ['Close', '닫기'] });

interface DialogProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: ReactNode;
  readonly lead?: ReactNode;
  readonly children?: ReactNode;
  readonly foot?: ReactNode;
  readonly shape?: 'wide' | 'drawer';
  /** Neither Escape nor a click outside closes it: for what is shown once. */
  readonly sticky?: boolean;
  readonly initialFocus?: RefObject<HTMLElement | null>;
}

/** Focus goes in, stays in, and comes back to the opener. */
export function Dialog({
  open,
  onClose,
  title,
  lead,
  children,
  foot,
  shape,
  sticky = false,
  initialFocus,
}: DialogProps) {
  const t = useT(WORDS);
  return (
    <Base.Root
      open={open}
      onOpenChange={(next, details) => {
        const escaped = details.reason === 'escape-key' || details.reason === 'outside-press';
        if (!next && !(sticky && escaped)) onClose();
      }}
      disablePointerDismissal={sticky}
    >
      <Base.Portal>
        <Base.Backdrop className={css.backdrop} />
        <Base.Popup
          className={classes(css.popup, shape && css[shape])}
          {...(initialFocus === undefined ? {} : { initialFocus })}
        >
          <div className={css.head}>
            <div>
              <Base.Title>{title}</Base.Title>
              {lead === undefined ? null : <Base.Description render={<p />}>{lead}</Base.Description>}
            </div>
            {shape === 'drawer' ? (
              <Button look="quiet" aria-label={t('close')} icon={<X size={18} />} onClick={onClose} />
            ) : null}
          </div>
          <div className={css.body}>{children}</div>
          {foot === undefined ? null : <div className={css.foot}>{foot}</div>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
