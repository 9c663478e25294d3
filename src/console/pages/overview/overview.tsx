import { Link } from '@tanstack/react-router';
import { ArrowRight } from 'lucide-react';
import type { ReactNode } from 'react';
import { useRunningRun } from '../../api/live.ts';
import { useGet, useList } from '../../api/queries.ts';
import type { Overview, ProviderCard, TargetHealth } from '../../api/types.ts';
import { count, dateTime, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useOverview } from '../../app/overview.ts';
import { EVERY_ACT, usePlanSums, useSumWords } from '../../app/plan-sums.ts';
import { CHANNELS, HealthBadge, healthOf, needsSomebody, useTargets } from '../../app/targets.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Banner } from '../../ui/banner.tsx';
import { buttonClass } from '../../ui/button.tsx';
import { HourStrip } from '../../ui/hours.tsx';
import { Card, Facts, Page, Stack } from '../../ui/layout.tsx';
import { Loaded, Together } from '../../ui/loaded.tsx';
import { RunDays } from '../../ui/run-days.tsx';
import { RunTable } from '../../ui/run-table.tsx';
import { Figures } from '../apps/figures.tsx';
import { Trouble } from '../apps/trouble.tsx';
import { ConnectionProblem } from '../inbound/connection-problem.tsx';
import { LiveRun } from '../run/live-run.tsx';
import css from './overview.module.css';
import { WORDS } from './words.ts';

const RUNS_SHOWN = 6;
const WAYS_SHOWN = 8;

export function OverviewPage() {
  const t = useT(WORDS);
  const overview = useOverview();
  const providers = useGet('GET /providers');
  const runs = useList('GET /sync-runs');
  const running = useRunningRun();
  const { targets, ...health } = useTargets();
  // The first line of the page says what it would do.
  const heldId = overview.data?.held[0]?.planId;
  const held = useGet('GET /plans/{id}', { path: { id: heldId ?? '' }, enabled: heldId !== undefined });
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Together of={[overview, providers, runs, health, held]} lines={8}>
        <Loaded query={overview}>
          {(data) => (
            <>
              <Loaded query={providers} lines={2}>
                {({ items }) => (
                  <Loaded query={health} lines={2}>
                    {() => <NeedsYou overview={data} cards={items} targets={targets} />}
                  </Loaded>
                )}
              </Loaded>
              {running === undefined ? null : (
                <Card title={t('runningNow')}>
                  <LiveRun run={running} />
                </Card>
              )}
              <Card flush>
                <DirectoryFacts overview={data} cards={providers.data?.items ?? []} />
              </Card>
              {targets.length === 0 ? null : <Outbound targets={targets} />}
              <RunDays days={data.days}>
                {runs.items.length === 0 ? null : <RunTable runs={runs.items.slice(0, RUNS_SHOWN)} />}
              </RunDays>
            </>
          )}
        </Loaded>
      </Together>
    </Page>
  );
}

function DirectoryFacts({ overview, cards }: { readonly overview: Overview; readonly cards: readonly ProviderCard[] }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const language = useLanguage();
  const { directory, apps } = overview;
  const active = cards.find((card) => card.active);
  return (
    <Facts
      big
      items={[
        {
          name: t('users'),
          value: <Link to="/users">{count(directory.users, language)}</Link>,
          note: t('usersNote', { n: directory.activeUsers, hand: directory.byHand - directory.groupsByHand }),
        },
        {
          name: t('groups'),
          value: <Link to="/groups">{count(directory.groups, language)}</Link>,
          note: t('groupsNote', { n: directory.memberships, hand: directory.groupsByHand }),
        },
        {
          name: t('source'),
          value: <Link to="/inbound">{active === undefined ? t('noSource') : names(active.kind)}</Link>,
          note:
            active === undefined
              ? t('noSourceNote')
              : active.nextRunAt === null
                ? t('noSchedule')
                : t('nextRun', { t: relative(active.nextRunAt, language) }),
        },
        { name: t('apps'), value: <Link to="/apps">{count(apps, language)}</Link>, note: t('appsNote') },
      ]}
    />
  );
}

/** How every way out does: the hours of a day, and the figures over all of them. */
function Outbound({ targets }: { readonly targets: readonly TargetHealth[] }) {
  const t = useT(WORDS);
  const how = useT(CHANNELS);
  return (
    <Card title={t('outbound')} actions={<Link to="/apps">{t('allApps')}</Link>} flush>
      <div className={css.ways}>
        {targets.slice(0, WAYS_SHOWN).map((target) => (
          <Link
            key={target.appId + target.channel}
            to="/apps/$id"
            params={{ id: target.appId }}
            search={{ tab: target.channel } as never}
          >
            <span>
              <b>{target.name}</b>
              <small>{how(target.channel)}</small>
            </span>
            <HourStrip hours={target.hours} />
            <HealthBadge health={healthOf(target)} />
          </Link>
        ))}
      </div>
      <Figures targets={targets} />
    </Card>
  );
}

/** What waits for a person, the most pressing first; else that nothing does. */
function NeedsYou({
  overview,
  cards,
  targets,
}: {
  readonly overview: Overview;
  readonly cards: readonly ProviderCard[];
  readonly targets: readonly TargetHealth[];
}) {
  const t = useT(WORDS);
  const needs = useNeedsList(overview, cards);
  const troubled = targets.filter((target) => needsSomebody(target) || target.dead > 0);
  if (needs.length === 0 && troubled.length === 0)
    return (
      <Banner tone="green" title={t('nothing')}>
        {t('nothingText')}
      </Banner>
    );
  return (
    <Stack>
      {needs.map(({ key, ...need }) => (
        <Banner key={key} {...need} />
      ))}
      {troubled.map((target) => (
        <Trouble key={target.appId + target.channel} target={target} />
      ))}
    </Stack>
  );
}

