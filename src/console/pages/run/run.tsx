import { useNavigate, useParams } from '@tanstack/react-router';
import { CalendarClock, Download, FileText, GitCompare, History, Hourglass, Timer, Undo2, User } from 'lucide-react';
import { useState } from 'react';
import { save, urlOf } from '../../api/client.ts';
import { useCall, useGet } from '../../api/queries.ts';
import type { Run } from '../../api/types.ts';
import { useActorName } from '../../app/actors.ts';
import { dateTime, span } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useOverview } from '../../app/overview.ts';
import { RunErrorText } from '../../app/run-error.tsx';
import { isOpen, isPreview, tookMs } from '../../app/run-facts.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON, PROVIDERS, TRIGGER } from '../../app/words.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Card, Page } from '../../ui/layout.tsx';
import { Loaded, Refusal, Together } from '../../ui/loaded.tsx';
import { Menu } from '../../ui/menu.tsx';
import { RunStatus } from '../../ui/run-status.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Changes } from './changes.tsx';
import { Details } from './details.tsx';
import { HeldPanel } from './held.tsx';
import { LiveRun } from './live-run.tsx';
import { SettingsUsed } from './settings-used.tsx';
import { Stages } from './stages.tsx';
import { Tiles } from './tiles.tsx';
import { WORDS } from './words.ts';

/** Preview, held, live, applied and undone are the same page with the same plan, counts, reasons and stages. */
export function RunPage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const run = useGet('GET /sync-runs/{id}', { path: { id } });
  return <Loaded query={run}>{(data) => <RunView run={data} />}</Loaded>;
}

const FAILED_AS: Readonly<Partial<Record<Run['status'], keyof typeof WORDS>>> = {
  incomplete: 'incompleteTitle',
  abandoned: 'cutShortTitle',
};

const TABS = ['changes', 'settings', 'details'] as const;

function RunView({ run }: { readonly run: Run }) {
  const t = useT(WORDS);
  const [search, change] = useSearchState();
  const plan = usePlan(run);
  const decided = plan.data !== undefined && plan.data.status !== 'held' && plan.data.status !== 'expired';
  const waits = (run.status === 'held' || isPreview(run)) && run.planId !== null;
  // What the panel of what waits is made of.
  const causes = useGet('GET /plans/{id}/causes', { path: { id: run.planId ?? '' }, enabled: waits });
  const overview = useOverview({ enabled: waits });
  const actors = useGet('GET /actors');
  const tab = TABS.find((name) => name === search['tab']) ?? 'changes';
  return (
    <Together of={[plan, causes, overview, actors]} lines={8}>
      <Page
        title={t('title', { n: String(run.number) })}
        badge={<RunStatus run={run} decided={decided} />}
        meta={<Meta run={run} />}
        actions={<Actions run={run} />}
      >
        {run.error === null ? null : (
          <Banner tone="red" title={t(FAILED_AS[run.status] ?? 'failedTitle')}>
            <RunErrorText error={run.error} />
          </Banner>
        )}
        {waits && run.planId !== null ? <HeldPanel run={run} planId={run.planId} /> : null}
        {run.planned === null && isOpen(run) ? null : (
          <Tiles run={run} value={search['action']} onChange={(action) => change({ action })} />
        )}
        <Card>{isOpen(run) ? <LiveRun run={run} /> : <Stages run={run} />}</Card>
        <Tabs
          label={t('title', { n: String(run.number) })}
          value={tab}
          onChange={(name) => change({ tab: name === 'changes' ? undefined : name })}
          tabs={TABS.map((name) => ({ name, label: t(`tab-${name}`) }))}
        >
          {tab === 'changes' ? <Changes run={run} /> : null}
          {tab === 'settings' ? <SettingsUsed run={run} version={plan.data?.configVersion} /> : null}
          {tab === 'details' ? <Details run={run} /> : null}
        </Tabs>
      </Page>
    </Together>
  );
}

function usePlan({ planId }: Run) {
  return useGet('GET /plans/{id}', { path: { id: planId ?? '' }, enabled: planId !== null });
}

function Meta({ run }: { readonly run: Run }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const trigger = useT(TRIGGER);
  const language = useLanguage();
  const nameOf = useActorName();
  const plan = usePlan(run);
  const took = tookMs(run);
  return (
    <>
      <span>
        <History size={15} aria-hidden />
        {names(run.provider)}
      </span>
      <span>
        <User size={15} aria-hidden />
        {run.trigger === 'manual' ? t('startedBy', { who: nameOf(run.requestedBy) }) : trigger(run.trigger)}
      </span>
      <span>
        <CalendarClock size={15} aria-hidden />
        {dateTime(run.startedAt ?? run.createdAt, language)}
      </span>
      {took === undefined || isOpen(run) ? null : (
        <span>
          <Timer size={15} aria-hidden />
          {span(took, language)}
        </span>
      )}
      {plan.data === undefined ? null : (
        <span>
          <GitCompare size={15} aria-hidden />
          {t('settingsVersion', { n: plan.data.configVersion })}
        </span>
      )}
    </>
  );
}

function Actions({ run }: { readonly run: Run }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const needs = useNeeds('operator');
  const navigate = useNavigate();
  const [undoing, setUndoing] = useState(false);
  const revert = useCall('POST /sync-runs/{id}/revert');
  const download = (format: 'csv' | 'ndjson'): void =>
    void save(urlOf('GET /sync-runs/{id}/changes', { id: run.id }, { format } as never));
  const applied = !isPreview(run);
  const canUndo = applied && (run.status === 'succeeded' || run.status === 'incomplete' || run.status === 'cancelled');
  return (
    <>
      {run.planId === null ? null : (
        <Menu
          trigger={<Button icon={<Download size={16} />}>{t('download')}</Button>}
          items={[
            { label: t('asCsv'), icon: <FileText size={16} />, onSelect: () => download('csv') },
            { label: t('asJson'), icon: <FileText size={16} />, onSelect: () => download('ndjson') },
          ]}
        />
      )}
      {canUndo ? (
        <Button icon={<Undo2 size={16} />} off={needs} onClick={() => setUndoing(true)}>
          {t('undo')}
        </Button>
      ) : null}
      <Dialog
        open={undoing}
        onClose={() => setUndoing(false)}
        title={t('undoTitle', { n: String(run.number) })}
        lead={t('undoText')}
        foot={
          <>
            <Button onClick={() => setUndoing(false)}>{common('cancel')}</Button>
            <Button
              look="primary"
              icon={<Hourglass size={16} />}
              busy={revert.isPending}
              onClick={() =>
                revert.mutate(
                  { path: { id: run.id } },
                  {
                    onSuccess: (made) => {
                      setUndoing(false);
                      void navigate({ to: '/runs/$id', params: { id: made.id } } as never);
                    },
                  },
                )
              }
            >
              {t('undoDo')}
            </Button>
          </>
        }
      >
        <Refusal error={revert.error} />
      </Dialog>
    </>
  );
}
