import { Link } from '@tanstack/react-router';
import { GitCompare, KeyRound, Pause, Play, RefreshCw, RotateCcw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import type { App, PushStatus, TargetHealth } from '../../api/types.ts';
import { count, dateTime, relative, span } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSumWords } from '../../app/plan-sums.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { HealthBadge, healthOf, useTargets } from '../../app/targets.tsx';
import { COMMON } from '../../app/words.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { HourStrip } from '../../ui/hours.tsx';
import { Card, Facts, Pairs, Row } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { Menu } from '../../ui/menu.tsx';
import { toast } from '../../ui/toast.tsx';
import { useLeaverFacts } from '../apps/app-overview.tsx';
import { isCredentialRefused, Trouble } from '../apps/trouble.tsx';
import type { Push, View } from './model.ts';
import { Departures, ReplaceDialog } from './remedies.tsx';
import { WORDS } from './words.ts';

interface StatusProps {
  readonly app: App;
  readonly push: Push;
  readonly onGo: (view: View) => void;
}

/** What is wrong and the one thing that mends it; then the figures, and what can be done at any time. */
export function StatusView({ app, push, onGo }: StatusProps) {
  const status = useGet('GET /apps/{id}/push', { path: { id: app.id } });
  const { targets } = useTargets(app.id);
  const target = targets.find(({ channel }) => channel === 'push');
  return (
    <Loaded query={status}>
      {(data) => (
        <>
          {target === undefined ? null : <Mending app={app} push={push} status={data} target={target} onGo={onGo} />}
          <Figures app={app} push={push} status={data} target={target} onGo={onGo} />
        </>
      )}
    </Loaded>
  );
}

interface MendingProps extends StatusProps {
  readonly status: PushStatus;
  readonly target: TargetHealth;
}

function Mending({ app, push, status, target, onGo }: MendingProps) {
  const t = useT(WORDS);
  const admin = useNeeds('admin');
  const operator = useNeeds('operator');
  const resume = useResume(app);
  const [search, change] = useSearchState();
  const health = healthOf(target);
  if (isFresh(status)) return <Ready app={app} status={status} onDry={() => onGo('try')} />;
  if (status.heldDepartures !== null) return <Departures app={app} held={status.heldDepartures} target={target} />;
  const isOut = health === 'quarantined' || health === 'disabled';
  const isRefused = isCredentialRefused(target);
  return (
    <>
      <Refusal error={resume.error} />
      <Trouble
        short
        target={target}
        actions={
          isOut ? (
            <>
              <CallsLink app={app} />
              <Button
                look={isRefused ? undefined : 'primary'}
                busy={resume.isPending}
                off={operator}
                icon={<RotateCcw size={16} />}
                onClick={() => resume.go('resumed')}
              >
                {t('tryNow')}
              </Button>
              {isRefused ? (
                <Button
                  look="primary"
                  icon={<KeyRound size={16} />}
                  off={admin}
                  onClick={() => change({ replace: 'credential' })}
                >
                  {t(push.auth.kind === 'bearer' ? 'replaceToken' : 'replace')}
                </Button>
              ) : null}
            </>
          ) : health === 'paused' ? (
            <Button
              look="primary"
              icon={<Play size={16} />}
              off={operator}
              busy={resume.isPending}
              onClick={() => resume.go('resumed')}
            >
              {t('resume')}
            </Button>
          ) : (
            <CallsLink app={app} />
          )
        }
      />
      {search['replace'] === 'credential' ? (
        <ReplaceDialog app={app} push={push} onClose={() => change({ replace: undefined })} />
      ) : null}
    </>
  );
}

/** Saved, and never started. */
export function isFresh({ state, deliveries }: PushStatus): boolean {
  return state === 'paused' && (deliveries['delivered'] ?? 0) === 0;
}

/** What comes between saving a new target and its first request: a look, and the start. */
export function Ready({
  app,
  status,
  onDry,
}: {
  readonly app: App;
  readonly status: PushStatus;
  /** The way to a dry run; without it, this is where one is. */
  readonly onDry?: () => void;
}) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const resume = useResume(app);
  return (
    <>
      <Refusal error={resume.error} />
      <Banner
        tone="blue"
        title={t('ready')}
        actions={
          <>
            {onDry === undefined ? null : <Button onClick={onDry}>{t('lookDry')}</Button>}
            <Button
              look="primary"
              icon={<Play size={16} />}
              off={needs}
              busy={resume.isPending}
              onClick={() => resume.go('started')}
            >
              {t('start')}
            </Button>
          </>
        }
      >
        {t('readyText', { n: status.deliveries['pending'] ?? 0 })}
      </Banner>
    </>
  );
}

function CallsLink({ app }: { readonly app: App }) {
  const t = useT(WORDS);
  return (
    <Link
      to="/apps/$id"
      params={{ id: app.id }}
      search={{ tab: 'deliveries', channel: 'push' } as never}
      className={buttonClass()}
    >
      {t('seeCalls')}
    </Link>
  );
}

function useResume(app: App) {
  const t = useT(WORDS);
  const resume = useCall('POST /apps/{id}/push/resume');
  return {
    ...resume,
    go: (said: 'resumed' | 'started') => resume.mutate({ path: { id: app.id } }, { onSuccess: () => toast(t(said)) }),
  };
}

