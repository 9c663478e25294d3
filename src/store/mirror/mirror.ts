// Our copy of what the provider says, page by page. Writing a page twice changes nothing; only the end of a full read
// (whole-read.ts) says that something is gone.
import type { GoneObject } from '#core/pages.ts';
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import { arrayLiteral, byteaArray, textArray } from '../arrays.ts';
import { type Db, sql } from '../database.ts';

/**
 * One record as the mirror keeps it. `body` and `digest` are null exactly when `reason` says why the record by itself
 * is out of scope; whom only memberships leave out, membership-scope.ts gives a reason beside the body.
 */
export interface MirrorRecord {
  readonly external_id: string;
  readonly record: string;
  readonly record_digest: Buffer;
  readonly body: string | null;
  readonly digest: Buffer | null;
  readonly name_key: string | null;
  readonly manager_external_id: string | null;
  readonly reason: string | null;
  readonly detail: string | null;
  /** What the provider calls it; null when it has no name. */
  readonly label: string | null;
  /** What it may be called: `email:` or `name:` and the folded text. */
  readonly handles: readonly string[];
  /** For which groups it is in scope (`Normalised.memberships`); null when groups do not matter. */
  readonly memberships?: string | null;
  /** For which groups each routing rule is true of it (`Normalised.routes`). */
  readonly routes?: readonly string[] | null;
}

/** The whole membership of one group as it was read. */
export interface GroupMembers {
  readonly group: string;
  /** Null: who the members are is not known. */
  readonly digest: Buffer | null;
  readonly members: readonly { readonly externalId: string; readonly type: ResourceType }[];
  readonly skipped: readonly {
    readonly externalId: string;
    readonly objectType: string;
    readonly displayName?: string;
    readonly reason: string;
  }[];
}

/** Live records of these ids, as they were sent. */
export async function readRecords(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  externalIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ external_id: string; record: string }>(
    db,
    `select m.external_id, m.record from unnest(?::text[]) as u(external_id)
     cross join lateral (select external_id, record from mirror_records
       where provider = ? and resource_type = ? and external_id = u.external_id and gone_at is null limit 1) m`,
    [externalIds, provider, type],
  );
  return new Map(rows.map(({ external_id, record }) => [external_id, record]));
}

/** Of these, live records that were last written by a read that reached its end, or by none. */
export async function readSettled(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  externalIds: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await sql<{ external_id: string }>(
    db,
    `select m.external_id from unnest(?::text[]) as u(external_id)
     cross join lateral (select external_id, read_run from mirror_records
       where provider = ? and resource_type = ? and external_id = u.external_id and gone_at is null limit 1) m
     where not exists (select 1 from runs r where r.id = m.read_run
       and (r.status not in ('succeeded', 'held') or r.error is not null))`,
    [externalIds, provider, type],
  );
  return rows.map(({ external_id }) => external_id);
}

/** External ids, in order, of resources that are in the directory and have not left; empty at the end. */
export async function readServed(
  db: Db,
  provider: ProviderKindName,
  { type, after, limit }: { type: ResourceType; after: string; limit: number },
): Promise<readonly string[]> {
  const { rows } = await sql<{ external_id: string }>(
    db,
    `select external_id from resources where resource_type = ? and origin = ? and external_id > ? and deleted_at is null
       and left_at is null order by external_id limit ?`,
    [type, provider, after, limit],
  );
  return rows.map(({ external_id }) => external_id);
}

/** External ids, in order, of resources that are in the directory while the provider's object can be restored; empty at the end. */
export async function readRestorable(
  db: Db,
  provider: ProviderKindName,
  { type, after, limit }: { type: ResourceType; after: string; limit: number },
): Promise<readonly string[]> {
  const { rows } = await sql<{ external_id: string }>(
    db,
    `select m.external_id from mirror_records m join resources r on r.resource_type = m.resource_type and r.origin = m.provider
       and r.external_id = m.external_id and r.deleted_at is null
     where m.provider = ? and m.resource_type = ? and m.external_id > ? and m.gone_at is not null and m.left_how = 'softDeleted'
     order by m.external_id limit ?`,
    [provider, type, after, limit],
  );
  return rows.map(({ external_id }) => external_id);
}

/** Which page of which run's read, counted from 1. */
export interface ReadPlace {
  readonly run: string;
  readonly page: number;
}

/**
 * Inserts or replaces records by external id; ids must be unique within the batch. Of whoever was gone it is noted that
 * they came back.
 * @param place where they were read; without it, as when settings changed, what is known of that stays
 */
