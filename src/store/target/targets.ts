// Push targets: one row beside the app whose `push` it carries out.
import type { JournalPlace } from '#core/journal.ts';
import { storableJson } from '#core/json.ts';
import type { Capabilities, Learned } from '#core/target.ts';
import { type Db, sql } from '../database.ts';

export type TargetState = 'active' | 'paused' | 'quarantined' | 'disabled';

/** What is looked through: everyone in scope, or only those whose place in the scope has changed. */
export interface Backfill {
  readonly mode: 'all' | 'scope';
  readonly type: 'User' | 'Group';
  readonly pos: string;
}

export interface Quarantine {
  readonly reason: string;
  readonly message: string;
  readonly remedy: string | null;
  readonly since: string;
  readonly probes: number;
  readonly probeAt: string;
}

/** Departures that wait for a person. */
export interface HeldDepartures {
  readonly count: number;
  readonly limit: number;
  readonly since: string;
}

export interface TargetRow {
  readonly app_id: string;
  readonly name: string;
  readonly state: TargetState;
  readonly config_version: string;
  readonly scope: unknown;
  readonly push: unknown;
  readonly push_secrets: string | null;
  readonly place: JournalPlace | null;
  readonly backfill: Backfill | null;
  /** The scope has changed since that began: it is looked through once more after it. */
  readonly scope_moved: boolean;
  readonly capabilities: Capabilities | null;
  readonly capabilities_at: Date | null;
  readonly learned: Learned;
  readonly rest_until: Date | null;
  /** As far as the target asked for it. */
  readonly rest_asked_until: Date | null;
  readonly failures: number;
  readonly quarantine: Quarantine | null;
  readonly guard: HeldDepartures | null;
  readonly guard_allowed_at: Date | null;
  readonly reconcile_asked: boolean;
  readonly reconciled_at: Date | null;
  readonly created_at: Date;
}

/** An older release ends a rest without ending what was asked for. */
const ASKED_REST = 'case when t.rest_until is not null then t.rest_asked_until end';

const ROW = `select t.app_id, a.name, t.state, t.config_version, a.scope, a.push, a.push_secrets,
    case when t.place_xid is not null then jsonb_build_object('xid', t.place_xid::text, 'seq', t.place_seq::text) end as place,
    t.backfill, t.scope_moved, t.capabilities, t.capabilities_at, t.learned, t.rest_until, ${ASKED_REST} as rest_asked_until, t.failures, t.quarantine, t.guard, t.guard_allowed_at,
    t.reconcile_asked, t.reconciled_at, t.created_at
  from targets t join apps a on a.id = t.app_id and a.push is not null`;

export async function readTarget(db: Db, appId: string): Promise<TargetRow | undefined> {
  const { rows } = await sql<TargetRow>(db, `${ROW} where t.app_id = ?`, [appId]);
  return rows[0];
}

/** Those that there is something to do for, or may be. */
export async function listTargetIds(db: Db): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>(
    db,
    `select t.app_id as id from targets t join apps a on a.id = t.app_id and a.push is not null where t.state <> 'disabled'`,
  );
  return rows.map(({ id }) => id);
}

/** Whoever changes one that is out of service wants it to be tried. */
const RESTS_ON = `?::boolean and t.state in ('active', 'paused') and t.quarantine is null`;

/**
 * Makes or changes the target of an app; a change has everyone in its scope looked at again. With `restsOn` one that asked to
 * be left alone still is; otherwise it is asked at once.
 */
export async function saveTarget(
  db: Db,
  target: {
    readonly appId: string;
    readonly push: unknown;
    readonly secrets: string | null;
    readonly restsOn?: boolean;
  },
): Promise<void> {
  await sql(db, 'update apps set push = ?::jsonb, push_secrets = ?, updated_at = now() where id = ?', [
    JSON.stringify(target.push),
    target.secrets,
    target.appId,
  ]);
  const restsOn = target.restsOn ?? false;
  await sql(
    db,
    `insert into targets as t (app_id) values (?) on conflict (app_id) do update set config_version = t.config_version + 1,
       backfill = ?::jsonb, capabilities_at = null, learned = '{}',
       rest_until = case when ${RESTS_ON} then t.rest_until end, rest_asked_until = case when ${RESTS_ON} then t.rest_asked_until end,
       failures = case when ${RESTS_ON} then t.failures else 0 end,
       state = case t.state when 'paused' then 'paused' else 'active' end, quarantine = null`,
    [target.appId, JSON.stringify(START), restsOn, restsOn, restsOn],
  );
}

const START: Backfill = { mode: 'all', type: 'User', pos: '0' };

