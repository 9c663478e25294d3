import { Link, useNavigate } from '@tanstack/react-router';
import { Eye, Power } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { call } from '../../api/client.ts';
import { useRunningRun } from '../../api/live.ts';
import { useGet } from '../../api/queries.ts';
import type { Guard, Plan, ProviderCard, Run, Schedule } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { RunErrorText } from '../../app/run-error.tsx';
import { isOpen, isPreview } from '../../app/run-facts.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Row, Stack } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { scheduleBody } from '../inbound/schedule-form.tsx';
import { LiveRun } from '../run/live-run.tsx';
import { removalsOf } from '../run/plan-facts.ts';
import { Tiles } from '../run/tiles.tsx';
import { useAttempt } from './attempt.ts';
import type { InitialRun } from './forms.ts';
import { saveLimits } from './limits.tsx';
import type { Kind } from './model.ts';
import { PushedStep } from './pushed-step.tsx';
import { WORDS } from './words.ts';

/** Comes when it is asked for: the first screen is at its limit of bytes. */
const SwitchDialog = lazy(() =>
  import('../inbound/switch-dialog.tsx').then(({ SwitchDialog: component }) => ({ default: component })),
);

const ConfirmDialog = lazy(() =>
  import('../run/confirm.tsx').then(({ ConfirmDialog: component }) => ({ default: component })),
);

interface StepProps {
  /** Asked for by going on: the preview begins without another word. */
  readonly begin: boolean;
  readonly first: InitialRun;
  readonly schedule: Schedule;
  /** What was entered of them. */
  readonly limits: Partial<Guard>;
}

/** The last step: a preview that is turned on, or a switch where another source is active. */
export function PreviewStep({
  kind,
  pushed,
  ...props
}: StepProps & {
  readonly kind: Kind;
  /** It writes to us: there is nothing to preview. */
  readonly pushed: boolean;
}) {
  const providers = useGet('GET /providers');
  return (
    <Loaded query={providers}>
      {({ items }) => {
        const card = items.find((one) => one.kind === kind);
        const other = items.find((one) => one.active && one.kind !== kind);
        if (card === undefined) return null;
        if (other !== undefined) return <SwitchStep card={card} active={other} pushed={pushed} {...props} />;
        if (pushed) return <PushedStep card={card} limits={props.limits} />;
        // It was chosen that the first sync is not looked at, and it has yet to come.
        const atOnce = props.first === 'auto' && !card.active;
        return atOnce ? <AtOnceStep card={card} {...props} /> : <PullStep card={card} {...props} />;
      }}
    </Loaded>
  );
}

function SwitchStep({
  card,
  active,
  pushed,
  schedule,
  limits,
}: Pick<StepProps, 'schedule' | 'limits'> & {
  readonly card: ProviderCard;
  readonly active: ProviderCard;
  readonly pushed: boolean;
}) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const needs = useNeeds('admin');
  const [switching, setSwitching] = useState(false);
  return (
    <>
      <Banner
        tone="amber"
        title={t('anotherActive', { name: names(active.kind) })}
        actions={
          <Button off={needs} onClick={() => setSwitching(true)}>
            {t('switchTo', { name: names(card.kind) })}
          </Button>
        }
      >
        {t('anotherActiveText')}
      </Banner>
      {switching ? (
        <Suspense>
          <SwitchDialog
            card={card}
            active={active}
            onClose={() => setSwitching(false)}
            onSwitched={async () => {
              await saveLimits(limits);
              await settle(card.kind, pushed ? undefined : schedule);
            }}
          />
        </Suspense>
      ) : null}
    </>
  );
}

/** Its schedule begins, if it is to have one, and its draft is done with. */
async function settle(kind: Kind, schedule?: Schedule, changes?: { readonly withoutPreview: true }): Promise<void> {
  if (schedule?.enabled === true) await call('PUT /schedule', { body: { ...scheduleBody(schedule), ...changes } });
  await call('DELETE /providers/{kind}/draft', { path: { kind } });
}

/** Once it is on: its schedule begins, its draft is done with, and the page of the sources shows it. */
function useFinish(kind: Kind, schedule: Schedule): (changes?: { readonly withoutPreview: true }) => Promise<void> {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const navigate = useNavigate();
  return async (changes) => {
    await settle(kind, schedule, changes);
    toast(t('on', { name: names(kind) }), { text: t('onText') });
    void navigate({ to: '/inbound' } as never);
  };
}

