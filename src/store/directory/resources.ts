// The directory: users and groups that we serve. A deleted row stays as a tombstone, so that its id is never given
// to anybody else and comes back with the person.
import type { Origin, ResourceType } from '#core/resource.ts';
import { byteaArray, jsonbArray, textArray } from '../arrays.ts';
import { type Db, sql } from '../database.ts';
import { TooEarlyError } from '../database-errors.ts';

/**
 * By this much at least `updated_at` grows with every version: SCIM shows milliseconds of it, and a reader who asks for
 * what is later than the latest it has must not miss a second change within the same one.
 */
export const LATER = `greatest(clock_timestamp(), updated_at + interval '1 millisecond')`;
const LATER_R = LATER.replace('updated_at', 'r.updated_at');

/**
 * Whether a later transaction than this one has written the row `r`: possible where this one had its number before it
 * waited for the lock. What it writes then would come before that in the journal.
 */
export const IS_LATER = 'age(r.xmin) < 0';

/** A row as it is written. */
export interface ResourceWrite {
  readonly id: string;
  readonly resource_type: ResourceType;
  readonly origin: Origin;
  readonly external_id: string | null;
  readonly name_key: string;
  readonly display: string;
  readonly unique_key: string | null;
  readonly active: boolean;
  readonly body: string;
  /** JSON text, as `searchForm` makes it. */
  readonly search: string;
  readonly digest: Buffer | null;
  readonly manager_external_id: string | null;
  readonly manager_id: string | null;
  /** True for somebody whom a sync deactivates, or has deactivated, because the provider no longer shows them. */
  readonly left: boolean;
  /** Since when; without it what the row says, else now. */
  readonly left_since?: string | null;
}

export interface LockedResource {
  readonly id: string;
  readonly resource_type: ResourceType;
  readonly origin: Origin;
  readonly version: string;
  readonly unique_key: string | null;
  readonly body: string;
  readonly deleted: boolean;
}

/** Locks rows in the order of their ids, so that two writers never wait for each other in a circle. */
export async function lockResources(db: Db, ids: readonly string[]): Promise<Map<string, LockedResource>> {
  const { rows } = await sql(
    db,
    `select id, resource_type, origin, version, unique_key, body, deleted_at is not null as deleted
     from resources where id = any(?::uuid[]) order by id for update`,
    [ids],
  );
  return new Map(rows.map((row: LockedResource) => [row.id, row]));
}

/** Who has these user names now. */
export async function readHolders(db: Db, keys: readonly string[]): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map();
  const { rows } = await sql(db, 'select unique_key, id from resources where unique_key = any(?::text[])', [keys]);
  return new Map(rows.map((row: { unique_key: string; id: string }) => [row.unique_key, row.id]));
}

/** Inserts or replaces by id, tombstones included. Answers the version that each row has now. */
export async function writeResources(db: Db, resources: readonly ResourceWrite[]): Promise<Map<string, string>> {
  if (resources.length === 0) return new Map();
  const texts = (column: keyof TextColumns): Buffer => textArray(resources.map((row) => row[column]));
  const { rows } = await sql(
    db,
    `insert into resources as r (id, resource_type, origin, external_id, name_key, display, unique_key, active, body, search, digest,
       manager_external_id, manager_id, left_at)
     select id::uuid, resource_type, origin, external_id, name_key, display, unique_key, active, body, search, digest,
       manager_external_id, manager_id::uuid, case when "left" then coalesce(left_since::timestamptz, now()) end
     from unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::boolean[], ?::text[], ?::jsonb[],
       ?::bytea[], ?::text[], ?::text[], ?::boolean[], ?::text[])
       as n(id, resource_type, origin, external_id, name_key, display, unique_key, active, body, search, digest,
         manager_external_id, manager_id, "left", left_since)
     on conflict (id) do update set origin = excluded.origin, external_id = excluded.external_id,
       name_key = excluded.name_key, display = excluded.display, unique_key = excluded.unique_key, active = excluded.active, body = excluded.body,
       search = excluded.search, digest = excluded.digest, manager_external_id = excluded.manager_external_id,
       manager_id = excluded.manager_id, left_at = case when excluded.left_at is not null
         then coalesce(r.left_at, excluded.left_at) end,
       deleted_at = null, version = r.version + 1, updated_at = ${LATER_R}
     returning id, version`,
    [
      ...[
        texts('id'),
        texts('resource_type'),
        texts('origin'),
        texts('external_id'),
        texts('name_key'),
        texts('display'),
      ],
      ...[texts('unique_key'), resources.map(({ active }) => active), texts('body')],
      ...[jsonbArray(resources.map(({ search }) => search)), byteaArray(resources.map(({ digest }) => digest))],
      ...[texts('manager_external_id'), texts('manager_id'), resources.map(({ left }) => left)],
      ...[textArray(resources.map(({ left_since = null }) => left_since))],
    ],
  );
  return new Map(rows.map((row: { id: string; version: string }) => [row.id, row.version]));
}

