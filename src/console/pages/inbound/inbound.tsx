import { Link, useNavigate } from '@tanstack/react-router';
import { ArrowRight, CalendarClock, Ellipsis, Eye, Pause, Play, PowerOff } from 'lucide-react';
import { useState } from 'react';
import { useRunningRun } from '../../api/live.ts';
import { useCall, useGet, useList } from '../../api/queries.ts';
import type { ProviderCard, Run } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useOverview } from '../../app/overview.ts';
import { useSumWords } from '../../app/plan-sums.ts';
import { plannedSums } from '../../app/run-facts.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON, PROVIDERS } from '../../app/words.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Columns, Page } from '../../ui/layout.tsx';
import { Loaded, Refusal, Together } from '../../ui/loaded.tsx';
import { Menu } from '../../ui/menu.tsx';
import { RunDays } from '../../ui/run-days.tsx';
import { RunTable } from '../../ui/run-table.tsx';
import { ActiveSource } from './active-source.tsx';
import { DisconnectDialog } from './disconnect.tsx';
import css from './inbound.module.css';
import { OtherSource } from './other-source.tsx';
import { ScheduleDialog } from './schedule-dialog.tsx';
import { scheduleBody } from './schedule-form.tsx';
import { WORDS } from './words.ts';

const RUNS_SHOWN = 8;

export function InboundPage() {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const providers = useGet('GET /providers');
  const overview = useOverview();
  const runs = useList('GET /sync-runs');
  const running = useRunningRun();
  const active = providers.data?.items.find((card) => card.active);
  const held = runs.items.find(
    (run) => run.status === 'held' && overview.data?.held.some(({ runId }) => runId === run.id),
  );
  return (
    <Page title={t('title')} lead={t('lead')} actions={<Actions active={active} running={running} />}>
      <Together of={[providers, overview, runs]} lines={8}>
        {held === undefined || running !== undefined ? null : <HeldBanner run={held} />}
        {active !== undefined && held === undefined && overview.data?.apps === 0 ? <AddAnApp /> : null}
        <Loaded query={providers}>
          {({ items }) => (
            <>
              {active === undefined ? null : <ActiveSource card={active} running={running} />}
              <div className={css.heading}>
                <h2>{active === undefined ? t('sources') : t('others')}</h2>
                <span>{active === undefined ? t('sourcesNote') : t('othersNote', { name: names(active.kind) })}</span>
              </div>
              <Columns many={active !== undefined}>
                {items
                  .filter((card) => !card.active)
                  .map((card) => (
                    <OtherSource key={card.kind} card={card} active={active} />
                  ))}
              </Columns>
            </>
          )}
        </Loaded>
        <RunDays days={overview.data?.days ?? []}>
          {runs.items.length === 0 ? null : <RunTable runs={runs.items.slice(0, RUNS_SHOWN)} />}
        </RunDays>
      </Together>
    </Page>
  );
}

/** A source is on and nobody gets anything from it yet. */
function AddAnApp() {
  const t = useT(WORDS);
  return (
    <Banner
      tone="blue"
      title={t('nextTitle')}
      actions={
        <Link to="/apps" search={{ add: 'app' } as never} className={buttonClass('primary')}>
          {t('addApp')} <ArrowRight size={15} aria-hidden />
        </Link>
      }
    >
      {t('nextText')}
    </Banner>
  );
}

function HeldBanner({ run }: { readonly run: Run }) {
  const t = useT(WORDS);
  const { sentence } = useSumWords();
  const n = String(run.number);
  return (
    <Banner
      tone="amber"
      title={t('heldTitle', { n })}
      actions={
        <Link to="/runs/$id" params={{ id: run.id }} className={buttonClass()}>
          {t('review', { n })} <ArrowRight size={15} aria-hidden />
        </Link>
      }
    >
      {sentence(plannedSums(run.plannedByType))} {t('heldText')}
    </Banner>
  );
}

function Actions({
  active,
  running,
}: {
  readonly active: ProviderCard | undefined;
  readonly running: Run | undefined;
}) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const navigate = useNavigate();
  const needs = useNeeds('operator');
  const needsAdmin = useNeeds('admin');
  const schedule = useGet('GET /schedule');
  const change = useCall('PUT /schedule');
  const start = useCall('POST /sync-runs');
  const [dialog, setDialog] = useState<'schedule' | 'turn-on' | 'disconnect' | undefined>(undefined);
  const off = active === undefined ? t('noActive') : running !== undefined ? t('runningWhy') : needs;
  const go = (preview: boolean): void =>
    start.mutate(
      { body: { preview } },
      {
        onSuccess: (run) => (preview ? void navigate({ to: '/runs/$id', params: { id: run.id } } as never) : undefined),
      },
    );
  const on = schedule.data?.enabled === true;
  const needsSource = active === undefined ? t('noActive') : needsAdmin;
  return (
    <>
      <Refusal error={start.error} />
      <Refusal error={change.error} />
      <Button
        icon={<Eye size={16} />}
        off={off}
        busy={start.isPending && start.variables.body?.preview === true}
        onClick={() => go(true)}
      >
        {t('preview')}
      </Button>
      <Button look="primary" icon={<Play size={16} />} off={off} busy={running !== undefined} onClick={() => go(false)}>
        {running === undefined ? t('run') : t('running')}
      </Button>
      <Menu
        trigger={<Button aria-label={common('more')} icon={<Ellipsis size={17} />} />}
        items={[
          {
            label: on ? t('pauseDaily') : t('resumeDaily'),
            icon: on ? <Pause size={16} /> : <Play size={16} />,
            off: needsAdmin,
            onSelect: () =>
              on && schedule.data !== undefined
                ? change.mutate({ body: { ...scheduleBody(schedule.data), enabled: false } })
                : setDialog('turn-on'),
          },
          { label: t('editSchedule'), icon: <CalendarClock size={16} />, onSelect: () => setDialog('schedule') },
          null,
          {
            label: t('disconnect'),
            icon: <PowerOff size={16} />,
            danger: true,
            off: needsSource,
            onSelect: () => setDialog('disconnect'),
          },
        ]}
      />
      {(dialog === 'schedule' || dialog === 'turn-on') && schedule.data !== undefined ? (
        <ScheduleDialog turnOn={dialog === 'turn-on'} onClose={() => setDialog(undefined)} />
      ) : null}
      {dialog === 'disconnect' && active !== undefined ? (
        <DisconnectDialog card={active} onClose={() => setDialog(undefined)} />
      ) : null}
    </>
  );
}
