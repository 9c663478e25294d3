// Numbers for Prometheus, one query each time they are asked for.
import { type Db, sql } from '../database.ts';

interface Row {
  readonly users: string;
  readonly groups: string;
  readonly held: string;
  readonly running: string;
  readonly success_age: string | null;
  readonly waiting: string;
  readonly undelivered: string;
  readonly credential: string | null;
  readonly targets: readonly { readonly app: string; readonly state: string; readonly count: string }[] | null;
  readonly target_states: readonly { readonly state: string; readonly count: string }[] | null;
  readonly events_pending: string;
  readonly events_dead: string;
  readonly streams_failing: string;
  readonly streams_disabled: string;
}

/** Text exposition format 0.0.4. */
export async function readMetrics(db: Db): Promise<string> {
  const { rows } = await sql<Row>(
    db,
    `select (select count(*) from resources where resource_type = 'User' and deleted_at is null) as users,
       (select count(*) from resources where resource_type = 'Group' and deleted_at is null) as groups,
       (select count(*) from plans where status = 'held') as held,
       (select count(*) from runs where status in ('queued', 'running')) as running,
       (select extract(epoch from now() - last_success_at)::bigint from provider_settings where active) as success_age,
       (select count(*) from notifications where state = 'pending') as waiting,
       (select count(*) from notifications where state = 'failed') as undelivered,
       (select extract(epoch from c.credential_expires_at - now())::bigint from provider_connections c
          join provider_settings p on p.kind = c.provider and p.active) as credential,
       (select jsonb_agg(d) from (select app_id as app, state, count(*)::text as count from deliveries where state <> 'idle'
         group by 1, 2 order by 1, 2) d) as targets,
       (select jsonb_agg(t) from (select state, count(*)::text as count from targets group by 1 order by 1) t) as target_states,
       (select count(*) from event_deliveries where state = 'pending') as events_pending,
       (select count(*) from event_deliveries where state = 'dead') as events_dead,
       (select count(*) from event_streams where enabled and disabled_at is null and failures > 0) as streams_failing,
       (select count(*) from event_streams where disabled_at is not null) as streams_disabled`,
  );
  const row = rows[0];
  if (row === undefined) return '';
  const { heapUsed, rss } = process.memoryUsage();
  return [
    gauge('sluice_resources', 'Resources in the directory.', [
      ['{type="User"}', row.users],
      ['{type="Group"}', row.groups],
    ]),
    gauge('sluice_plans_held', 'Plans that wait for a decision.', [['', row.held]]),
    gauge('sluice_runs_in_progress', 'Runs that are queued or running.', [['', row.running]]),
    gauge(
      'sluice_last_success_age_seconds',
      'Seconds since the last run that succeeded.',
      row.success_age === null ? [] : [['', row.success_age]],
    ),
    gauge(
      'sluice_credential_expires_seconds',
      'Seconds until the credential of the active provider ends; absent when it does not, or nobody knows.',
      row.credential === null ? [] : [['', row.credential]],
    ),
    gauge('sluice_notifications', 'Messages to people that were not sent: yet, or at all.', [
      ['{state="pending"}', row.waiting],
      ['{state="failed"}', row.undelivered],
    ]),
    gauge(
      'sluice_deliveries',
      'Deliveries to push targets that have not arrived.',
      (row.targets ?? []).map(({ app, state, count }) => [`{app="${app}",state="${state}"}`, count]),
    ),
    gauge(
      'sluice_targets',
      'Push targets by state.',
      (row.target_states ?? []).map(({ state, count }) => [`{state="${state}"}`, count]),
    ),
    gauge('sluice_events', 'Events of apps that were not taken: yet, or at all.', [
      ['{state="pending"}', row.events_pending],
      ['{state="dead"}', row.events_dead],
    ]),
    gauge('sluice_event_streams', 'Webhooks and streams of tokens that do not work.', [
      ['{state="failing"}', row.streams_failing],
      ['{state="disabled"}', row.streams_disabled],
    ]),
    gauge('sluice_memory_bytes', 'Memory of this process.', [
      ['{kind="rss"}', String(rss)],
      ['{kind="heap"}', String(heapUsed)],
    ]),
  ].join('');
}

function gauge(name: string, help: string, values: readonly (readonly [string, string])[]): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${values.map(([labels, value]) => `${name}${labels} ${value}\n`).join('')}`;
}
