// Streams of events: one for each app and kind. What an administrator set up, how it does, and up to where it has read.
import { randomUUID } from 'node:crypto';
import type { RunError } from '#core/failure.ts';
import type { JournalPlace } from '#core/journal.ts';
import { storableJson } from '#core/json.ts';
import type { AppScope } from '#core/scope.ts';
import { type Db, sql } from '../database.ts';
import { IS_DUE } from './event-deliveries.ts';

export type StreamKind = 'webhook' | 'set';
export type DisabledReason = 'gone' | 'gave-up' | 'fell-behind';

export interface StreamRow {
  readonly id: string;
  readonly app_id: string;
  readonly app_name: string;
  readonly kind: StreamKind;
  readonly enabled: boolean;
  readonly pushed: boolean;
  /** Goes up with each change by an administrator. */
  readonly revision: string;
  readonly settings: unknown;
  readonly sealed: string;
  readonly place_xid: string;
  readonly place_seq: string;
  readonly scanned_xid: string;
  readonly scanned_seq: string;
  readonly rescan: boolean;
  readonly ledger: boolean;
  /** The scope for which the ledger was made. */
  readonly scope: AppScope | null;
  /** Whether the log can be read up to what the last comparison of a ledger saw; null when nothing hangs on that. */
  readonly settled: boolean | null;
  /** Messages up to this one were written for an earlier scope. */
  readonly scope_seq: string;
  /** The scope that the app has now. */
  readonly app_scope: AppScope | null;
  readonly failures: number;
  readonly failing_since: Date | null;
  readonly retry_at: Date | null;
  readonly last_error: RunError | null;
  readonly last_success_at: Date | null;
  readonly polled_at: Date | null;
  readonly disabled_at: Date | null;
  readonly disabled_reason: DisabledReason | null;
}

const COLUMNS = `s.id, s.app_id, a.name as app_name, s.kind, s.enabled, s.pushed, s.revision, s.settings, s.sealed, s.place_xid::text, s.place_seq,
  s.scanned_xid::text, s.scanned_seq, s.rescan, s.ledger, s.scope, s.scope_seq, s.settles_xid <= pg_snapshot_xmin(pg_current_snapshot()) as settled, a.scope as app_scope, s.failures, s.failing_since, s.retry_at,
  s.last_error, s.last_success_at, s.polled_at, s.disabled_at, s.disabled_reason`;
const FROM = 'event_streams s join apps a on a.id = s.app_id';

export async function readStream(db: Db, appId: string, kind: StreamKind): Promise<StreamRow | undefined> {
  const { rows } = await sql<StreamRow>(db, `select ${COLUMNS} from ${FROM} where s.app_id = ? and s.kind = ?`, [
    appId,
    kind,
  ]);
  return rows[0];
}

/** The streams of these apps, those of one app always in the same order. */
export async function listStreams(db: Db, appIds: readonly string[]): Promise<readonly StreamRow[]> {
  const { rows } = await sql<StreamRow>(
    db,
    `select ${COLUMNS} from ${FROM} where s.app_id = any(?::uuid[]) order by s.app_id, s.kind`,
    [appIds],
  );
  return rows;
}

/**
 * The stream, kept from others until the transaction ends; undefined when it is gone or at rest. Read once it is locked: a
 * joined row is answered as it was before the wait.
 */
export async function lockStream(tx: Db, id: string): Promise<StreamRow | undefined> {
  await sql(tx, 'select 1 from event_streams where id = ? for update', [id]);
  const { rows } = await sql<StreamRow>(
    tx,
    `select ${COLUMNS} from ${FROM} where s.id = ? and s.enabled and s.disabled_at is null`,
    [id],
  );
  return rows[0];
}

export interface NewStream {
  readonly appId: string;
  readonly kind: StreamKind;
  readonly enabled: boolean;
  readonly pushed: boolean;
  readonly settings: object;
  readonly sealed: string;
  /** From where it reads the change log. */
  readonly place: JournalPlace;
  /** The app's scope. */
  readonly scope: AppScope | null;
  /** Whether it knows only those in its ledger, and whether that may differ from its scope. */
  readonly ledger: boolean;
  readonly rescan: boolean;
}

