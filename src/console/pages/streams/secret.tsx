import { Copy } from 'lucide-react';
import { useT } from '../../app/i18n.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Row } from '../../ui/layout.tsx';
import { copy } from '../apps/copy.ts';
import { WORDS } from './words.ts';

/** A secret that is shown this once: nothing closes it by accident. */
export function SecretOnce({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  const t = useT(WORDS);
  return (
    <Dialog
      open
      sticky
      onClose={onClose}
      title={t('secretTitle')}
      foot={
        <Button look="primary" onClick={onClose}>
          {t('haveIt')}
        </Button>
      }
    >
      <Banner tone="amber" title={t('secretText')} />
      <Row>
        <code style={{ overflowWrap: 'anywhere', flex: '1 1 240px' }}>{secret}</code>
        <Button icon={<Copy size={15} />} onClick={() => void copy(secret, t('copied'))}>
          {t('copy')}
        </Button>
      </Row>
    </Dialog>
  );
}
