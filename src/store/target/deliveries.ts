// What each target must have of each resource, and what it has: one row for both, whatever happened in between.

import type { Drift } from '#core/drift.ts';
import type { RunError } from '#core/failure.ts';
import { storableJson } from '#core/json.ts';
import { RANKS } from '#core/order.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Exchange } from '#core/target.ts';
import { type Costly, queryBounded } from '../bounded.ts';
import { type Database, type Db, queryOn, sql } from '../database.ts';
import { violates } from '../database-errors.ts';
import { type Condition, Statement } from '../statement.ts';
import { type Attempts, countAttempts } from './attempt-hours.ts';

/** Which resources a target gets: a condition on `r`. */
export type ScopeOf = (type: ResourceType, of: 'many' | 'few') => Condition | undefined;

export type DeliveryState = 'idle' | 'pending' | 'sending' | 'dead' | 'held';

/** Whether a resource is in scope, whatever its type: a condition on `r`. */
export function scopeText(statement: Statement, scope: ScopeOf, of: 'many' | 'few'): string {
  return `case when r.resource_type = 'User' then ${statement.where(scope('User', of))}
    else ${statement.where(scope('Group', of))} end`;
}

/** Whether whoever a delivery is of has to go: gone, inactive or out of scope. */
function isOff(of: string): string {
  return `(not ${of}.in_scope or not exists (select 1 from resources r where r.id = ${of}.resource_id and r.active and r.deleted_at is null))`;
}

/** That what was sent last has deactivated them there. */
export function isSentOff(sent: string): string {
  return `coalesce(lower(${sent} ->> 'active') = 'false', false)`;
}

/** What waits for a day, or for somebody else, and not after a failure of its own: news may end that. */
const WAITS_LONG = '(d.gone_since is not null or d.awaits is not null)';

/**
 * Asks again for rows that are there already: coalesced into one delivery, at the better rank; but whoever is to stay again
 * is no leaver any more, and waits no longer for the day of their deletion.
 */
const ASK_AGAIN = `on conflict (app_id, resource_id) do update set wanted = greatest(d.wanted, excluded.wanted), asks = d.asks + 1,
  rank = case when d.state in ('pending', 'sending') and (d.rank > ${RANKS.leaver} or ${isOff('excluded')}) then least(d.rank, excluded.rank) else excluded.rank end,
  state = case when d.state = 'sending' or d.state = 'held' and excluded.rank = ${RANKS.leaver} then d.state else 'pending' end,
  attempts = case when d.state = 'dead' then 0 else d.attempts end,
  ready_at = case when d.state in ('idle', 'dead') or excluded.rank < d.rank or ${WAITS_LONG} then excluded.ready_at else d.ready_at end,
  changed_at = case when d.state = 'idle' or excluded.rank < d.rank or d.gone_since is not null then excluded.changed_at else d.changed_at end`;

/** Of whoever does not leave. */
function rankAmongOthers(of: string): string {
  return `(case ${of}.resource_type when 'Group' then ${RANKS.group} else ${RANKS.user} end)`;
}

/** Whoever is there and must go, or is to become inactive, comes first. Reads `o`, the delivery as it was. */
function rankOf(isOut: string): string {
  return `case when o.remote_id is not null and o.gone_since is null and (${isOut} or not r.active and not ${isSentOff('o.sent')}) then ${RANKS.leaver} else ${rankAmongOthers('r')} end`;
}

/**
 * Asks for the resources that the journal tells of in a stretch: those in the target's scope, and those it has already.
 * Whoever is gone, inactive or out of scope and is there goes first. Answers how many were asked for.
 */
export async function askForChanges(
  db: Db,
  appId: string,
  scope: ScopeOf,
  stretch: { readonly ids: readonly string[]; readonly at: readonly Date[]; readonly now: Date },
): Promise<number> {
  const statement = new Statement();
  const app = statement.bind(appId, 'uuid');
  const ids = statement.bind(stretch.ids, 'uuid[]');
  const at = statement.bind(stretch.at, 'timestamptz[]');
  const now = statement.bind(stretch.now, 'timestamptz');
  const within = scopeText(statement, scope, 'few');
  const text = `insert into deliveries as d (app_id, resource_id, resource_type, rank, wanted, ready_at, changed_at, in_scope)
    select ${app}, r.id, r.resource_type, ${rankOf('r.deleted_at is not null or not w.within')},
      r.version, ${now}, c.at, w.within
    from (select id, min(at) as at from unnest(${ids}, ${at}) as u(id, at) group by id) c join resources r on r.id = c.id
    cross join lateral (select r.deleted_at is null and ${within} as within) w
    left join deliveries o on o.app_id = ${app} and o.resource_id = r.id
    where w.within or o.resource_id is not null order by r.id
    ${ASK_AGAIN}, in_scope = excluded.in_scope`;
  const { rowCount } = await queryOn(db, { text, values: statement.values });
  return rowCount ?? 0;
}