/** What it would do, and that nothing of it is done; or that there is nothing to do. */
function PlanSentence({ planId, since }: { readonly planId: string; readonly since: string }) {
  const t = useT(WORDS);
  const sums = usePlanSums(planId);
  const { sentence, list } = useSumWords();
  if (sums === undefined) return null;
  return `${sentence(sums)} ${t(list(sums, EVERY_ACT) === '' ? 'heldEmpty' : 'heldText', { since })}`;
}

/** From when on a credential that ends is said to. */
const SOON_DAYS = 30;
const URGENT_DAYS = 7;

interface Need {
  readonly key: string;
  readonly tone: 'amber' | 'red' | 'blue';
  readonly title: ReactNode;
  readonly children: ReactNode;
  readonly actions: ReactNode;
}

/** Credentials of the active source that end soon. */
function useEndingCredentials(cards: readonly ProviderCard[]): readonly Need[] {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  return cards.flatMap(({ active, kind, connection }): readonly Need[] => {
    const days = connection.credential?.daysLeft ?? null;
    if (!active || days === null || days > SOON_DAYS) return [];
    return [
      {
        key: `credential-${kind}`,
        tone: days <= URGENT_DAYS ? 'red' : 'amber',
        title: t('secretTitle', { name: names(kind), n: days }),
        children: t('secretText'),
        actions: <Go to={`/inbound/${kind}/settings`} text={t('replace')} />,
      },
    ];
  });
}

function Go({
  to,
  search = {},
  text,
  first = false,
}: {
  readonly to: string;
  readonly search?: object;
  readonly text: string;
  /** Nothing else can be done before. */
  readonly first?: boolean;
}) {
  return (
    <Link to={to} search={search as never} className={buttonClass(first ? 'primary' : undefined)}>
      {text} <ArrowRight size={15} aria-hidden />
    </Link>
  );
}

/** A run that was due and did not start: the worst that a schedule can do without anybody hearing of it. */
function useMissed({ missedRun }: Overview): readonly Need[] {
  const t = useT(WORDS);
  const language = useLanguage();
  if (missedRun === null) return [];
  const { state, dueAt, runId, startedAt } = missedRun;
  const isLate = state === 'started-late';
  const title = dueAt === null ? t('missedZone') : t(isLate ? 'lateAt' : 'missedAt', { t: dateTime(dueAt, language) });
  return [
    {
      key: 'missed',
      tone: isLate ? 'blue' : 'red',
      title,
      children: t(`missed-${state}`, { at: startedAt === null ? '' : dateTime(startedAt, language) }),
      actions:
        runId === null ? <Go to="/inbound" text={t('toSchedule')} /> : <Go to={`/runs/${runId}`} text={t('seeRun')} />,
    },
  ];
}

function useNeedsList(overview: Overview, cards: readonly ProviderCard[]): readonly Need[] {
  const { held, openDisputes, failedMessages, apps } = overview;
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const language = useLanguage();
  const go = (to: string, text: string, search: object = {}): ReactNode => <Go to={to} text={text} search={search} />;
  const needs: Need[] = [];
  const configured = cards.some((card) => card.configured);
  if (cards.length > 0 && !cards.some(({ active }) => active))
    needs.push({
      key: 'source',
      tone: 'blue',
      title: t('startTitle'),
      children: t('startText'),
      actions: <Go first to={configured ? '/inbound' : '/inbound/microsoft365/setup'} text={t('start')} />,
    });
  for (const { planId, runId, createdAt, expiresAt } of held)
    needs.push({
      key: planId,
      tone: 'amber',
      title: t('heldTitle'),
      children: (
        <>
          <PlanSentence planId={planId} since={dateTime(createdAt, language)} />{' '}
          {expiresAt === null ? null : t('heldExpires', { t: relative(expiresAt, language) })}
        </>
      ),
      actions: go(`/runs/${runId}`, t('review')),
    });
  for (const card of cards.filter(({ active, connection }) => active && connection.state === 'error'))
    needs.push({
      key: `error-${card.kind}`,
      tone: 'red',
      title: t('errorTitle', { name: names(card.kind) }),
      children: <ConnectionProblem card={card} />,
      actions: card.lastRun === null ? go('/inbound', t('toSource')) : go(`/runs/${card.lastRun.id}`, t('seeRun')),
    });
  needs.push(...useMissed(overview), ...useEndingCredentials(cards));
  if (apps === 0 && cards.some(({ active }) => active))
    needs.push({
      key: 'apps',
      tone: 'blue',
      title: t('appsTitle'),
      children: t('appsText'),
      actions: go('/apps', t('addApp'), { add: 'app' }),
    });
  if (openDisputes > 0)
    needs.push({
      key: 'disputes',
      tone: 'amber',
      title: t('disputesTitle', { n: openDisputes }),
      children: t('disputesText'),
      actions: go('/disputes', t('decide')),
    });
  if (failedMessages > 0)
    needs.push({
      key: 'messages',
      tone: 'red',
      title: t('messagesTitle', { n: failedMessages }),
      children: t('messagesText'),
      actions: go('/settings', t('toMessages'), { tab: 'notifications' }),
    });
  return needs;
}