export async function upsertRecords(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  records: readonly MirrorRecord[],
  place?: ReadPlace,
): Promise<void> {
  if (records.length === 0) return;
  const texts = (column: keyof TextColumns): Buffer => textArray(records.map((record) => record[column]));
  const lists = (column: 'handles' | 'routes'): Buffer => {
    const values = records.map((record) => record[column]);
    return textArray(values.map((list) => (list == null ? null : arrayLiteral(list))));
  };
  await sql(
    db,
    `insert into mirror_records (provider, resource_type, external_id, record, record_digest, body, digest, name_key,
       manager_external_id, reason, detail, label, handles, memberships, routes, read_run, read_page)
     select ?, ?, external_id, record, record_digest, body, digest, name_key, manager_external_id, reason, detail, label,
       handles::text[], memberships, routes::text[], ?::uuid, ?::integer
     from unnest(?::text[], ?::text[], ?::bytea[], ?::text[], ?::bytea[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[],
       ?::text[], ?::text[], ?::text[])
       as r(external_id, record, record_digest, body, digest, name_key, manager_external_id, reason, detail, label, handles,
         memberships, routes)
     on conflict (provider, resource_type, external_id) do update set record = excluded.record,
       record_digest = excluded.record_digest, body = excluded.body, digest = excluded.digest,
       name_key = excluded.name_key, manager_external_id = excluded.manager_external_id, reason = excluded.reason,
       detail = excluded.detail, label = excluded.label, handles = excluded.handles,
       memberships = excluded.memberships, routes = excluded.routes, affiliation_path = null, gone_at = null, left_how = null,
       came_back = mirror_records.came_back or mirror_records.gone_at is not null, seen_at = now(),
       read_run = coalesce(excluded.read_run, mirror_records.read_run), read_page = coalesce(excluded.read_page, mirror_records.read_page)`,
    [
      ...[provider, type, place?.run ?? null, place?.page ?? null],
      ...[texts('external_id'), texts('record')],
      ...[byteaArray(records.map(({ record_digest }) => record_digest)), texts('body')],
      ...[byteaArray(records.map(({ digest }) => digest)), texts('name_key'), texts('manager_external_id')],
      ...[texts('reason'), texts('detail'), texts('label'), lists('handles')],
      ...[textArray(records.map(({ memberships }) => memberships ?? null)), lists('routes')],
    ],
  );
}

type TextColumns = Pick<
  MirrorRecord,
  'external_id' | 'record' | 'body' | 'name_key' | 'manager_external_id' | 'reason' | 'detail' | 'label'
>;

/** Which of these groups the mirror already holds with exactly these members. */
export async function readMembersDigests(
  db: Db,
  provider: ProviderKindName,
  groups: readonly string[],
): Promise<Map<string, Buffer>> {
  const { rows } = await sql(
    db,
    `select external_id, members_digest from mirror_records
     where provider = ? and resource_type = 'Group' and external_id = any(?::text[]) and members_digest is not null`,
    [provider, groups],
  );
  return new Map(
    rows.map((row: { external_id: string; members_digest: Buffer }) => [row.external_id, row.members_digest]),
  );
}

/**
 * Replaces the memberships of these groups, whole. Writes only what differs. Of a group whose members are not known
 * those of before stay, and its digest goes, so that no plan compares it.
 * @param touches whether users who come or go are touched
 */
export async function replaceMembers(
  db: Db,
  provider: ProviderKindName,
  groups: readonly GroupMembers[],
  touches: boolean,
): Promise<void> {
  if (groups.length === 0) return;
  const ids = groups.map(({ group }) => group);
  const known = groups.flatMap(({ group, digest }) => (digest === null ? [] : group));
  const group: string[] = [];
  const member: string[] = [];
  const type: string[] = [];
  for (const item of groups)
    for (const { externalId, type: memberType } of item.members) {
      group.push(item.group);
      member.push(externalId);
      type.push(memberType);
    }
  await sql(
    db,
    `with wanted as (select * from unnest(?::text[], ?::text[], ?::text[]) as w(group_id, member_id, member_type)),
       gone as (delete from mirror_members m where m.provider = ? and m.group_external_id = any(?::text[])
         and not exists (select 1 from wanted w where w.group_id = m.group_external_id and w.member_id = m.member_external_id)
       returning m.member_external_id, m.member_type),
     come as (
       insert into mirror_members as m (provider, group_external_id, member_external_id, member_type)
       select ?, group_id, member_id, member_type from wanted
       on conflict (provider, group_external_id, member_external_id) do update set member_type = excluded.member_type
         where m.member_type <> excluded.member_type
       returning m.member_external_id, m.member_type)
     insert into mirror_touched (provider, resource_type, external_id)
     select distinct ?, member_type, member_external_id from (select * from gone union all select * from come) moved
     where ? and member_type = 'User'
     on conflict (provider, resource_type, external_id) do update set fresh = true, plan_id = null`,
    [textArray(group), textArray(member), textArray(type), provider, known, provider, provider, touches],
  );
  await sql(db, 'delete from mirror_skipped where provider = ? and group_external_id = any(?::text[])', [
    provider,
    ids,
  ]);
  const skipped = groups.flatMap((item) => item.skipped.map((object) => ({ ...object, group: item.group })));
  if (skipped.length > 0)
    await sql(
      db,
      `insert into mirror_skipped (provider, group_external_id, external_id, object_type, display_name, reason)
       select ?, "group", "externalId", "objectType", "displayName", reason from jsonb_to_recordset(?::jsonb)
         as s("group" text, "externalId" text, "objectType" text, "displayName" text, reason text)
       on conflict do nothing`,
      [provider, JSON.stringify(skipped)],
    );
  await sql(
    db,
    `update mirror_records m set members_digest = decode(d.digest, 'hex')
     from unnest(?::text[], ?::text[]) as d(external_id, digest)
     where m.provider = ? and m.resource_type = 'Group' and m.external_id = d.external_id`,
    [ids, groups.map(({ digest }) => digest?.toString('hex') ?? null), provider],
  );
}

