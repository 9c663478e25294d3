import { Link, useNavigate } from '@tanstack/react-router';
import { Power } from 'lucide-react';
import { call } from '../../api/client.ts';
import type { Guard, ProviderCard } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { useAttempt } from './attempt.ts';
import { saveLimits } from './limits.tsx';
import { WORDS } from './words.ts';

/** A source that writes to us has nothing to preview: it is turned on, and each write is judged. */
export function PushedStep({ card, limits }: { readonly card: ProviderCard; readonly limits: Partial<Guard> }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const navigate = useNavigate();
  const needs = useNeeds('admin');
  const { error, busy, attempt } = useAttempt();
  const path = { kind: card.kind };
  const turnOn = (): Promise<void> =>
    attempt(async () => {
      await saveLimits(limits);
      await call('POST /providers/{kind}/activate', { path, body: {} });
      await call('DELETE /providers/{kind}/draft', { path });
      toast(t('on', { name: names(card.kind) }), { text: t('pushedOn') });
      void navigate({ to: '/inbound' } as never);
    });
  return (
    <Stack>
      <Refusal error={error} />
      <p>{t(card.active ? 'pushedOn' : 'pushedText')}</p>
      <div>
        {card.active ? (
          <Link to="/inbound" className={buttonClass('primary')}>
            {t('toSources')}
          </Link>
        ) : (
          <Button icon={<Power size={16} />} look="primary" off={needs} busy={busy} onClick={() => void turnOn()}>
            {t('turnOn')}
          </Button>
        )}
      </div>
    </Stack>
  );
}