/** A stretch of looking through the directory. */
export interface Stretch {
  readonly mode: 'all' | 'scope';
  readonly type: ResourceType;
  /** Behind whom it begins. */
  readonly pos: string;
  /** How many are looked at. */
  readonly looks: number;
  /** How many are asked for at most: the stretch ends with the last of them. */
  readonly asks: number;
  readonly now: Date;
}

/** A person wants whom a delivery is of to stay there, until something about them changes. */
function mayStay(of: string): string {
  return `${of}.state = 'idle' and ${of}.last_action = 'kept' and ${of}.gone_since is null and ${of}.remote_id is not null`;
}

/**
 * Asks for everyone in scope within a stretch, or with `mode` scope only for those whose place in it has changed. Answers
 * where it ended; undefined at the end of the type. Whom the scope's groups hold is found out once for each stretch.
 */
export async function askForStretch(
  db: Db,
  appId: string,
  scope: ScopeOf,
  stretch: Stretch,
): Promise<string | undefined> {
  const statement = new Statement();
  const app = statement.bind(appId, 'uuid');
  const now = statement.bind(stretch.now, 'timestamptz');
  const from = statement.bind(stretch.pos, 'bigint');
  const looks = statement.bind(stretch.looks, 'integer');
  const asks = statement.bind(stretch.asks, 'integer');
  const within = statement.where(scope(stretch.type, 'many'));
  const changed =
    stretch.mode === 'all'
      ? `(r.within or o.resource_id is not null) and (${mayStay('o')} and not (r.active and r.within)) is not true`
      : '(r.within <> coalesce(o.in_scope, false))';
  const text = `with page as materialized (
      select r.id, r.pos, r.resource_type, r.version, r.active, r.updated_at, ${within} as within from resources r
      where r.resource_type = '${stretch.type}' and r.deleted_at is null and r.pos > ${from} order by r.pos limit ${looks}),
    meant as materialized (
      select r.*, ${rankOf('not r.within')} as rank
      from page r left join deliveries o on o.app_id = ${app} and o.resource_id = r.id where ${changed} order by r.pos limit ${asks}),
    asked as (
      insert into deliveries as d (app_id, resource_id, resource_type, rank, wanted, ready_at, changed_at, in_scope)
      select ${app}, id, resource_type, rank, version, ${now}, ${now}, within from meant order by id
      ${ASK_AGAIN}, in_scope = excluded.in_scope)
    select case when (select count(*) from meant) = ${asks} then (select max(pos) from meant)
      when (select count(*) from page) = ${looks} then (select max(pos) from page) end as pos`;
  const { rows } = await queryOn<{ pos: string | null }>(db, { text, values: statement.values });
  return rows[0]?.pos ?? undefined;
}

/**
 * How many of the directory a scope lets through, which anybody may have written.
 * @throws {InputError} `too-costly` @throws {RateError} `too-many-reads`
 */
export async function countInScope(
  database: Database,
  scope: ScopeOf,
  asker: Omit<Costly, 'by'>,
  withinMs?: number,
): Promise<{ readonly users: number; readonly groups: number }> {
  const statement = new Statement();
  const of = (type: ResourceType): string =>
    `(select count(*)::int from resources r where r.resource_type = '${type}' and r.deleted_at is null
      and ${statement.where(scope(type, 'many'))})`;
  const text = `select ${of('User')} as users, ${of('Group')} as groups`;
  const query = { text, values: statement.values };
  const { rows } = await queryBounded<{ users: number; groups: number }>(
    database,
    query,
    { ...asker, by: 'filter' },
    withinMs,
  );
  return rows[0] ?? { users: 0, groups: 0 };
}

/** What is there and has no resource any more, or one that was deleted: asked for once more at the end of a look-through. */
export async function askForGone(db: Db, appId: string, now: Date): Promise<void> {
  await sql(
    db,
    `update deliveries o set state = 'pending', asks = asks + 1, rank = ?, ready_at = ?, changed_at = case when o.state = 'idle' then ? else changed_at end
     where app_id = ? and remote_id is not null and gone_since is null and state in ('idle', 'dead') and (${mayStay('o')}) is not true
       and not exists (select 1 from resources r where r.id = o.resource_id and r.deleted_at is null)`,
    [RANKS.leaver, now, now, appId],
  );
}