function Figures({
  app,
  push,
  status,
  target,
  onGo,
}: StatusProps & { readonly status: PushStatus; readonly target: TargetHealth | undefined }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const leavers = useLeaverFacts(app);
  const { parts } = useSumWords();
  const { deliveries, deliveriesByType, lagSeconds, quarantine, backfill } = status;
  const { User, Group } = deliveriesByType;
  const noted = (states: readonly string[], note: string): string => {
    const sum = (of: typeof User): number => states.reduce((all, state) => all + (of[state] ?? 0), 0);
    return [...parts({ users: sum(User), groups: sum(Group) }), note].join(' · ');
  };
  const waiting = (deliveries['pending'] ?? 0) + (deliveries['sending'] ?? 0);
  const held = deliveries['held'] ?? 0;
  const link = (n: number, search: Record<string, string>) => (
    <Link to="/apps/$id" params={{ id: app.id }} search={{ tab: 'deliveries', ...search } as never}>
      {count(n, language)}
    </Link>
  );
  return (
    <>
      <Card
        title={push.baseUrl}
        note={target === undefined ? undefined : <HealthBadge health={healthOf(target)} />}
        actions={<Actions app={app} push={push} status={status} onGo={onGo} />}
        flush
      >
        {target === undefined ? null : (
          <div style={{ padding: '0 20px 14px' }}>
            <HourStrip hours={target.hours} tall />
          </div>
        )}
        <div style={{ borderTop: '1px solid var(--border)' }}>
          <Facts
            big
            items={[
              {
                name: t('there'),
                value: link(deliveries['delivered'] ?? 0, { channel: 'push', state: 'delivered' }),
                note: noted(['delivered'], t('thereNote')),
              },
              {
                name: t('waiting'),
                value: link(waiting, { channel: 'push', state: 'pending' }),
                note: noted(
                  ['pending', 'sending'],
                  backfill !== null
                    ? t('backfill')
                    : lagSeconds === null
                      ? t('noLag')
                      : t('lag', { t: span(lagSeconds * 1000, language) }),
                ),
              },
              {
                name: t('dead'),
                value: link(deliveries['dead'] ?? 0, { channel: 'push', state: 'dead' }),
                note: noted(['dead'], t('deadNote')),
              },
              ...(held === 0
                ? []
                : [{ name: t('heldN'), value: link(held, { channel: 'push', state: 'held' }), note: t('heldNote') }]),
            ]}
          />
          <div style={{ borderTop: '1px solid var(--border)' }}>
            <Facts big items={leavers} />
          </div>
        </div>
      </Card>
      <Card>
        <Pairs
          items={[
            ...(quarantine === null
              ? []
              : [
                  [
                    t('probe'),
                    t('probes', { n: quarantine.probes, next: relative(quarantine.probeAt, language) }),
                  ] as const,
                ]),
            [t('capable'), <Capabilities key="can" of={status.capabilities} />],
            [
              t('compared'),
              <Row key="compared">
                {status.reconciledAt === null ? t('never') : dateTime(status.reconciledAt, language)}
                <Button small onClick={() => onGo('compare')}>
                  {t('show')}
                </Button>
              </Row>,
            ],
          ]}
        />
      </Card>
    </>
  );
}

function Capabilities({ of }: { readonly of: PushStatus['capabilities'] }) {
  const t = useT(WORDS);
  if (of === null) return <>{t('unknownYet')}</>;
  const names = [
    [of.patch, t('capablePatch')],
    [of.filter, t('capableFilter')],
    [of.bulk !== undefined, t('capableBulk')],
    [of.etag, t('capableEtag')],
  ] as const;
  return <>{names.flatMap(([can, name]) => (can === true ? [name] : [])).join(', ') || '–'}</>;
}

function Actions({ app, push, status, onGo }: StatusProps & { readonly status: PushStatus }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const operator = useNeeds('operator');
  const admin = useNeeds('admin');
  const path = { id: app.id };
  const pause = useCall('POST /apps/{id}/push/pause');
  const clear = useCall('POST /apps/{id}/push/clear');
  const [dialog, setDialog] = useState<'replace' | 'remove' | undefined>(undefined);
  const isActive = status.state === 'active';
  return (
    <>
      <Refusal error={pause.error ?? clear.error} />
      {isActive ? (
        <Button
          small
          icon={<Pause size={15} />}
          off={operator}
          busy={pause.isPending}
          onClick={() => pause.mutate({ path }, { onSuccess: () => toast(t('paused'), { tone: 'amber' }) })}
        >
          {t('pause')}
        </Button>
      ) : null}
      <Menu
        trigger={
          <Button small aria-label={common('more')}>
            {common('more')}
          </Button>
        }
        items={[
          { label: t('replace'), icon: <KeyRound size={16} />, off: admin, onSelect: () => setDialog('replace') },
          { label: t('compareDo'), icon: <GitCompare size={16} />, off: operator, onSelect: () => onGo('compare') },
          {
            label: t('lookAgain'),
            icon: <RefreshCw size={16} />,
            off: operator,
            onSelect: () =>
              clear.mutate({ path, body: { backfill: true } }, { onSuccess: () => toast(t('lookingAgain')) }),
          },
          null,
          {
            label: t('remove'),
            icon: <Trash2 size={16} />,
            danger: true,
            off: admin,
            onSelect: () => setDialog('remove'),
          },
        ]}
      />
      {dialog === 'replace' ? <ReplaceDialog app={app} push={push} onClose={() => setDialog(undefined)} /> : null}
      {dialog === 'remove' ? <RemoveDialog app={app} onClose={() => setDialog(undefined)} /> : null}
    </>
  );
}

function RemoveDialog({ app, onClose }: { readonly app: App; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const save = useCall('PATCH /apps/{id}');
  return (
    <ConfirmDialog
      onClose={onClose}
      title={t('removeTitle', { name: app.name })}
      lead={t('removeText')}
      action={t('remove')}
      call={save}
      onConfirm={() =>
        save.mutate({ path: { id: app.id }, body: { push: null } }, { onSuccess: () => toast(t('removed')) })
      }
    />
  );
}
