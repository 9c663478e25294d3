// Reports of what a target has against what it should have.
import type { Drift } from '#core/drift.ts';
import type { RunError } from '#core/failure.ts';
import { storableJson } from '#core/json.ts';
import { RANKS } from '#core/order.ts';
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export async function startReconciliation(
  db: Db,
  { id, appId, startedAt }: { id: string; appId: string; startedAt: Date },
): Promise<void> {
  await sql(db, 'insert into reconciliations (id, app_id, started_at) values (?, ?, ?)', [id, appId, startedAt]);
}

/** Comparisons that were cut short tell nothing: they are made again. */
export async function askForCutOnes(db: Db, appId: string): Promise<void> {
  await sql(
    db,
    `with cut as (delete from reconciliations where app_id = ? and finished_at is null returning 1)
     update targets set reconcile_asked = true where app_id = ? and exists (select 1 from cut)`,
    [appId, appId],
  );
}

export async function finishReconciliation(
  db: Db,
  id: string,
  report: { counts: object; findings: readonly object[]; finishedAt: Date; error: RunError | null },
): Promise<void> {
  await sql(
    db,
    'update reconciliations set finished_at = ?, counts = ?::jsonb, findings = ?::jsonb, error = ?::jsonb where id = ?',
    [
      report.finishedAt,
      storableJson(report.counts),
      storableJson(report.findings),
      report.error === null ? null : storableJson(report.error),
      id,
    ],
  );
}

export interface LinkedRow {
  readonly resource_id: string;
  readonly remote_id: string;
  readonly state: string;
  readonly in_scope: boolean;
  readonly deleted: boolean;
  readonly body: string | null;
  readonly active: boolean | null;
  /** It has changed here since it was last brought there. */
  readonly is_behind: boolean;
  /** What was done last. */
  readonly action: string | null;
  readonly sent: Record<string, unknown> | null;
  readonly manager_remote_id: string | null;
  readonly drift: Drift | null;
}

/** What we have linked of a page of theirs. */
export async function readLinked(
  db: Db,
  appId: string,
  type: ResourceType,
  page: readonly { readonly id: string }[],
): Promise<readonly LinkedRow[]> {
  const { rows } = await sql<LinkedRow>(
    db,
    `select d.resource_id, d.remote_id, d.state, d.in_scope, r.id is null or r.deleted_at is not null as deleted, r.body, r.active, coalesce(r.version > d.delivered, false) as is_behind, d.last_action as action, d.sent,
       d.drift, m.remote_id as manager_remote_id
     from deliveries d left join resources r on r.id = d.resource_id
     left join deliveries m on m.app_id = d.app_id and m.resource_id = r.manager_id
     where d.app_id = ? and d.resource_type = ? and d.remote_id = any(?::text[])`,
    [appId, type, page.map(({ id }) => id)],
  );
  return rows;
}

/** Ours that carry one of these ids or names, and are linked to something there. */
export async function readTwins(
  db: Db,
  appId: string,
  type: ResourceType,
  { ids, names }: { readonly ids: readonly string[]; readonly names: readonly string[] },
): Promise<readonly { readonly id: string; readonly name: string; readonly remoteId: string }[]> {
  const { rows } = await sql<{ id: string; name: string; remoteId: string }>(
    db,
    `select d.resource_id as id, r.name_key as name, d.remote_id as "remoteId" from deliveries d join resources r on r.id = d.resource_id
     where d.app_id = ? and d.resource_type = ? and d.remote_id is not null and r.deleted_at is null
       and d.resource_id = any(array(select unnest(?::uuid[]) union
         select id from resources where resource_type = ? and name_key = any(?::text[]) and deleted_at is null))`,
    [appId, type, ids, type, names],
  );
  return rows;
}

/** Links that were there before and of which the other side showed nothing. */
export async function listUnseen(
  db: Db,
  appId: string,
  type: ResourceType,
  { seen, before }: { seen: readonly string[]; before: Date },
): Promise<readonly { resource_id: string; remote_id: string }[]> {
  const { rows } = await sql<{ resource_id: string; remote_id: string }>(
    db,
    `select resource_id, remote_id from deliveries d where app_id = ? and resource_type = ? and remote_id is not null
       and state = 'idle' and settled_at < ? and not exists (select 1 from unnest(?::text[]) s(id) where s.id = d.remote_id)`,
    [appId, type, before, seen],
  );
  return rows;
}

