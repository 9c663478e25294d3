// Messages to people: made once for each event and channel, claimed by one process at a time, settled.
import { randomUUID } from 'node:crypto';
import type { RunError } from '#core/failure.ts';
import { storableJson } from '#core/json.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { OUT_OF_SERVICE } from '../target/targets.ts';
import { type Page, type PageQuery, pageOf } from '../views/page.ts';

export type Channel = 'email' | 'webhook';
export type NotificationEvent =
  | 'run.finished'
  | 'plan.held'
  | 'plan.reminder'
  | 'credential.expiring'
  | 'stream.disabled'
  | 'target.quarantined'
  | 'target.disabled'
  | 'target.recovered';
export type NotificationState = 'pending' | 'sent' | 'failed' | 'dropped';

/** A run whose end nobody has told yet. */
export interface EndedRun {
  readonly id: string;
  readonly plan_id: string | null;
  readonly status: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly finished_at: Date;
}

/** How many ends are looked at in one transaction. */
const BATCH = 200;

/**
 * Takes runs that are over and marks them as looked at. A held run whose plan somebody rejected, or a newer one took
 * the place of, is marked and not answered: that is no news.
 */
export async function takeEndedRuns(db: Db, now: Date): Promise<readonly EndedRun[]> {
  const { rows } = await sql(
    db,
    `with ended as (update runs set notified_at = ? where id = any(array(
       select id from runs where notified_at is null and finished_at is not null
         and status in ('succeeded', 'failed', 'incomplete', 'cancelled', 'abandoned') order by seq limit ? for update skip locked))
       returning id, seq, plan_id, status, counts, finished_at)
     select e.id, e.plan_id, e.status, e.counts, e.finished_at from ended e left join plans p on p.id = e.plan_id
     where not (e.status in ('succeeded', 'cancelled') and coalesce(p.status in ('rejected', 'superseded'), false)) order by e.seq`,
    [now, BATCH],
  );
  return rows;
}

/** A plan that waits for a decision. */
export interface WaitingPlan {
  readonly id: string;
  readonly run_id: string;
  readonly notices: number;
}

const WAITING = `p.status = 'held' and (p.expires_at is null or p.expires_at > ?)
  and exists (select 1 from runs r where r.id = p.run_id and r.plan_id = p.id and r.status = 'held' and not r.preview)`;

/**
 * Plans that wait and that nobody was told of. One that asks the same question as the plan it took the place of (the
 * same reasons of the guard) inherits its reminders instead: a schedule that makes the same held plan every hour must
 * not write every hour.
 */
export async function takeNewlyHeldPlans(db: Db, now: Date): Promise<readonly WaitingPlan[]> {
  await sql(
    db,
    `update plans p set notices = before.notices, next_notice_at = before.next_notice_at
     from plans before where ${WAITING} and p.notices = 0 and before.superseded_by = p.id and before.notices > 0
       and ${questionOf('before')} = ${questionOf('p')}`,
    [now],
  );
  const { rows } = await sql(
    db,
    `select p.id, p.run_id, p.notices from plans p where ${WAITING} and p.notices = 0 order by p.created_at
     limit ? for update skip locked`,
    [now, BATCH],
  );
  return rows;
}

/** The reasons of a verdict without their figures. */
function questionOf(plan: string): string {
  return `(select coalesce(string_agg(concat(reason ->> 'code', ':', reason ->> 'class'), ',' order by reason ->> 'code', reason ->> 'class'), '')
    from jsonb_array_elements(${plan}.guard -> 'reasons') reason)`;
}

/** Plans that still wait and whose reminder is due. */
export async function takePlansToRemind(db: Db, now: Date): Promise<readonly WaitingPlan[]> {
  const { rows } = await sql(
    db,
    `select p.id, p.run_id, p.notices from plans p where ${WAITING} and p.notices > 0 and p.next_notice_at <= ?
     order by p.next_notice_at limit ? for update skip locked`,
    [now, now, BATCH],
  );
  return rows;
}

/** Notes that people were told of a plan once more, and when to remind them; null never. */
export async function noteNotice(db: Db, planId: string, nextAt: Date | null): Promise<void> {
  await sql(db, 'update plans set notices = notices + 1, next_notice_at = ? where id = ?', [nextAt, planId]);
}

export interface NewNotification {
  /** The event, the same whoever sees it. */
  readonly key: string;
  readonly channel: Channel;
  readonly event: NotificationEvent;
  readonly runId: string | null;
  readonly planId: string | null;
  /** Of what is about a provider. */
  readonly provider?: ProviderKindName;
  /** Of what is about a stream of events. */
  readonly streamId?: string;
  /** Of what is about a push target. */
  readonly appId?: string;
  readonly number: number;
}

/** Adds messages to be sent at once. One for an event and channel that has one already is left out. */
export async function insertNotifications(db: Db, messages: readonly NewNotification[], now: Date): Promise<void> {
  if (messages.length === 0) return;
  await sql(
    db,
    `insert into notifications (id, key, channel, event, run_id, plan_id, provider, stream_id, app_id, number, next_at, created_at)
     select id, key, channel, event, run_id, plan_id, provider, stream_id, app_id, number, ?, ?
     from jsonb_to_recordset(?::jsonb)
       as m(id uuid, key text, channel text, event text, run_id uuid, plan_id uuid, provider text, stream_id uuid, app_id uuid, number int)
     on conflict on constraint notifications_key_key do nothing`,
    [
      now,
      now,
      JSON.stringify(
        messages.map(({ key, channel, event, runId, planId, provider, streamId, appId, number }) => ({
          id: randomUUID(),
          key: `${channel} ${key}`,
          channel,
          event,
          run_id: runId,
          plan_id: planId,
          provider,
          stream_id: streamId,
          app_id: appId,
          number,
        })),
      ),
    ],
  );
}