/** A new stream. With an empty ledger and a rescan it is told of everybody. */
export async function insertStream(db: Db, stream: NewStream): Promise<string> {
  const { appId, kind, enabled, pushed, settings, sealed, place, scope, ledger, rescan } = stream;
  const id = randomUUID();
  await sql(
    db,
    `insert into event_streams (id, app_id, kind, enabled, pushed, settings, sealed, place_xid, place_seq, scanned_xid, scanned_seq,
       scope, ledger, rescan)
     values (?, ?, ?, ?, ?, ?::jsonb, ?, ?::text::xid8, ?, ?::text::xid8, ?, ?::jsonb, ?, ?)`,
    [
      ...[id, appId, kind, enabled, pushed, JSON.stringify(settings), sealed],
      ...[place.xid, place.seq, place.xid, place.seq],
      ...[scope === null ? null : JSON.stringify(scope), ledger, rescan],
    ],
  );
  return id;
}

export interface ChangedStream {
  readonly enabled: boolean;
  readonly pushed: boolean;
  readonly settings: object;
  readonly sealed: string;
}

/** Other settings for a stream; what waits is tried at once. */
export async function updateStream(db: Db, id: string, changed: ChangedStream): Promise<void> {
  await sql(
    db,
    `update event_streams set enabled = ?, pushed = ?, settings = ?::jsonb, sealed = ?, failures = 0, failing_since = null,
       retry_at = null, revision = revision + 1, updated_at = now() where id = ?`,
    [changed.enabled, changed.pushed, JSON.stringify(changed.settings), changed.sealed, id],
  );
}

export async function saveStreamSecrets(db: Db, id: string, sealed: string): Promise<void> {
  await sql(db, 'update event_streams set sealed = ?, revision = revision + 1, updated_at = now() where id = ?', [
    sealed,
    id,
  ]);
}

export async function deleteStream(db: Db, id: string): Promise<void> {
  await sql(db, 'delete from event_streams where id = ?', [id]);
}

/** Takes a stream up again: from where it stopped, or from another place, without what waited and with an empty ledger. */
export async function resumeStream(
  db: Db,
  id: string,
  from: Pick<NewStream, 'place' | 'scope' | 'ledger' | 'rescan'> | undefined,
): Promise<void> {
  await sql(
    db,
    `update event_streams set disabled_at = null, disabled_reason = null, told_at = null, failures = 0, failing_since = null, retry_at = null,
       last_error = null, revision = revision + 1 where id = ?`,
    [id],
  );
  if (from === undefined) return;
  await sql(db, `delete from event_deliveries where stream_id = ? and state = 'pending'`, [id]);
  await sql(db, 'delete from event_known where stream_id = ?', [id]);
  const { place, ...rest } = from;
  await noteProgress(db, id, { place, scanned: place, ...rest });
}

export interface StreamProgress {
  readonly place?: JournalPlace;
  readonly scanned?: JournalPlace;
  readonly rescan?: boolean;
  readonly ledger?: boolean;
  readonly scope?: AppScope | null;
  /** Set when everybody was told of: what is seen at this moment may still come in the log. Taken back when it has. */
  readonly settling?: boolean;
}

/** Notes how far a stream has come. With a scope, what was written before belongs to the one before. */
export async function noteProgress(tx: Db, id: string, progress: StreamProgress): Promise<void> {
  const { place, scanned, rescan, ledger, scope, settling } = progress;
  await sql(
    tx,
    `update event_streams s set place_xid = coalesce(?::text::xid8, place_xid), place_seq = coalesce(?::bigint, place_seq),
       scanned_xid = coalesce(?::text::xid8, scanned_xid), scanned_seq = coalesce(?::bigint, scanned_seq),
       rescan = coalesce(?::boolean, rescan), ledger = coalesce(?::boolean, ledger),
       scope_seq = case when ?::boolean then coalesce((select max(d.seq) from event_deliveries d where d.stream_id = s.id), 0)
         else scope_seq end,
       settles_xid = case ?::boolean when true then pg_snapshot_xmax(pg_current_snapshot()) when false then null else settles_xid end,
       scope = case when ?::boolean then ?::jsonb else scope end where id = ?`,
    [
      ...[place?.xid ?? null, place?.seq ?? null, scanned?.xid ?? null, scanned?.seq ?? null],
      ...[rescan ?? null, ledger ?? null, scope !== undefined, settling ?? null, scope !== undefined],
      ...[scope === undefined || scope === null ? null : JSON.stringify(scope), id],
    ],
  );
}

