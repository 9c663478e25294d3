import { Link } from '@tanstack/react-router';
import { SlidersHorizontal } from 'lucide-react';
import { useState } from 'react';
import { useGet } from '../../api/queries.ts';
import type { ProviderCard, Run } from '../../api/types.ts';
import { count, dateTime, relative, span } from '../../app/format.ts';
import { GroupName } from '../../app/group-name.tsx';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSumWords } from '../../app/plan-sums.ts';
import { CHANGE_TONE, type Change, sumsOf, tookMs } from '../../app/run-facts.ts';
import { useNeeds } from '../../app/session.tsx';
import { CHANGES, PROVIDERS } from '../../app/words.ts';
import { Badge, Tallies } from '../../ui/badge.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Card, Facts } from '../../ui/layout.tsx';
import { RunStatus } from '../../ui/run-status.tsx';
import { LiveRun } from '../run/live-run.tsx';
import { ConnectionProblem } from './connection-problem.tsx';
import css from './inbound.module.css';
import { ProviderIcon } from './provider-icon.tsx';
import { ScheduleDialog } from './schedule-dialog.tsx';
import { useScheduleWords } from './schedule-words.ts';
import { WORDS } from './words.ts';

interface KnownSettings {
  readonly tenantId?: string;
  readonly scope?: { readonly mode?: string; readonly groupIds?: readonly string[]; readonly filter?: string };
  readonly pathDisplay?: { readonly rootGroupId?: string | null };
}

/** The one source that feeds the gateway: what it brings, when, within which limits, and how its last run went. */
export function ActiveSource({ card, running }: { readonly card: ProviderCard; readonly running: Run | undefined }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const { data } = useGet('GET /providers/{kind}', { path: { kind: card.kind } });
  const settings = (data ?? {}) as KnownSettings;
  return (
    <>
      {card.connection.state === 'error' ? (
        <Banner tone="red" title={t('error', { name: names(card.kind) })}>
          <ConnectionProblem card={card} />
        </Banner>
      ) : null}
      <Card flush>
        <div className={css.source}>
          <ProviderIcon kind={card.kind} />
          <div>
            <h2>
              {names(card.kind)}
              <Badge tone="green" dot>
                {t('active')}
              </Badge>
            </h2>
            <p>
              <SourceLine card={card} tenantId={settings.tenantId} />
            </p>
          </div>
          <Link
            to="/inbound/$provider/settings"
            params={{ provider: card.kind }}
            className={buttonClass(undefined, true)}
          >
            <SlidersHorizontal size={15} aria-hidden />
            {t('edit')}
          </Link>
        </div>
        <div className={css.facts}>
          <SourceFacts settings={settings} />
        </div>
        {running === undefined ? (
          <LastRun run={card.lastRun} />
        ) : (
          <div className={css.live}>
            <LiveRun run={running} />
          </div>
        )}
      </Card>
    </>
  );
}

/** Whose directory it is, whether one of their own feeds it, how long its credential lasts, and how the last read went. */
function SourceLine({ card, tenantId }: { readonly card: ProviderCard; readonly tenantId: string | undefined }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const { source, credential, state, hybrid } = card.connection;
  const days = credential?.daysLeft ?? null;
  const domains = source?.domains ?? [];
  const where =
    source?.name == null
      ? [tenantId]
      : [source.name, domains.find((name) => name.includes('.onmicrosoft.')) ?? domains[0]];
  const ends =
    days === null ? (credential?.neverExpires === true ? t('noExpiry') : undefined) : t('secretEnds', { n: days });
  const synced = hybrid?.lastSyncAt ?? null;
  const local =
    hybrid?.enabled !== true
      ? undefined
      : synced === null
        ? t('hybrid')
        : t('hybridSynced', { t: relative(synced, language) });
  const well = state === 'connected' && card.lastRun?.error == null ? t('readWell') : undefined;
  return <>{[...where, local, ends, well].filter(Boolean).join(' · ')}</>;
}

function SourceFacts({ settings: { scope = {}, pathDisplay } }: { readonly settings: KnownSettings }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const inWords = useScheduleWords();
  const schedule = useGet('GET /schedule').data;
  const guard = useGet('GET /guard').data;
  const picked = scope.groupIds?.length ?? 0;
  const root = pathDisplay?.rootGroupId ?? null;
  return (
    <Facts
      items={[
        {
          name: t('synced'),
          value: scope.mode === 'groups' ? t('groupsPicked', { n: picked }) : t('wholeTenant'),
          note: scope.filter ? t('filtered', { filter: scope.filter }) : t('noFilter'),
        },
        {
          name: t('schedule'),
          value: schedule === undefined ? '…' : inWords(schedule),
          note: schedule?.nextRunAt ? (
            t('nextIn', { t: relative(schedule.nextRunAt, language) })
          ) : schedule === undefined ? null : (
            <TurnOnSchedule />
          ),
        },
        {
          name: t('limit'),
          value:
            guard === undefined
              ? '…'
              : guard.enabled === false
                ? t('limitOff')
                : t('limitValue', { n: guard.percent ?? 10 }),
          note: guard?.enabled === false ? t('limitOffNote') : t('limitNote', { n: guard?.minObjects ?? 10 }),
        },
        { name: t('path'), value: root === null ? t('pathNone') : <GroupName id={root} />, note: t('pathNote') },
      ]}
    />
  );
}

const TALLIED = [
  ['create', 'created'],
  ['update', 'updated'],
  ['deactivate', 'deactivated'],
  ['delete', 'deleted'],
  ['skip', 'skipped'],
] as const satisfies readonly (readonly [Change, keyof typeof CHANGES])[];

function LastRun({ run }: { readonly run: Run | null }) {
  const t = useT(WORDS);
  const change = useT(CHANGES);
  const language = useLanguage();
  const { what } = useSumWords();
  if (run === null)
    return (
      <div className={css.last}>
        <strong>{t('lastRun')}</strong>
        <span>{t('notYet')}</span>
      </div>
    );
  const sums = sumsOf(run);
  const took = tookMs(run);
  return (
    <div className={css.last}>
      <strong>{t('lastRun')}</strong>
      <RunStatus run={run} />
      <span>
        {dateTime(run.startedAt ?? run.createdAt, language)}
        {took === undefined ? '' : ` · ${span(took, language)}`}
      </span>
      <Tallies
        items={TALLIED.map(([key, word]) => ({
          name: change(word),
          value: what(sums[key]) || count(0, language),
          tone: CHANGE_TONE[key],
        }))}
      />
      <Link to="/runs/$id" params={{ id: run.id }}>
        {t('runN', { n: String(run.number) })}
      </Link>
    </div>
  );
}

/** The schedule is off: how to turn it on stands beside it. */
function TurnOnSchedule() {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const [asking, setAsking] = useState(false);
  return (
    <span className={css.turnOn}>
      {t('offNote')}
      <Button small off={needs} onClick={() => setAsking(true)}>
        {t('turnOnDaily')}
      </Button>
      {asking ? <ScheduleDialog turnOn onClose={() => setAsking(false)} /> : null}
    </span>
  );
}