export interface ClaimedNotification {
  readonly id: string;
  readonly channel: Channel;
  readonly event: NotificationEvent;
  readonly run_id: string | null;
  readonly plan_id: string | null;
  readonly provider: ProviderKindName | null;
  readonly stream_id: string | null;
  readonly app_id: string | null;
  readonly number: number;
  readonly created_at: Date;
  /** This try included; settling names it, so that a claim that was lost to time settles nothing. */
  readonly attempts: number;
}

/** Claims the next message that is due. Whoever dies with it loses it after `claimMs`. */
export async function claimNotification(db: Db, now: Date, claimMs: number): Promise<ClaimedNotification | undefined> {
  const { rows } = await sql(
    db,
    `update notifications set attempts = attempts + 1, claimed_until = ? where id = (
       select id from notifications where state = 'pending' and next_at <= ? and (claimed_until is null or claimed_until <= ?)
       order by next_at, seq limit 1 for update skip locked)
     returning id, channel, event, run_id, plan_id, provider, stream_id, app_id, number, attempts, created_at`,
    [new Date(now.getTime() + claimMs), now, now],
  );
  return rows[0];
}

/** Ends a claim without a try: the message waits for whoever comes next. */
export async function returnNotification(
  db: Db,
  { id, attempts }: Pick<ClaimedNotification, 'id' | 'attempts'>,
): Promise<void> {
  const text = `update notifications set attempts = attempts - 1, claimed_until = null
    where id = ? and attempts = ? and state = 'pending'`;
  await sql(db, text, [id, attempts]);
}

export interface Settlement {
  readonly state: NotificationState;
  readonly error: RunError | null;
  /** When to try again, of a message that stays pending. */
  readonly nextAt?: Date;
}

/** Ends a claim. A claim that was lost meanwhile changes nothing. */
export async function settleNotification(
  db: Db,
  { id, attempts }: Pick<ClaimedNotification, 'id' | 'attempts'>,
  { state, error, nextAt }: Settlement,
  now: Date,
): Promise<void> {
  await sql(
    db,
    `update notifications set state = ?, error = ?::jsonb, next_at = coalesce(?, next_at), claimed_until = null,
       settled_at = case when ? = 'pending' then null else ?::timestamptz end
     where id = ? and attempts = ? and state = 'pending'`,
    [state, error === null ? null : storableJson(error), nextAt ?? null, state, now, id, attempts],
  );
}

/**
 * Whether there is anything to do: cheap enough to ask every few seconds. Plans count only where somebody can be told
 * of them; the ends of runs always do, so that a channel that is set up later does not begin with the past.
 */
export async function hasNotificationWork(db: Db, now: Date, { plans }: { plans: boolean }): Promise<boolean> {
  const { rows } = await sql(
    db,
    `select exists (select 1 from runs where notified_at is null and finished_at is not null and status <> 'held')
       or ?::boolean and (exists (select 1 from plans p where (p.notices = 0 or p.next_notice_at <= ?) and ${WAITING})
         or exists (select 1 from provider_connections where next_warning_at <= ?))
       or exists (select 1 from event_streams where disabled_at is not null and told_at is null)
       or exists (select 1 from targets where told is distinct from ${OUT_OF_SERVICE})
       or exists (select 1 from notifications where state = 'pending' and next_at <= ?) as work`,
    [plans, now, now, now, now],
  );
  return rows[0].work;
}

/** After the settings changed: what waits for its next try is tried at once. */
export async function hastenNotifications(db: Db, now: Date): Promise<void> {
  await sql(db, `update notifications set next_at = ? where state = 'pending' and next_at > ?`, [now, now]);
}

export interface NotificationView {
  readonly id: string;
  readonly channel: Channel;
  readonly event: NotificationEvent;
  readonly runId: string | null;
  readonly planId: string | null;
  readonly provider: ProviderKindName | null;
  readonly streamId: string | null;
  readonly appId: string | null;
  readonly number: number;
  readonly state: NotificationState;
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly error: RunError | null;
  readonly createdAt: string;
  readonly settledAt: string | null;
}

export interface NotificationsQuery extends PageQuery {
  readonly state?: string | undefined;
}

/** Newest first. */
export async function listNotifications(
  db: Db,
  { limit, cursor, state }: NotificationsQuery,
): Promise<Page<NotificationView>> {
  const { rows } = await sql<NotificationView & { seq: string }>(
    db,
    `select seq, id, channel, event, run_id as "runId", plan_id as "planId", provider, stream_id as "streamId", app_id as "appId", number, state, attempts,
       case when state = 'pending' then next_at end as "nextAttemptAt", error, created_at as "createdAt", settled_at as "settledAt"
     from notifications where (?::bigint is null or seq < ?::bigint) and (?::text is null or state = ?)
     order by seq desc limit ?`,
    [cursor ?? null, cursor ?? null, state ?? null, state ?? null, limit + 1],
  );
  const page = pageOf(rows, limit, ({ seq }) => seq);
  return { items: page.items.map(({ seq: _seq, ...item }) => item), nextCursor: page.nextCursor };
}