export interface StreamHealthRow {
  readonly failures: number;
  readonly failingSince: Date | null;
  readonly retryAt: Date | null;
  /** Of the last failure; null after a success, undefined when nothing was tried. */
  readonly error?: RunError | null;
  readonly succeededAt?: Date | undefined;
}

/** Notes how a stream does; answers false, and notes nothing, when an administrator has changed it since it was read. */
export async function noteHealth(
  db: Db,
  { id, revision }: Pick<StreamRow, 'id' | 'revision'>,
  health: StreamHealthRow,
): Promise<boolean> {
  const { failures, failingSince, retryAt, error, succeededAt } = health;
  const { rowCount } = await sql(
    db,
    `update event_streams set failures = ?, failing_since = ?, retry_at = ?, last_success_at = coalesce(?, last_success_at),
       last_error = case when ?::boolean then ?::jsonb else last_error end where id = ? and revision = ?`,
    [
      ...[failures, failingSince, retryAt, succeededAt ?? null, error !== undefined],
      ...[error === undefined || error === null ? null : storableJson(error), id, revision],
    ],
  );
  return rowCount === 1;
}

/** Streams that were taken out of service and that nobody was told of; they count as told. */
export async function takeDisabledStreams(tx: Db, now: Date): Promise<readonly { id: string; disabled_at: Date }[]> {
  const { rows } = await sql(
    tx,
    `update event_streams set told_at = ? where disabled_at is not null and told_at is null returning id, disabled_at`,
    [now],
  );
  return rows;
}

/** A stream by its id. */
export async function findStream(db: Db, id: string): Promise<StreamRow | undefined> {
  const { rows } = await sql<StreamRow>(db, `select ${COLUMNS} from ${FROM} where s.id = ?`, [id]);
  return rows[0];
}

/** Takes a stream out of service; answers false when it is already. */
export async function disableStream(
  db: Db,
  id: string,
  { reason, error, now }: { reason: DisabledReason; error: RunError | null; now: Date },
): Promise<boolean> {
  const { rowCount } = await sql(
    db,
    `update event_streams set disabled_at = ?, disabled_reason = ?, last_error = coalesce(?::jsonb, last_error)
     where id = ? and disabled_at is null`,
    [now, reason, error === null ? null : storableJson(error), id],
  );
  return rowCount === 1;
}

/** Ids of the streams for which there is something to do now: changes to read, or messages to send. */
export async function listBusyStreams(
  db: Db,
  { now, window }: { now: Date; window: number },
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>(
    db,
    `select s.id from ${FROM} where s.enabled and s.disabled_at is null and (s.scope is distinct from a.scope
       or ((s.rescan or s.settles_xid <= pg_snapshot_xmin(pg_current_snapshot()) or exists (select 1 from changes c
           where (c.xid, c.seq) > (s.place_xid, s.place_seq) and c.xid < pg_snapshot_xmin(pg_current_snapshot())))
         and (select count(*) from event_deliveries d where d.stream_id = s.id and d.state = 'pending') <= ?)
       or exists (select 1 from event_deliveries d where d.stream_id = s.id and ${IS_DUE}))
     order by s.created_at`,
    [window, now, now],
  );
  return rows.map(({ id }) => id);
}

export async function notePoll(db: Db, id: string, now: Date): Promise<void> {
  await sql(db, 'update event_streams set polled_at = ? where id = ?', [now, id]);
}
