// What became of deliveries, and how a target does, for people to look at.
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { IS_TOLD, TOLD_STATE, TOLD_STATES, type ToldState } from '../target/delivery-claims.ts';
import { pathOfResource } from './affiliation.ts';
import { type Page, type PageQuery, pageOf } from './page.ts';

export interface DeliveryView {
  readonly id: string;
  readonly appId: string;
  readonly resourceType: 'User' | 'Group';
  readonly resourceId: string;
  readonly display: string | null;
  /** The groups down to a user; null where there is no such way. */
  readonly affiliationPath: string | null;
  readonly state: ToldState;
  readonly action: string | null;
  readonly attempts: number;
  readonly readyAt: string;
  readonly changedAt: string;
  readonly settledAt: string | null;
  readonly firstFailedAt: string | null;
  readonly remoteId: string | null;
  readonly link: 'created' | 'adopted' | null;
  readonly wantedVersion: number;
  readonly deliveredVersion: number | null;
  readonly error: unknown;
  readonly exchanges: unknown;
}

const COLUMNS = `d.id, d.app_id as "appId", d.resource_type as "resourceType", d.resource_id as "resourceId", r.display,
  ${pathOfResource('d.resource_id')} as "affiliationPath", ${TOLD_STATE} as state,
  d.last_action as action, d.attempts, d.ready_at as "readyAt", d.changed_at as "changedAt", d.settled_at as "settledAt",
  d.first_failed_at as "firstFailedAt", d.remote_id as "remoteId", d.link, d.wanted::int as "wantedVersion",
  d.delivered::int as "deliveredVersion", d.last_error as error, d.log as exchanges`;

/** Deliveries of an app, by the id of their resource. */
export async function listDeliveries(
  db: Db,
  query: {
    appId: string;
    state: ToldState | undefined;
    resourceId: string | undefined;
    limit: number;
    cursor: string | undefined;
  },
): Promise<Page<DeliveryView>> {
  const { rows } = await sql<DeliveryView>(
    db,
    `select ${COLUMNS} from deliveries d left join resources r on r.id = d.resource_id
     where d.app_id = ? and ${query.state === undefined ? 'true' : IS_TOLD[query.state]} and (?::uuid is null or d.resource_id = ?::uuid)
       and (?::uuid is null or d.resource_id > ?::uuid) order by d.resource_id limit ?`,
    [
      query.appId,
      query.resourceId ?? null,
      query.resourceId ?? null,
      query.cursor ?? null,
      query.cursor ?? null,
      query.limit + 1,
    ],
  );
  return pageOf(rows, query.limit, ({ resourceId }) => resourceId);
}

export async function readDelivery(db: Db, id: string): Promise<DeliveryView | undefined> {
  const { rows } = await sql<DeliveryView>(
    db,
    `select ${COLUMNS} from deliveries d left join resources r on r.id = d.resource_id where d.id = ?`,
    [id],
  );
  return rows[0];
}

/** Asks for today's state of one resource again, whatever its delivery came to. */
export async function replayDelivery(db: Db, id: string, now: Date): Promise<void> {
  await sql(
    db,
    `update deliveries set asks = asks + 1, attempts = 0, state = case state when 'sending' then state else 'pending' end, ready_at = ?,
       allowed = allowed or state = 'held' where id = ?`,
    [now, id],
  );
}

/** The same for all dead letters of an app, or those with one reason. Answers how many. */
export async function replayDead(
  db: Db,
  { appId, code, now }: { appId: string; code: string | undefined; now: Date },
): Promise<number> {
  const { rowCount } = await sql(
    db,
    `update deliveries set asks = asks + 1, attempts = 0, state = 'pending', ready_at = ?
     where app_id = ? and state = 'dead' and (?::text is null or last_error ->> 'code' = ?)`,
    [now, appId, code ?? null, code ?? null],
  );
  return rowCount ?? 0;
}

export interface PushFigures {
  readonly deliveries: Readonly<Record<ToldState, number>>;
  /** The same of users and of groups apart. */
  readonly deliveriesByType: Readonly<Record<ResourceType, Readonly<Record<ToldState, number>>>>;
  /** Seconds since the oldest change that has not arrived; null when everything has. */
  readonly lagSeconds: number | null;
  /** Of the last 30 days, in seconds; null without any. */
  readonly deprovisioning: {
    readonly count: number;
    readonly p50: number;
    readonly p95: number;
    readonly worst: number;
  } | null;
}

export async function readPushFigures(db: Db, appId: string): Promise<PushFigures> {
  const { rows: states } = await sql<{ state: ToldState; type: ResourceType; count: number }>(
    db,
    `select ${TOLD_STATE} as state, resource_type as type, count(*)::int as count from deliveries d where app_id = ? group by 1, 2`,
    [appId],
  );
  const { rows: lag } = await sql<{ lag: number | null }>(
    db,
    `select extract(epoch from now() - min(changed_at))::float8 as lag from deliveries where app_id = ? and state in ('pending', 'sending')
       and attempts + (ready_at <= now())::int > 0`,
    [appId],
  );
  const { rows: times } = await sql<{ count: number; p50: number; p95: number; worst: number }>(
    db,
    `select count(*)::int as count, round(percentile_cont(0.5) within group (order by s)::numeric, 3)::float8 as p50,
       round(percentile_cont(0.95) within group (order by s)::numeric, 3)::float8 as p95, round(max(s)::numeric, 3)::float8 as worst
     from (select extract(epoch from acknowledged_at - changed_at) as s from departures
       where app_id = ? and resource_type = 'User' and acknowledged_at > now() - interval '30 days') t`,
    [appId],
  );
  const none = (): Record<ToldState, number> =>
    Object.fromEntries(TOLD_STATES.map((state) => [state, 0])) as Record<ToldState, number>;
  const counts = none();
  const byType = { User: none(), Group: none() };
  for (const { state, type, count } of states) {
    counts[state] += count;
    byType[type][state] = count;
  }
  const deprovisioning = times[0] === undefined || times[0].count === 0 ? null : times[0];
  return { deliveries: counts, deliveriesByType: byType, lagSeconds: lag[0]?.lag ?? null, deprovisioning };
}

export interface ReconciliationView {
  readonly id: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly counts: unknown;
  /** Each with the name that the resource has today. */
  readonly findings: readonly object[];
  readonly error: unknown;
}

/** The newest first. */
export async function listReconciliations(
  db: Db,
  appId: string,
  { limit, cursor }: PageQuery,
): Promise<Page<ReconciliationView>> {
  const { rows } = await sql<ReconciliationView & { readonly seq: string }>(
    db,
    `select seq, id, started_at as "startedAt", finished_at as "finishedAt", counts, error,
       (select coalesce(jsonb_agg(f.finding || jsonb_build_object('display', r.display) order by f.place), '[]')
        from jsonb_array_elements(c.findings) with ordinality f(finding, place)
        left join resources r on r.id = (f.finding ->> 'resourceId')::uuid) as findings
     from reconciliations c where app_id = ? and (?::bigint is null or seq < ?::bigint) order by seq desc limit ?`,
    [appId, cursor ?? null, cursor ?? null, limit + 1],
  );
  const page = pageOf(rows, limit, ({ seq }) => seq);
  return { ...page, items: page.items.map(({ seq: _seq, ...report }) => report) };
}