type TextColumns = Pick<
  ResourceWrite,
  | 'id'
  | 'resource_type'
  | 'origin'
  | 'external_id'
  | 'name_key'
  | 'display'
  | 'unique_key'
  | 'body'
  | 'manager_external_id'
  | 'manager_id'
>;

/** Any number that no other advisory lock uses. */
const DELETIONS_LOCK = '7340032, 5';

/**
 * Makes deletions by others wait until this transaction ends, which adds members without locking each of them. The first
 * that it locks.
 */
export async function holdDeletions(tx: Db): Promise<void> {
  await sql(tx, `select pg_advisory_xact_lock(${DELETIONS_LOCK})`);
}

/**
 * Begins the deletion of one resource: locks the groups that it is in, which lose it when it goes. To be done before the
 * resource itself is locked: whoever writes to a group locks that first, and then looks at its members.
 * @throws {TooEarlyError} try again
 */
export async function lockGroupsOf(tx: Db, id: string): Promise<void> {
  await sql(tx, `select pg_advisory_xact_lock_shared(${DELETIONS_LOCK})`);
  const { rows } = await sql<{ later: boolean }>(
    tx,
    `select ${IS_LATER} as later from resources r
     where r.id in (select group_id from group_members where member_id = ?::uuid) order by r.id for update`,
    [id],
  );
  if (rows.some(({ later }) => later)) throw new TooEarlyError();
}

export interface Touched {
  readonly id: string;
  readonly version: string;
}

/** A group that lost members because they left. */
export type Bereaved = Touched & { readonly removed: number };

/** An item of a plan and the resource that it removes. */
export interface Leaving {
  readonly seq: string;
  readonly id: string;
}

/**
 * Takes memberships away with those who leave, and keeps each beside its item where there is a plan. Answers the groups that lost members.
 * @param origin only from groups of this origin; from all when undefined
 */
export async function leaveGroups(
  db: Db,
  planId: string | null,
  leaving: readonly Leaving[],
  origin: Origin | undefined,
): Promise<readonly Bereaved[]> {
  if (leaving.length === 0) return [];
  const { rows } = await sql(
    db,
    `with leaving as (select * from unnest(?::bigint[], ?::uuid[]) as l(seq, id)),
     held as materialized (select id from resources
       where id in (select m.group_id from group_members m join leaving l on l.id = m.member_id) order by id for update),
     lost as (delete from group_members m using leaving l
       where m.member_id = l.id and (?::text is null or exists
         (select 1 from resources g where g.id = m.group_id and g.origin = ?))
       returning l.seq, m.group_id, m.member_id, m.member_type),
     kept as (insert into plan_lost_members (plan_id, seq, group_id, member_id, member_type)
       select ?::uuid, seq, group_id, member_id, member_type from lost where ?::uuid is not null on conflict do nothing),
     counted as (select group_id, count(*)::int as removed from lost group by group_id)
     update resources r set member_count = r.member_count - c.removed, members_digest = null, version = r.version + 1,
       updated_at = ${LATER_R}
     from held h join counted c on c.group_id = h.id where r.id = h.id returning r.id, r.version, c.removed`,
    [leaving.map(({ seq }) => seq), leaving.map(({ id }) => id), origin ?? null, origin ?? null, planId, planId],
  );
  return rows;
}

/**
 * Makes tombstones: the id stays taken, the user name is free, memberships go and are kept beside their items.
 * Answers them, and the groups that lost members.
 */
export async function tombstone(
  db: Db,
  planId: string | null,
  leaving: readonly Leaving[],
): Promise<{ gone: readonly Touched[]; groups: readonly Bereaved[] }> {
  if (leaving.length === 0) return { gone: [], groups: [] };
  const ids = leaving.map(({ id }) => id);
  await sql(
    db,
    `with leaving as (select * from unnest(?::bigint[], ?::uuid[]) as l(seq, id)),
     lost as (delete from group_members m using leaving l where m.group_id = l.id
       returning l.seq, m.group_id, m.member_id, m.member_type)
     insert into plan_lost_members (plan_id, seq, group_id, member_id, member_type)
     select ?::uuid, seq, group_id, member_id, member_type from lost where ?::uuid is not null on conflict do nothing`,
    [leaving.map(({ seq }) => seq), ids, planId, planId],
  );
  const { rows: gone } = await sql(
    db,
    `update resources set deleted_at = now(), unique_key = null, digest = null, members_digest = null, member_count = 0,
       version = version + 1, updated_at = ${LATER}
     where id = any(?::uuid[]) and deleted_at is null returning id, version`,
    [ids],
  );
  return { gone, groups: await leaveGroups(db, planId, leaving, undefined) };
}