/** What became of one delivery. */
export interface SettledDelivery {
  readonly resource_id: string;
  readonly resource_type: ResourceType;
  readonly fence: string;
  readonly asks: string;
  /** `idle` when it is there, `pending` when it is tried again at `ready_at`, `dead` when a person has to look. */
  readonly state: 'idle' | 'pending' | 'dead';
  readonly ready_at: Date;
  readonly attempts: number;
  readonly version: string | null;
  readonly remote_id: string | null;
  readonly remote_etag: string | null;
  readonly link: 'created' | 'adopted' | null;
  readonly sent: unknown;
  readonly gone_since: Date | null;
  readonly drift: Drift | null;
  readonly action: string;
  readonly error: (RunError & { readonly status: number | null }) | null;
  /** Failed because of this resource of ours, which is linked to what it wants there. */
  readonly awaits: string | null;
  /** The exchanges of this delivery. */
  readonly log: readonly (Exchange & { at: string })[];
  /** Of a leaver whom the target has acknowledged: when they left. */
  readonly departed_at: Date | null;
  readonly rank: number;
  readonly done: boolean;
  /** Whose link it has taken over: those who refer to them are looked at again. */
  readonly predecessor: string | null;
  /** The name that it had there, and has no more; empty where that is not known. */
  readonly gave_up: string | null;
  /**
   * Whether groups and reports that name it have to be looked at again: it has an id there that it did not have before,
   * also when it failed later on, or none any more; or it is meant to be there since, or no longer.
   */
  readonly concerns_others: boolean;
}

/** It was asked for again meanwhile. What failed for good is tried anew as well: there is news. */
const AGAIN = `(d.asks > s.asks and (s.done or s.state = 'dead'))`;

/** Whoever is there and was asked to leave meanwhile: the rank at which they were asked for may be of a time when they were not there yet. */
const LEAVES_SINCE = `(d.asks > s.asks and s.remote_id is not null and s.gone_since is null and (not d.in_scope or not exists (
  select 1 from resources r where r.id = d.resource_id and r.deleted_at is null and (r.active or ${isSentOff('s.sent')}))))`;

/**
 * A departure that was asked for meanwhile goes first, whatever became of the try, and waits for nothing. Whoever was asked
 * for meanwhile and has nothing to leave, or is to stay again, is no leaver any more.
 */
const RANK_NOW = `case when ${LEAVES_SINCE} then ${RANKS.leaver}
  when d.asks > s.asks and least(d.rank, s.rank) = ${RANKS.leaver} and (s.gone_since is null or not ${isOff('d')}) then ${rankAmongOthers('d')}
  when d.asks > s.asks then least(d.rank, s.rank) else s.rank end`;

/** What was given back, without a try, has the failure that it had. */
const ERROR_NOW = `case when s.done then null else coalesce(nullif(s.error, 'null'::jsonb), d.last_error) end`;
const AWAITS_NOW = `case when s.done or nullif(s.error, 'null'::jsonb) is not null then s.awaits else d.awaits end`;

/** How many exchanges are kept of a delivery, with those of the deliveries before it. */
export const LOG_KEPT = 4;
const LAST_KEPT = `jsonb_path_query_array(d.log || s.log, '$[last - ${LOG_KEPT - 1} to last]')`;

/**
 * Writes what became of deliveries that are still ours; what was asked for again meanwhile is pending at once. Answers
 * whether somebody's departure is ready now.
 */
