import { Link } from '@tanstack/react-router';
import { useGet, useList } from '../../api/queries.ts';
import type { App, TargetHealth } from '../../api/types.ts';
import { count, relative, span } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { CHANNELS, HealthBadge, healthOf, useTargets } from '../../app/targets.tsx';
import { Badge } from '../../ui/badge.tsx';
import { buttonClass } from '../../ui/button.tsx';
import { HourStrip, sumOf } from '../../ui/hours.tsx';
import { Card, Facts, Stack } from '../../ui/layout.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { isOver } from '../tokens/state.tsx';
import css from './apps.module.css';
import { CHANNEL_ICONS } from './channel-icons.ts';
import { Trouble } from './trouble.tsx';
import { WORDS } from './words.ts';

const WAYS = ['push', 'webhook', 'events'] as const;

/** How an app gets its people, how each way does, and how soon leavers are gone there. */
export function AppOverview({ app }: { readonly app: App }) {
  const { targets, ...query } = useTargets(app.id);
  const troubled = targets.filter((target) => healthOf(target) !== 'healthy');
  return (
    <Loaded query={query}>
      {() => (
        <>
          {troubled.length === 0 ? null : (
            <Stack>
              {troubled.map((target) => (
                <Trouble key={target.channel} target={target} short />
              ))}
            </Stack>
          )}
          {targets.length === 0 ? null : <Sent app={app} targets={targets} />}
          <div className={css.ways}>
            {WAYS.map((channel) => (
              <WayCard
                key={channel}
                app={app}
                channel={channel}
                target={targets.find((target) => target.channel === channel)}
              />
            ))}
            <ReadsCard app={app} />
          </div>
        </>
      )}
    </Loaded>
  );
}

/** Of all ways of this app together: the hours of a day, and figures with what they count. */
function Sent({ app, targets }: { readonly app: App; readonly targets: readonly TargetHealth[] }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const hours = targets.flatMap((target) => target.hours);
  const { delivered, failed } = sumOf(hours);
  return (
    <Card title={t('sent24')} note={t('sent24Note', { n: delivered, failed })} flush>
      <div className={css.strip}>
        <HourStrip hours={hours} tall />
        <div className={css.ends} aria-hidden>
          <span>{t('ago24')}</span>
          <span>{t('now')}</span>
        </div>
      </div>
      <div className={css.facts}>
        <Facts items={[...useLeaverFacts(app), ...waitingFacts(targets, t, language)]} />
      </div>
    </Card>
  );
}

type T = (key: keyof typeof WORDS, vars?: Record<string, string | number>) => string;

function waitingFacts(targets: readonly TargetHealth[], t: T, language: 'en' | 'ko') {
  const waiting = targets.reduce((sum, target) => sum + target.waiting, 0);
  const oldest = targets.flatMap(({ oldestWaitingAt }) => oldestWaitingAt ?? []).sort()[0];
  return [
    {
      name: t('waiting'),
      value: count(waiting, language),
      note: oldest === undefined ? t('waitingNone') : t('waitingNote', { t: relative(oldest, language) }),
    },
  ];
}

/** How soon somebody who left is gone there: of the push target, else of the webhook or the tokens. */
export function useLeaverFacts(app: App) {
  const t = useT(WORDS);
  const language = useLanguage();
  const push = useGet('GET /apps/{id}/push', { path: { id: app.id }, enabled: app.push !== null });
  const stream = app.webhook?.leavers ?? app.events?.leavers;
  const figures =
    push.data !== undefined
      ? push.data.deprovisioning === null
        ? undefined
        : {
            n: push.data.deprovisioning.count,
            p50: push.data.deprovisioning.p50 * 1000,
            p95: push.data.deprovisioning.p95 * 1000,
            worst: push.data.deprovisioning.worst * 1000,
          }
      : stream === undefined || stream.count === 0
        ? undefined
        : { n: stream.count, p50: stream.p50Ms ?? 0, p95: stream.p95Ms ?? 0, worst: stream.worstMs ?? 0 };
  const of = (key: 'p50' | 'p95' | 'worst') => ({
    name: t(`leaver_${key}`),
    value: figures === undefined ? '–' : span(figures[key], language),
    note: figures === undefined ? t('leaverNone') : t(`leaver_${key}Note`, { n: figures.n }),
  });
  return [of('p50'), of('p95'), of('worst')];
}

function WayCard({
  app,
  channel,
  target,
}: {
  readonly app: App;
  readonly channel: (typeof WAYS)[number];
  readonly target: TargetHealth | undefined;
}) {
  const t = useT(WORDS);
  const how = useT(CHANNELS);
  const language = useLanguage();
  const Icon = CHANNEL_ICONS[channel];
  return (
    <Card>
      <div className={css.way}>
        <div className={css.wayHead}>
          <Icon size={18} aria-hidden />
          <h2>{how(channel)}</h2>
          {target === undefined ? <Badge>{t('notSet')}</Badge> : <HealthBadge health={healthOf(target)} />}
        </div>
        <p>{target === undefined ? t(`${channel}Note`) : (target.address ?? t('polled'))}</p>
        <div className={css.wayFoot}>
          <span>
            {target === undefined
              ? null
              : target.lastDeliveredAt === null
                ? t('neverDelivered')
                : t('delivered', { t: relative(target.lastDeliveredAt, language) })}
          </span>
          <Link
            to="/apps/$id"
            params={{ id: app.id }}
            search={{ tab: channel } as never}
            className={buttonClass(undefined, true)}
            aria-label={`${how(channel)}: ${t(target === undefined ? 'setUp' : 'open')}`}
          >
            {t(target === undefined ? 'setUp' : 'open')}
          </Link>
        </div>
      </div>
    </Card>
  );
}

function ReadsCard({ app }: { readonly app: App }) {
  const t = useT(WORDS);
  const how = useT(CHANNELS);
  const language = useLanguage();
  const { items } = useList('GET /apps/{id}/tokens', { path: { id: app.id } });
  const live = items.filter((token) => !isOver(token));
  const used = live.flatMap(({ lastUsedAt }) => lastUsedAt ?? []).sort();
  const last = used.at(-1);
  const Icon = CHANNEL_ICONS.token;
  return (
    <Card>
      <div className={css.way}>
        <div className={css.wayHead}>
          <Icon size={18} aria-hidden />
          <h2>{how('token')}</h2>
          {live.length === 0 ? (
            <Badge>{t('notSet')}</Badge>
          ) : (
            <Badge tone="green">{t('tokensN', { n: live.length })}</Badge>
          )}
        </div>
        <p>{live.length === 0 ? t('tokenNote') : `${window.location.origin}/scim/v2`}</p>
        <div className={css.wayFoot}>
          <span>
            {live.length === 0
              ? null
              : last === undefined
                ? t('notUsed')
                : t('usedLast', { t: relative(last, language) })}
          </span>
          <Link
            to="/apps/$id"
            params={{ id: app.id }}
            search={{ tab: 'access' } as never}
            className={buttonClass(undefined, true)}
            aria-label={`${how('token')}: ${t(live.length === 0 ? 'makeToken' : 'open')}`}
          >
            {t(live.length === 0 ? 'makeToken' : 'open')}
          </Link>
        </div>
      </div>
    </Card>
  );
}