/**
 * Keeps a place for objects that can be restored and that nobody here has known: when they come back they are known to
 * have been away, and are asked for the links that a restore is silent about.
 */
export async function keepPlaces(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  objects: readonly GoneObject[],
): Promise<void> {
  const ids = objects.filter(({ how }) => how === 'softDeleted').map(({ externalId }) => externalId);
  await sql(
    db,
    `insert into mirror_records (provider, resource_type, external_id, record, record_digest, gone_at, left_how)
     select distinct ?, ?, id, jsonb_build_object('id', id)::text, ''::bytea, now(), 'softDeleted' from unnest(?::text[]) as t(id)
     on conflict do nothing`,
    [provider, type, ids],
  );
}

/** Writes down how objects left. It counts only for those that are gone when the read has ended. */
export async function noteGone(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  objects: readonly GoneObject[],
): Promise<void> {
  if (objects.length === 0) return;
  await keepPlaces(db, provider, type, objects);
  await sql(
    db,
    `update mirror_records m set left_how = g.how from unnest(?::text[], ?::text[]) as g(external_id, how)
     where m.provider = ? and m.resource_type = ? and m.external_id = g.external_id and m.left_how is distinct from g.how`,
    [objects.map(({ externalId }) => externalId), objects.map(({ how }) => how), provider, type],
  );
}

/**
 * Graph's lists and its recycle bin lag behind what happened, and not by the same time: the bin may show somebody later than
 * the list of users stops to, and that list may go on showing somebody of whom it was told that they are gone.
 */
export const LIST_LAG = '1 hour';

const PURGED = `m.provider = ? and m.resource_type = ? and m.gone_at < now() - interval '${LIST_LAG}'
  and m.left_how is distinct from 'hardDeleted'
  and not exists (select 1 from unnest(?::text[]) as b(id) where b.id = m.external_id)`;

/** Of whom `notePurged` would say that they cannot be restored, in the order of their ids. */
export async function findPurged(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  restorable: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await sql<{ external_id: string }>(
    db,
    `select m.external_id from mirror_records m where ${PURGED} order by m.external_id`,
    [provider, type, restorable],
  );
  return rows.map(({ external_id }) => external_id);
}

/**
 * Whoever has been gone for longer than a recycle bin may lag behind, and is not in it, can no longer be restored. Call
 * it after the end of the read.
 * @param restorable ids of everything that can be restored
 */
export async function notePurged(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  restorable: readonly string[],
): Promise<void> {
  await sql(db, `update mirror_records m set left_how = 'hardDeleted' where ${PURGED}`, [provider, type, restorable]);
}

export interface KeptRecord {
  readonly external_id: string;
  readonly record: string;
  readonly record_digest: Buffer;
}

/** Records that are not gone, in the order of their ids: those after one, or `only` these, which are then locked. */
export async function pageOfRecords(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  asked: { readonly after: string; readonly limit: number } | { readonly only: readonly string[] },
): Promise<readonly KeptRecord[]> {
  const columns = 'select external_id, record, record_digest from mirror_records';
  const which = 'where provider = ? and resource_type = ? and gone_at is null';
  const { rows } =
    'only' in asked
      ? await sql<KeptRecord>(
          db,
          `${columns} ${which} and external_id = any(?::text[]) order by external_id for update`,
          [provider, type, asked.only],
        )
      : await sql<KeptRecord>(db, `${columns} ${which} and external_id > ? order by external_id limit ?`, [
          provider,
          type,
          asked.after,
          asked.limit,
        ]);
  return rows;
}