export async function settleDeliveries(
  db: Db,
  appId: string,
  settled: readonly SettledDelivery[],
  now: Date,
): Promise<boolean> {
  if (settled.length === 0) return false;
  await countAttempts(db, { appId, channel: 'push' }, attemptsOf(settled), now);
  const { rows } = await sql<{ leaves: boolean }>(
    db,
    `with s as (select * from jsonb_to_recordset(?::jsonb) as s(resource_id uuid, fence bigint, asks bigint, state text, ready_at timestamptz,
       attempts integer, version bigint, remote_id text, remote_etag text, link text, sent jsonb, gone_since timestamptz, drift jsonb, action text,
       error jsonb, awaits uuid, log jsonb, departed_at timestamptz, rank smallint, done boolean)),
     ours as (delete from delivery_claims c using s where c.app_id = ? and c.resource_id = s.resource_id and c.fence = s.fence
       returning c.resource_id),
     mine as (update deliveries d set
         state = case when ${AGAIN} then 'pending' else s.state end,
         ready_at = case when ${AGAIN} or ${RANK_NOW} < s.rank then ?::timestamptz else s.ready_at end,
         rank = ${RANK_NOW},
         changed_at = case when ${AGAIN} then ?::timestamptz else d.changed_at end,
         attempts = case when ${AGAIN} then 0 else s.attempts end, delivered = case when s.done then s.version else d.delivered end,
         remote_id = s.remote_id, remote_etag = s.remote_etag, link = s.link, sent = nullif(s.sent, 'null'::jsonb), gone_since = s.gone_since, drift = nullif(s.drift, 'null'::jsonb),
         last_action = s.action, last_error = ${ERROR_NOW}, awaits = ${AWAITS_NOW}, log = ${LAST_KEPT}, settled_at = ?::timestamptz,
         first_failed_at = case when ${ERROR_NOW} is null then null else coalesce(d.first_failed_at, ?::timestamptz) end,
         fence = d.fence + 1, allowed = case when s.done then false else d.allowed end,
         doubted = d.doubted and (not s.done or d.asks > s.asks)
       from s join ours using (resource_id) where d.app_id = ? and d.resource_id = s.resource_id
       returning d.resource_id, d.resource_type, s.departed_at, d.state = 'pending' and d.rank = ${RANKS.leaver} and d.ready_at <= ?::timestamptz as leaves),
     departed as (insert into departures (app_id, resource_id, resource_type, changed_at, acknowledged_at)
       select ?, resource_id, resource_type, departed_at, ?::timestamptz from mine where departed_at is not null)
     select coalesce(bool_or(leaves), false) as leaves from mine`,
    [storableJson(settled), appId, now, now, now, now, appId, now, appId, now],
  );
  return rows[0]?.leaves ?? false;
}

/** Whether a settlement was refused because another resource of ours is linked to the same one there. */
export function isLinkTaken(error: unknown): boolean {
  return violates(error, 'deliveries_remote_key');
}

/** For these nothing was sent. */
const QUIET: ReadonlySet<string> = new Set(['none', 'skipped', 'kept']);

function attemptsOf(settled: readonly SettledDelivery[]): Attempts {
  const delivered = settled.filter(({ done, action }) => done && !QUIET.has(action)).length;
  const failed = settled.filter(({ error }) => error !== null).length;
  return { delivered, failed, settled: settled.length };
}

/** Paths of the attributes in which a resource has changed after a version. */
export async function touchedSince(db: Db, resourceId: string, version: string | null): Promise<readonly string[]> {
  const { rows } = await sql<{ path: string }>(
    db,
    `select distinct jsonb_array_elements_text(detail -> 'attributes') as path from changes
     where resource_id = ? and version > ? and jsonb_typeof(detail -> 'attributes') = 'array'`,
    [resourceId, version ?? '0'],
  );
  return rows.map(({ path }) => path);
}

/**
 * The groups of these, and those whom they manage, are looked at again, but for whoever is to go and whom a person has let
 * stay. Those that wait are asked for as well, since they may be claimed at this very moment by somebody who does not see
 * the news yet; and groups that were given up because of a member. Those who are asked for are an array, by which the
 * planner looks them up: joined, it may read all deliveries for each batch.
 */
export async function askForReferences(db: Db, appId: string, moved: readonly string[], now: Date): Promise<void> {
  if (moved.length === 0) return;
  await sql(
    db,
    `update deliveries d set asks = d.asks + 1, state = case when d.state in ('idle', 'dead') then 'pending' else d.state end,
       rank = case when d.state not in ('idle', 'dead') then d.rank when d.resource_type = 'Group' then ${RANKS.group} else ${RANKS.reference} end,
       ready_at = case when d.state in ('idle', 'dead') then ? else d.ready_at end,
       changed_at = case when d.state in ('idle', 'dead') then ? else d.changed_at end,
       attempts = case when d.state = 'dead' then 0 else d.attempts end
     where d.app_id = ? and d.resource_id = any(array(select group_id from group_members where member_id = any(?::uuid[])
         union select id from resources where manager_id = any(?::uuid[]) and deleted_at is null))
       and (d.state in ('idle', 'pending', 'sending') or d.state = 'dead' and d.last_error ->> 'code' in ('member-refused', 'member-list-refused', 'too-many-members'))
       and (${mayStay('d')} and ${isOff('d')}) is not true`,
    [now, now, appId, moved, moved],
  );
}
