// The change log, which is the journal that every way out reads: one row per applied change, written in the transaction
// that applies it. Append only.
import { GoneError } from '#core/errors.ts';
import { JOURNAL_START, type JournalPlace } from '#core/journal.ts';
import type { ResourceType } from '#core/resource.ts';
import { jsonbArray, textArray } from '../arrays.ts';
import { type Db, sql } from '../database.ts';

export type ChangeOperation = 'create' | 'update' | 'deactivate' | 'delete' | 'membership';

export interface NewChange {
  readonly resource_type: ResourceType;
  readonly resource_id: string;
  readonly version: string;
  readonly operation: ChangeOperation;
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
}

/** Appends changes in the order given. `actor` is `sync`, or `token:<id>`. */
export async function appendChanges(
  db: Db,
  changes: readonly NewChange[],
  { actor, runId }: { actor: string; runId: string | null },
): Promise<void> {
  if (changes.length === 0) return;
  await sql(
    db,
    `insert into changes (resource_type, resource_id, version, operation, run_id, actor, detail)
     select resource_type, resource_id::uuid, version::bigint, operation, ?::uuid, ?, detail
     from unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::jsonb[]) with ordinality
       as c(resource_type, resource_id, version, operation, detail, place)
     order by place`,
    [
      ...[runId, actor],
      ...[
        textArray(changes.map((change) => change.resource_type)),
        textArray(changes.map((change) => change.resource_id)),
      ],
      ...[textArray(changes.map(({ version }) => version)), textArray(changes.map(({ operation }) => operation))],
      jsonbArray(changes.map(({ detail }) => (detail === undefined ? null : JSON.stringify(detail)))),
    ],
  );
}

/** A change as the journal has it. */
export interface Change extends JournalPlace {
  readonly at: Date;
  readonly resource_type: ResourceType;
  readonly resource_id: string;
  /** The version in which the change left its resource. Of two changes of one resource the higher is the later. */
  readonly version: string;
  readonly operation: ChangeOperation;
  /** The run that made it; null for a single write. */
  readonly run_id: string | null;
  readonly actor: string;
  /** `attributes` of an update; how many were `added` and `removed` of a membership change. */
  readonly detail: Readonly<Record<string, unknown>> | null;
}

export interface ChangePage {
  readonly changes: readonly Change[];
  /** Where the next reading starts: the last change read, or the place given when there was none. */
  readonly next: JournalPlace;
  /** Whether more can be read at once. */
  readonly more: boolean;
}

/** What every row of a page brings along. */
interface Journal {
  readonly expired: boolean;
  readonly epoch: number;
  /** The last place that retention has removed; null where it has removed none. */
  readonly trimmedXid: string | null;
  readonly trimmedSeq: string | null;
}

function changeOf({ expired: _expired, trimmedXid: _xid, trimmedSeq: _seq, ...change }: Change & Journal): Change {
  return change;
}

/**
 * The changes after a place, in the order (xid, seq), below the oldest transaction that still runs: what is not answered
 * yet comes later, and nothing is ever inserted before a place that was answered. A reader may go back to any place and
 * gets the same again. A user is told of before any membership that names them. Two concurrent writers of one
 * resource may be told of in the wrong order, so whoever applies changes compares versions, or reads today's state.
 * A writing transaction that stays open anywhere in the cluster holds the journal back.
 * @throws {GoneError} `cursor-expired`: retention has removed changes after this place, it is of another order, or the
 *   database was put back to a time before it
 */
export async function readChanges(db: Db, after: JournalPlace | undefined, limit: number): Promise<ChangePage> {
  const from = after ?? JOURNAL_START;
  const { rows } = await sql<Change & Journal>(
    db,
    `select j.*, c.* from (select coalesce((trimmed_xid, trimmed_seq) > (?::text::xid8, ?::bigint), false)
         or ?::text::xid8 > pg_snapshot_xmax(pg_current_snapshot()) as expired,
       coalesce(epoch, 0) as epoch, trimmed_xid::text as "trimmedXid", trimmed_seq::text as "trimmedSeq"
       from (select) one left join journal on true) j
     left join lateral (
       select xid::text as xid, seq, at, resource_type, resource_id, version, operation, run_id, actor, detail from changes
       where (changes.xid, changes.seq) > (?::text::xid8, ?::bigint) and changes.xid < pg_snapshot_xmin(pg_current_snapshot())
       order by changes.xid, changes.seq limit ?) c on true`,
    [from.xid, from.seq, from.xid, from.xid, from.seq, limit + 1],
  );
  const epoch = rows[0]?.epoch ?? 0;
  const isOther = after?.epoch !== undefined && after.epoch !== epoch;
  if (after !== undefined && (rows[0]?.expired === true || isOther)) throw cursorExpired();
  const found = rows.filter((row) => row.seq !== null).map(changeOf);
  const changes = found.slice(0, limit);
  const last = changes.at(-1);
  // Whoever begins where all was removed begins behind it.
  const begin = after ?? { xid: rows[0]?.trimmedXid ?? from.xid, seq: rows[0]?.trimmedSeq ?? from.seq };
  const next = { ...(last === undefined ? begin : { xid: last.xid, seq: last.seq }), epoch };
  return { changes, next, more: found.length > limit };
}

/** The line of a resource's version; undefined when there is none. */
export async function findChange(
  db: Db,
  { resourceId, version }: { readonly resourceId: string; readonly version: string },
): Promise<{ readonly runId: string | null } | undefined> {
  const { rows } = await sql<{ runId: string | null }>(
    db,
    'select run_id as "runId" from changes where resource_id = ?::uuid and version = ?::bigint limit 1',
    [resourceId, version],
  );
  return rows[0];
}

/**
 * A place before every change that is not committed yet: whoever reads the directory after asking for it, and then the
 * journal from it, misses nothing.
 */
export async function journalEnd(db: Db): Promise<JournalPlace> {
  const text = `select pg_snapshot_xmin(pg_current_snapshot())::text as xid, coalesce((select epoch from journal), 0) as epoch`;
  const { rows } = await sql<{ xid: string; epoch: number }>(db, text);
  return { xid: rows[0]?.xid ?? '0', seq: '0', epoch: rows[0]?.epoch ?? 0 };
}

function cursorExpired(): GoneError {
  return new GoneError('The changes after this cursor are not kept any more.', {
    reason: 'cursor-expired',
    remedy: 'Begin again with GET /api/v1/changes/snapshot, then read on from the cursor that it gives.',
  });
}