export interface DriftRow {
  readonly resource_id: string;
  /** What the target has of what we manage: the difference to it is what is sent. */
  readonly sent: unknown;
  readonly drift: Drift | null;
}

/** Whoever is off here, and is not there: to put that right is a departure, over which the guard watches. */
const IS_LEAVING = `d.resource_type = 'User' and lower(x.sent ->> 'active') = 'true'
  and exists (select 1 from resources r where r.id = d.resource_id and not r.active)`;

/** Asks for what differs there. */
export async function askForDrift(db: Db, appId: string, rows: readonly DriftRow[], now: Date): Promise<void> {
  if (rows.length === 0) return;
  await sql(
    db,
    `update deliveries d set sent = x.sent, drift = nullif(x.drift, 'null'::jsonb), state = 'pending', asks = asks + 1, ready_at = ?, changed_at = ?,
       rank = case when ${IS_LEAVING} then ${RANKS.leaver} when d.resource_type = 'User' then ${RANKS.user} else ${RANKS.group} end
     from jsonb_to_recordset(?::jsonb) as x(resource_id uuid, sent jsonb, drift jsonb)
     where d.app_id = ? and d.resource_id = x.resource_id and d.state = 'idle'`,
    [now, now, storableJson(rows), appId],
  );
}

/** Remembers what of these the target does not keep, and asks for nothing. */
export async function noteDrift(
  db: Db,
  appId: string,
  rows: readonly Pick<DriftRow, 'resource_id' | 'drift'>[],
): Promise<void> {
  if (rows.length === 0) return;
  await sql(
    db,
    `update deliveries d set drift = nullif(x.drift, 'null'::jsonb)
     from jsonb_to_recordset(?::jsonb) as x(resource_id uuid, drift jsonb)
     where d.app_id = ? and d.resource_id = x.resource_id and d.state = 'idle'`,
    [storableJson(rows), appId],
  );
}

/** What the targets of an app do not keep is written once more. */
export async function forgetDrift(db: Db, appId: string): Promise<void> {
  await sql(db, 'update deliveries set drift = null where app_id = ? and drift is not null', [appId]);
}

/** Of these resources there, those of which something was sent after a time. */
export async function movedSince(
  db: Db,
  appId: string,
  remoteIds: readonly string[],
  at: string,
): Promise<readonly string[]> {
  if (remoteIds.length === 0) return [];
  const { rows } = await sql<{ id: string }>(
    db,
    `select remote_id as id from deliveries where app_id = ? and resource_type in ('User', 'Group')
       and remote_id = any(?::text[]) and settled_at > ?::timestamptz`,
    [appId, remoteIds, at],
  );
  return rows.map(({ id }) => id);
}

/** Forgets the links of what is not there any more, and asks for it anew. One that has another link since keeps it. */
export async function markMissing(
  db: Db,
  appId: string,
  missing: readonly { readonly resource_id: string; readonly remote_id: string }[],
  now: Date,
): Promise<void> {
  if (missing.length === 0) return;
  await sql(
    db,
    `with lost as (select d.app_id, d.resource_id, d.remote_id
       from jsonb_to_recordset(?::jsonb) as x(resource_id uuid, remote_id text)
       join deliveries d on d.app_id = ? and d.resource_id = x.resource_id and d.remote_id = x.remote_id and d.state = 'idle'),
     gone as (delete from target_members t using lost d
       where t.app_id = d.app_id and (t.group_id = d.resource_id or t.remote_id = d.remote_id))
     update deliveries d set remote_id = null, remote_etag = null, link = null, sent = null, gone_since = null, drift = null, state = 'pending',
       asks = asks + 1, ready_at = ?, changed_at = ?, rank = case d.resource_type when 'User' then ${RANKS.user} else ${RANKS.group} end
     from lost where d.app_id = lost.app_id and d.resource_id = lost.resource_id and d.remote_id = lost.remote_id and d.state = 'idle'`,
    [storableJson(missing), appId, now, now],
  );
}
