import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import type { Impact, ProviderCard } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { RunErrorText } from '../../app/run-error.tsx';
import { isOpen } from '../../app/run-facts.ts';
import { COMMON, PROVIDERS } from '../../app/words.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Choice, TextField } from '../../ui/field.tsx';
import { Stack } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { LiveRun } from '../run/live-run.tsx';
import { ImpactFacts, removedBy } from './switch-impact.tsx';
import { SWITCH } from './switch-words.ts';

interface SwitchProps {
  readonly card: ProviderCard;
  readonly active: ProviderCard;
  readonly onClose: () => void;
  /** What else was asked for with the switch; it is made, whatever becomes of this. */
  readonly onSwitched?: () => Promise<void>;
}

type LeftOvers = Impact['leftOvers'];

/** First what becomes of those whom the new source does not show, then what the switch does, then the word that does it. */
export function SwitchDialog(props: SwitchProps) {
  const { card, onClose } = props;
  const t = useT(SWITCH);
  const make = useCall('POST /providers/{kind}/impact');
  const runId = make.data?.id;
  const run = useGet('GET /sync-runs/{id}', { path: { id: runId ?? '' }, enabled: runId !== undefined });
  const over = runId !== undefined && run.data?.id === runId && !isOpen(run.data);
  if (over && run.data?.error === null) return <Confirm {...props} runId={runId} onBack={make.reset} />;
  return (
    <Choose
      {...props}
      busy={make.isPending || (runId !== undefined && !over)}
      error={make.error}
      onMake={(leftOvers) => make.mutate({ path: { kind: card.kind }, body: { leftOvers } })}
      onClose={onClose}
    >
      {runId === undefined ? null : (
        <Loaded query={run}>
          {(data) =>
            data.error === null ? (
              <LiveRun run={data} />
            ) : (
              <Banner tone="red" title={t('impactFailed')}>
                <RunErrorText error={data.error} />
              </Banner>
            )
          }
        </Loaded>
      )}
    </Choose>
  );
}

function Choose({
  card,
  active,
  busy,
  error,
  onMake,
  onClose,
  children,
}: SwitchProps & {
  readonly busy: boolean;
  readonly error: unknown;
  readonly onMake: (leftOvers: LeftOvers) => void;
  readonly children: React.ReactNode;
}) {
  const t = useT(SWITCH);
  const names = useT(PROVIDERS);
  const common = useT(COMMON);
  const [leftOvers, setLeftOvers] = useState<LeftOvers>('keep');
  const name = names(card.kind);
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('title', { name })}
      lead={t('lead', { active: names(active.kind) })}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button look="primary" busy={busy} onClick={() => onMake(leftOvers)}>
            {t('show')}
          </Button>
        </>
      }
    >
      <Refusal error={error} />
      {busy ? null : (
        <Choice
          legend={t('leftOvers', { active: names(active.kind), name })}
          value={leftOvers}
          onChange={setLeftOvers}
          options={(['keep', 'deactivate', 'delete'] as const).map((value) => ({
            value,
            label: t(value),
            note: t(`${value}Note`),
          }))}
        />
      )}
      {children}
    </Dialog>
  );
}

function Confirm({
  card,
  active,
  runId,
  onBack,
  onClose,
  onSwitched = () => Promise.resolve(),
}: SwitchProps & { readonly runId: string; readonly onBack: () => void }) {
  const t = useT(SWITCH);
  const names = useT(PROVIDERS);
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const activate = useCall('POST /providers/{kind}/activate');
  const query = useGet('GET /providers/{kind}/impact', { path: { kind: card.kind } });
  const impact = query.data?.runId === runId ? query.data : undefined;
  const name = names(card.kind);
  const { users, asked } = impact === undefined ? { users: 0, asked: 0 } : removedBy(impact);
  const word = asked > 0 ? String(asked) : name;
  const fits = impact?.complete === true && typed.trim().toLowerCase() === word.toLowerCase();

  function go(): void {
    if (!fits || impact === undefined || activate.isPending) return;
    const body = { switch: true, planId: impact.planId, ...(reason && { reason }) };
    // What opened the dialog may be gone by then: it showed the source that is active no more.
    activate.mutateAsync({ path: { kind: card.kind }, body }).then(
      async () => {
        await onSwitched().catch(({ message }: Error) => toast(message, { tone: 'red' }));
        void navigate({ to: '/runs/$id', params: { id: runId } } as never);
      },
      () => undefined,
    );
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={t('title', { name })}
      lead={t('nothingYet')}
      initialFocus={input}
      foot={
        <>
          <Button onClick={onBack}>{t('back')}</Button>
          <Button look="danger" busy={activate.isPending} off={fits ? undefined : t('typeTo', { word })} onClick={go}>
            {t('go', { name })}
          </Button>
        </>
      }
    >
      <Refusal error={activate.error} />
      {impact === undefined ? (
        <Loaded query={{ ...query, data: undefined }}>{() => null}</Loaded>
      ) : (
        <>
          <ImpactFacts impact={impact} active={names(active.kind)} />
          <form
            onSubmit={(event) => {
              event.preventDefault();
              go();
            }}
          >
            <Stack>
              <TextField
                label={t('typeTo', { word })}
                hint={t(users > 0 ? 'typeNumber' : asked > 0 ? 'typeGroups' : 'typeName')}
                value={typed}
                onChange={setTyped}
                inputRef={input}
              />
              <TextField label={t('reason')} hint={t('reasonHint')} value={reason} onChange={setReason} />
            </Stack>
          </form>
        </>
      )}
    </Dialog>
  );
}
