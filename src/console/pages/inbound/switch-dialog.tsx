import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { ApiError } from '../../api/client.ts';
import { useCall, useGet } from '../../api/queries.ts';
import type { ProviderCard } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { isOpen } from '../../app/run-facts.ts';
import { COMMON, PROVIDERS } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Pairs } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { LiveRun } from '../run/live-run.tsx';
import { removalsOf } from '../run/plan-facts.ts';
import { WORDS } from './words.ts';

interface SwitchProps {
  readonly card: ProviderCard;
  readonly active: ProviderCard;
  readonly onClose: () => void;
}

/** What the switch would change is made and shown first; only that plan can be carried out. */
export function SwitchDialog({ card, active, onClose }: SwitchProps) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const common = useT(COMMON);
  const navigate = useNavigate();
  const activate = useCall('POST /providers/{kind}/activate');
  const name = names(card.kind);
  const { planId, runId } = neededOf(activate.error);
  const ask = (plan?: string): void =>
    activate.mutate(
      { path: { kind: card.kind }, body: { switch: true, ...(plan === undefined ? {} : { planId: plan }) } },
      {
        onSuccess: () => {
          onClose();
          void navigate({ to: '/runs' } as never);
        },
      },
    );
  const refused = activate.error !== null && planId === undefined && runId === undefined;
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('switchTitle', { name })}
      lead={t('switchText', { active: names(active.kind) })}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          {planId === undefined ? (
            <Button look="primary" busy={activate.isPending || runId !== undefined} onClick={() => ask()}>
              {t('switchDo')}
            </Button>
          ) : (
            <Button look="danger" busy={activate.isPending} onClick={() => ask(planId)}>
              {t('switchNow', { name })}
            </Button>
          )}
        </>
      }
    >
      {refused ? <Refusal error={activate.error} /> : null}
      {runId === undefined ? null : <Working runId={runId} onDone={() => ask()} />}
      {planId === undefined ? null : <Impact planId={planId} />}
    </Dialog>
  );
}

/** The plan that the gateway wants looked at, or the run that makes it. */
function neededOf(error: unknown): { readonly planId?: string; readonly runId?: string } {
  if (!(error instanceof ApiError) || error.code !== 'impact-plan-required') return {};
  const { planId, runId } = error.problem;
  if (typeof planId === 'string') return { planId };
  return typeof runId === 'string' ? { runId } : {};
}

function Working({ runId, onDone }: { readonly runId: string; readonly onDone: () => void }) {
  const run = useGet('GET /sync-runs/{id}', { path: { id: runId } });
  const over = run.data !== undefined && !isOpen(run.data);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again once, when the run is over
  useEffect(() => {
    if (over) onDone();
  }, [over]);
  return <Loaded query={run}>{(data) => <LiveRun run={data} />}</Loaded>;
}

function Impact({ planId }: { readonly planId: string }) {
  const t = useT(WORDS);
  const plan = useGet('GET /plans/{id}', { path: { id: planId } });
  return (
    <Loaded query={plan}>
      {({ counts, runId }) => (
        <>
          <Pairs
            items={[
              [t('impactRemoved'), String(removalsOf(counts))],
              [t('impactCreated'), String(counts['create'] ?? 0)],
              [t('impactKept'), String(counts['update'] ?? 0)],
            ]}
          />
          <Link to="/runs/$id" params={{ id: runId }}>
            {t('impactAll')}
          </Link>
        </>
      )}
    </Loaded>
  );
}
