import { Link, useNavigate } from '@tanstack/react-router';
import { Eye, Power } from 'lucide-react';
import { useState } from 'react';
import { call } from '../../api/client.ts';
import { useRunningRun } from '../../api/live.ts';
import { queryClient, refresh, useGet } from '../../api/queries.ts';
import type { Guard, Run, Schedule } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { isOpen } from '../../app/run-facts.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Row, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { scheduleBody } from '../inbound/schedule-form.tsx';
import { SwitchDialog } from '../inbound/switch-dialog.tsx';
import { LiveRun } from '../run/live-run.tsx';
import { removalsOf } from '../run/plan-facts.ts';
import { Tiles } from '../run/tiles.tsx';
import type { Kind } from './model.ts';
import { WORDS } from './words.ts';

/** Reads everything, shows what it would change, and only then can be turned on. */
export function PreviewStep({
  kind,
  pushed,
  schedule,
  guard,
}: {
  readonly kind: Kind;
  /** It writes to us: there is nothing to preview. */
  readonly pushed: boolean;
  readonly schedule: Schedule;
  readonly guard: Guard;
}) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const navigate = useNavigate();
  const needs = useNeeds('admin');
  const providers = useGet('GET /providers');
  const running = useRunningRun();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [switching, setSwitching] = useState(false);
  const card = providers.data?.items.find((one) => one.kind === kind);
  const other = providers.data?.items.find((one) => one.active && one.kind !== kind);
  const run: Run | null = running ?? (card?.active === true ? card.lastRun : null);
  const ready = run !== null && !isOpen(run) && run.status === 'held' ? run : undefined;

  async function attempt(work: () => Promise<void>): Promise<void> {
    setBusy(true);
    setError(null);
    await work().catch(setError);
    refresh(queryClient, ['provider', 'run', 'plan', 'schedule', 'guard']);
    setBusy(false);
  }

  const preview = (): Promise<void> =>
    attempt(async () => {
      await call('PUT /guard', { body: guard });
      if (card?.active !== true) await call('POST /providers/{kind}/activate', { path: { kind }, body: {} });
      // The first connection starts a run of its own; where it does not, or it is over, a preview is asked for.
      const { items } = await call('GET /sync-runs', { query: { status: 'running' } as never });
      if (card?.active === true && items.length === 0) await call('POST /sync-runs', { body: { preview: true } });
    });

  /** From now on its writes are taken. */
  const accept = (): Promise<void> =>
    attempt(async () => {
      await call('PUT /guard', { body: guard });
      await call('POST /providers/{kind}/activate', { path: { kind }, body: {} });
      await finish();
    });

  async function finish(): Promise<void> {
    await call('DELETE /providers/{kind}/draft', { path: { kind } });
    toast(t('on', { name: names(kind) }), { text: t(pushed ? 'pushedOn' : 'onText') });
    void navigate({ to: '/inbound' } as never);
  }

  const turnOn = (): Promise<void> =>
    attempt(async () => {
      if (ready?.planId === null || ready === undefined) return;
      const plan = await call('GET /plans/{id}', { path: { id: ready.planId } });
      await call('POST /plans/{id}/approve', {
        path: { id: plan.id },
        body: { removals: removalsOf(plan.counts), ...(plan.hash === null ? {} : { hash: plan.hash }) },
      });
      if (schedule.enabled) await call('PUT /schedule', { body: scheduleBody(schedule) });
      await finish();
    });

  if (other !== undefined && card !== undefined)
    return (
      <>
        <Banner
          tone="amber"
          title={t('anotherActive', { name: names(other.kind) })}
          actions={
            <Button off={needs} onClick={() => setSwitching(true)}>
              {t('switchTo', { name: names(kind) })}
            </Button>
          }
        >
          {t('anotherActiveText')}
        </Banner>
        {switching ? <SwitchDialog card={card} active={other} onClose={() => setSwitching(false)} /> : null}
      </>
    );
  if (pushed)
    return (
      <Stack>
        <Refusal error={error} />
        <p>{t(card?.active === true ? 'pushedOn' : 'pushedText')}</p>
        <div>
          {card?.active === true ? (
            <Link to="/inbound" className={buttonClass('primary')}>
              {t('toSources')}
            </Link>
          ) : (
            <Button icon={<Power size={16} />} look="primary" off={needs} busy={busy} onClick={() => void accept()}>
              {t('turnOn')}
            </Button>
          )}
        </div>
      </Stack>
    );
  return (
    <Stack>
      <Refusal error={error} />
      <p>{ready === undefined ? t('previewText') : t('previewReady')}</p>
      {run !== null && isOpen(run) ? <LiveRun run={run} /> : null}
      {run !== null && run.error !== null && !isOpen(run) ? (
        <Banner tone="red" title={t('previewFailed')}>
          {run.error.message} {run.error.remedy}
        </Banner>
      ) : null}
      {ready === undefined ? null : (
        <>
          <Tiles
            run={ready}
            value={undefined}
            onChange={(action) =>
              void navigate({ to: '/runs/$id', params: { id: ready.id }, search: { action } } as never)
            }
          />
          <Link to="/runs/$id" params={{ id: ready.id }}>
            {t('lookAll')}
          </Link>
        </>
      )}
      <Row>
        <Button
          icon={<Eye size={16} />}
          look={ready === undefined ? 'primary' : undefined}
          off={needs}
          busy={(busy && ready === undefined) || (run !== null && isOpen(run))}
          onClick={() => void preview()}
        >
          {t('makePreview')}
        </Button>
        <Button
          icon={<Power size={16} />}
          look={ready === undefined ? undefined : 'primary'}
          off={ready === undefined ? t('turnOnOff') : needs}
          busy={busy && ready !== undefined}
          onClick={() => void turnOn()}
        >
          {t('turnOn')}
        </Button>
      </Row>
    </Stack>
  );
}
