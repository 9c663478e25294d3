import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { useCall, useGet } from '../../api/queries.ts';
import type { ProviderCard } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON, PROVIDERS } from '../../app/words.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Card } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import css from './inbound.module.css';
import { ProviderIcon } from './provider-icon.tsx';
import { RemoveSettingsDialog } from './remove-settings.tsx';
import { SwitchDialog } from './switch-dialog.tsx';
import { WORDS } from './words.ts';

/** A source that does not feed the gateway now: set up, half set up, or not. */
export function OtherSource({
  card,
  active,
}: {
  readonly card: ProviderCard;
  readonly active: ProviderCard | undefined;
}) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const [asking, setAsking] = useState(false);
  const [removing, setRemoving] = useState(false);
  const draft = useGet('GET /providers/{kind}/draft', { path: { kind: card.kind } });
  const begun = draft.data !== undefined && !(draft.error instanceof ApiError);
  return (
    <Card flush>
      <div className={css.other}>
        <div>
          <ProviderIcon kind={card.kind} grey />
          <div>
            <h3>{names(card.kind)}</h3>
            <p>{t(card.kind)}</p>
          </div>
        </div>
        <div>
          <span>{t(stateOf(card, begun))}</span>
          <Actions
            card={card}
            active={active}
            begun={begun}
            onTurnOn={() => setAsking(true)}
            onRemove={() => setRemoving(true)}
          />
        </div>
      </div>
      {removing ? <RemoveSettingsDialog card={card} onClose={() => setRemoving(false)} /> : null}
      {!asking ? null : active === undefined ? (
        <ActivateDialog card={card} onClose={() => setAsking(false)} />
      ) : (
        <SwitchDialog card={card} active={active} onClose={() => setAsking(false)} />
      )}
    </Card>
  );
}

function stateOf({ available, configured }: ProviderCard, begun: boolean) {
  if (!available) return 'notAvailable';
  if (configured) return 'setUpNotActive';
  return begun ? 'draft' : 'notSetUp';
}

function Actions({
  card,
  active,
  begun,
  onTurnOn,
  onRemove,
}: {
  readonly card: ProviderCard;
  readonly active: ProviderCard | undefined;
  /** A set-up was left half way. */
  readonly begun: boolean;
  readonly onTurnOn: () => void;
  readonly onRemove: () => void;
}) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const needs = useNeeds('admin');
  const params = { provider: card.kind };
  if (card.configured)
    return (
      <>
        <Button small off={needs} onClick={onTurnOn}>
          {active === undefined ? t('turnOn') : t('switch')}
        </Button>
        <Link to="/inbound/$provider/settings" params={params} className={buttonClass(undefined, true)}>
          {common('edit')}
        </Link>
        <Button small off={needs} onClick={onRemove}>
          {t('remove')}
        </Button>
      </>
    );
  if (!card.available) return null;
  const first = active === undefined && card.kind === 'microsoft365';
  return (
    <Link to="/inbound/$provider/setup" params={params} className={buttonClass(first ? 'primary' : undefined, true)}>
      {begun ? t('goOn') : t('setUp')}
    </Link>
  );
}

/** Turns a source on while no other is. */
function ActivateDialog({ card, onClose }: { readonly card: ProviderCard; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const common = useT(COMMON);
  const navigate = useNavigate();
  const activate = useCall('POST /providers/{kind}/activate');
  const turnOn = (): void =>
    activate.mutate(
      { path: { kind: card.kind }, body: {} },
      {
        onSuccess: (made) => {
          onClose();
          if (made.lastRun !== null) void navigate({ to: '/runs/$id', params: { id: made.lastRun.id } } as never);
        },
      },
    );
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('turnOnTitle', { name: names(card.kind) })}
      lead={t('turnOnText')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button look="primary" busy={activate.isPending} onClick={turnOn}>
            {t('turnOn')}
          </Button>
        </>
      }
    >
      <Refusal error={activate.error} />
    </Dialog>
  );
}