/** The scope of the app has changed. */
export async function askBackfill(db: Db, appId: string, mode: Backfill['mode'] = 'scope'): Promise<void> {
  await sql(
    db,
    `update targets set config_version = config_version + 1, backfill =
       case when backfill ->> 'mode' = 'all' then ?::jsonb else ?::jsonb end where app_id = ?`,
    [JSON.stringify(START), JSON.stringify({ ...START, mode }), appId],
  );
}

/** What the target has stays there, and is forgotten here. */
export async function deleteTarget(db: Db, appId: string): Promise<void> {
  await sql(db, 'update apps set push = null, push_secrets = null, updated_at = now() where id = ?', [appId]);
  await sql(db, 'delete from targets where app_id = ?', [appId]);
}

/** Columns that are written by name. */
export type TargetChanges = Partial<{
  state: TargetState;
  place: JournalPlace;
  backfill: Backfill | null;
  scope_moved: boolean;
  capabilities: Capabilities;
  capabilities_at: Date;
  learned: Learned;
  rest_until: Date | null;
  rest_asked_until: Date | null;
  failures: number;
  quarantine: Quarantine | null;
  guard: HeldDepartures | null;
  guard_allowed_at: Date | null;
  reconcile_asked: boolean;
  reconciled_at: Date;
}>;

/** It is asked at once. */
export const NO_REST = { rest_until: null, rest_asked_until: null, failures: 0 } as const;

const JSON_COLUMNS: ReadonlySet<string> = new Set(['backfill', 'capabilities', 'learned', 'quarantine', 'guard']);

/** As which a target is known to whoever changes it. */
export interface KnownTarget {
  /** Any, when it is left out. */
  readonly states?: readonly TargetState[];
  readonly configVersion: string;
}

/** With `known` only while it is that still: a person may have changed it meanwhile. Answers whether it was changed. */
export async function changeTarget(
  db: Db,
  appId: string,
  changes: TargetChanges,
  known?: KnownTarget,
): Promise<boolean> {
  const sets: string[] = [];
  const values: unknown[] = [];
  for (const [name, value] of Object.entries(changes)) {
    if (name === 'place') {
      const { xid, seq } = value as JournalPlace;
      sets.push('place_xid = ?::text::xid8', 'place_seq = ?::bigint');
      values.push(xid, seq);
    } else if (JSON_COLUMNS.has(name)) {
      sets.push(`${name} = ?::jsonb`);
      values.push(value === null ? null : storableJson(value));
    } else {
      sets.push(`${name} = ?`);
      values.push(value);
    }
  }
  if (sets.length === 0) return false;
  const still: [string, unknown][] = [];
  if (known !== undefined) still.push(['config_version = ?', known.configVersion]);
  if (known?.states !== undefined) still.push(['state = any(?::text[])', known.states]);
  const where = ['app_id = ?', ...still.map(([text]) => text)].join(' and ');
  const text = `update targets set ${sets.join(', ')} where ${where}`;
  const { rowCount } = await sql(db, text, [...values, appId, ...still.map(([, value]) => value)]);
  return rowCount === 1;
}

/** What a target asked for; a rest that was asked for longer stays. */
export async function restUntil(db: Db, appId: string, until: Date): Promise<void> {
  await sql(
    db,
    `update targets t set rest_until = greatest(t.rest_until, ?::timestamptz),
       rest_asked_until = greatest(${ASKED_REST}, ?::timestamptz) where app_id = ?`,
    [until, until, appId],
  );
}

/** Since when, and why, a target is out of service; null when it is in service. Reads `targets`. */
export const OUT_OF_SERVICE = `case when quarantine is not null and state in ('quarantined', 'disabled')
  then state || ' ' || (quarantine ->> 'since') || ' ' || (quarantine ->> 'reason') end`;

/** What people are to be told of a target. */
export interface TargetNews {
  readonly app_id: string;
  readonly event: 'target.quarantined' | 'target.disabled' | 'target.recovered';
  /** The same whoever sees it. */
  readonly key: string;
}

/** Targets that went out of service, or came back, and notes that people are told of it. */
export async function takeTargetNews(tx: Db, now: Date): Promise<readonly TargetNews[]> {
  const { rows } = await sql<{ app_id: string; before: string | null; after: string | null }>(
    tx,
    `with news as (select app_id, told as before, ${OUT_OF_SERVICE} as after from targets
       where told is distinct from ${OUT_OF_SERVICE} for update)
     update targets t set told = news.after from news where t.app_id = news.app_id returning t.app_id, before, after`,
    [],
  );
  return rows.map(({ app_id, after }) => {
    if (after === null) return { app_id, event: 'target.recovered', key: `${app_id} ${now.getTime()}` };
    const isDisabled = after.startsWith('disabled');
    return { app_id, event: isDisabled ? 'target.disabled' : 'target.quarantined', key: `${app_id} ${after}` };
  });
}
