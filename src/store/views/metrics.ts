// How things stand, for Prometheus: two statements, whatever the size of the directory. Queues are counted as far as
// `QUEUE_MAX`, by indexes that hold nothing else.
import type { Figures, TargetFigures } from '#core/figures.ts';
import { type Database, sql } from '../database.ts';
import { type Counts, countLive } from '../directory/counts.ts';
import { HAS_NEWS, IS_TOLD, TOLD_STATES } from '../target/delivery-claims.ts';

/** A longer queue is shown as this: counting a million rows for each scrape would slow the sending. */
const QUEUE_MAX = 10_000;
/** Targets shown one by one; each costs a look-up. */
const TARGETS_MAX = 200;

/** @param counts where the last count of the directory is kept: what changed since is added, not counted anew */
export async function readFigures(database: Database, counts: Counts): Promise<Figures> {
  const { rows } = await sql(database.knex, STATE);
  const targets = await sql<TargetFigures>(database.knex, TARGETS);
  return {
    users: await countLive(database, counts, 'User'),
    groups: await countLive(database, counts, 'Group'),
    ...(rows[0] as Omit<Figures, 'users' | 'groups' | 'targets'>),
    targets: targets.rows,
  };
}

const STATE = `
  select (select count(*)::int from plans where status = 'held') as "plansHeld",
    (select extract(epoch from now() - min(created_at))::float8 from plans where status = 'held') as "heldAgeSeconds",
    (select count(*)::int from runs where status in ('queued', 'running')) as "runsInProgress",
    (select extract(epoch from now() - min(greatest(r.created_at, p.decided_at)))::float8 from runs r
      left join plans p on p.id = r.plan_id where r.status in ('queued', 'running')) as "runAgeSeconds",
    (select jsonb_build_object('status', r.status, 'workSeconds', r.work_ms / 1000.0) from runs r
      where r.provider = (select kind from provider_settings where active) order by r.seq desc limit 1) as "lastRun",
    (select extract(epoch from now() - last_success_at)::float8 from provider_settings where active) as "lastSuccessAgeSeconds",
    (select extract(epoch from c.credential_expires_at - now())::float8 from provider_connections c
      join provider_settings p on p.kind = c.provider and p.active) as "credentialSeconds",
    (select count(*)::int from disputes where status = 'open') as disputes,
    (select jsonb_build_object('pending', count(*) filter (where state = 'pending'),
      'failed', count(*) filter (where state = 'failed')) from notifications) as notifications,
    (select count(*)::int from (select 1 from event_deliveries where state = 'pending' limit ${QUEUE_MAX}) e) as "eventsPending",
    (select count(*)::int from (select 1 from event_deliveries where state = 'dead' limit ${QUEUE_MAX}) e) as "eventsDead",
    (select coalesce(extract(epoch from now() - min(first.changed_at)), 0)::float8 from event_streams s, lateral (
      select changed_at from event_deliveries e where e.stream_id = s.id and e.state = 'pending'
      order by e.urgent desc, e.seq limit 1) first) as "eventLagSeconds",
    (select count(*)::int from event_streams where enabled and disabled_at is null and failures > 0) as "streamsFailing",
    (select count(*)::int from event_streams where disabled_at is not null) as "streamsDisabled"`;

const QUEUES = TOLD_STATES.filter((state) => state !== 'delivered').map(
  (state) => `'${state}', (select count(*) from (
      select 1 from deliveries d where d.app_id = t.app_id and ${IS_TOLD[state]} limit ${QUEUE_MAX}) d)`,
);

const TARGETS = `
  select t.app_id as app, t.state, jsonb_build_object(${QUEUES.join(', ')}) as deliveries,
    coalesce((select extract(epoch from now() - changed_at) from deliveries
      where app_id = t.app_id and state in ('pending', 'sending') and ${HAS_NEWS} order by changed_at limit 1), 0)::float8 as "lagSeconds"
  from (select app_id, state from targets order by created_at, app_id limit ${TARGETS_MAX}) t order by 1`;