function AtOnceStep({ card: { kind }, schedule, limits }: StepProps & { readonly card: ProviderCard }) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const finish = useFinish(kind, schedule);
  const { error, busy, attempt } = useAttempt();
  const turnOn = (): Promise<void> =>
    attempt(async () => {
      await saveLimits(limits);
      await call('POST /providers/{kind}/activate', { path: { kind }, body: {} });
      await finish({ withoutPreview: true });
    });
  return (
    <Stack>
      <Refusal error={error} />
      <Banner tone="amber" title={t('atOnceTitle')}>
        {t('atOnceText')}
      </Banner>
      <Row>
        <Button icon={<Power size={16} />} look="primary" off={needs} busy={busy} onClick={() => void turnOn()}>
          {t('atOnceDo')}
        </Button>
      </Row>
    </Stack>
  );
}

/** Reads everything, shows what it would change, and only then can be turned on. */
function PullStep({ card, begin, first, schedule, limits }: StepProps & { readonly card: ProviderCard }) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const finish = useFinish(card.kind, schedule);
  const running = useRunningRun();
  const { error, busy, attempt } = useAttempt();
  const { kind } = card;
  const run: Run | null = running ?? (card.active ? card.lastRun : null);
  const ready = run !== null && (run.status === 'held' || isPreview(run)) ? run : undefined;

  const preview = (): Promise<void> =>
    attempt(async () => {
      await saveLimits(limits);
      if (!card.active) await call('POST /providers/{kind}/activate', { path: { kind }, body: {} });
      // The first connection starts a run of its own; where it does not, or it is over, a preview is asked for.
      const { items } = await call('GET /sync-runs', { query: { status: 'running' } as never });
      if ((card.active || first === 'manual') && items.length === 0)
        await call('POST /sync-runs', { body: { preview: true } });
    });

  const begun = useRef(false);
  useEffect(() => {
    if (!begin || begun.current || needs !== undefined || ready !== undefined || running !== undefined) return;
    begun.current = true;
    void preview();
  });

  return (
    <Stack>
      <Refusal error={error} />
      <p>{ready === undefined ? t('previewText') : t('previewReady')}</p>
      {run !== null && isOpen(run) ? <LiveRun run={run} /> : null}
      {run !== null && run.error !== null && !isOpen(run) ? (
        <Banner tone="red" title={t('previewFailed')}>
          <RunErrorText error={run.error} />
        </Banner>
      ) : null}
      {ready === undefined ? null : <Ready run={ready} kind={kind} />}
      <Row>
        <Button
          icon={<Eye size={16} />}
          look={ready === undefined ? 'primary' : undefined}
          off={needs}
          busy={(busy && ready === undefined) || (run !== null && isOpen(run))}
          onClick={() => void preview()}
        >
          {t(ready === undefined ? 'makePreview' : 'previewAgain')}
        </Button>
        {ready === undefined ? (
          <Button icon={<Power size={16} />} off={t('turnOnOff')}>
            {t('turnOn')}
          </Button>
        ) : (
          <TurnOn run={ready} busy={busy} attempt={attempt} finish={finish} />
        )}
      </Row>
    </Stack>
  );
}

/** Applies what the preview has found: by the number of those whom it takes away, where there are some. */
function TurnOn({
  run,
  busy,
  attempt,
  finish,
}: Pick<ReturnType<typeof useAttempt>, 'busy' | 'attempt'> & {
  readonly run: Run;
  readonly finish: () => Promise<void>;
}) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const [confirming, setConfirming] = useState(false);
  const { planId } = run;
  const { data: plan } = useGet('GET /plans/{id}', { path: { id: planId ?? '' }, enabled: planId !== null });

  function turnOn(): void {
    if (plan === undefined) return;
    if (removalsOf(plan.counts) > 0) setConfirming(true);
    else
      void attempt(async () => {
        await call('POST /plans/{id}/approve', { path: { id: plan.id }, body: { removals: 0, ...hashOf(plan) } });
        await finish();
      });
  }

  return (
    <>
      <Button icon={<Power size={16} />} look="primary" off={needs} busy={busy || plan === undefined} onClick={turnOn}>
        {t('turnOn')}
      </Button>
      {confirming && plan !== undefined ? (
        <Suspense>
          <ConfirmDialog
            run={run}
            plan={plan}
            onClose={() => setConfirming(false)}
            onApplied={() => void attempt(finish)}
          />
        </Suspense>
      ) : null}
    </>
  );
}

/** What a preview has found, and what it cannot find. */
function Ready({ run, kind }: { readonly run: Run; readonly kind: Kind }) {
  const t = useT(WORDS);
  const navigate = useNavigate();
  const show = (action: string | undefined): void =>
    void navigate({ to: '/runs/$id', params: { id: run.id }, search: { action } } as never);
  return (
    <>
      <Tiles run={run} value={undefined} onChange={show} />
      {kind === 'microsoft365' ? <p>{t('notShown')}</p> : null}
      <Link to="/runs/$id" params={{ id: run.id }}>
        {t('lookAll')}
      </Link>
    </>
  );
}

/** Exactly the plan that is shown, or none. */
function hashOf({ hash }: Plan): { readonly hash?: string } {
  return hash === null ? {} : { hash };
}
