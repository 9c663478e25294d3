// What a provider that writes to us has here: its resources beside its records, whom a new record may mean, and the
// memberships on both sides. A run compares the same tables (planning.ts).
import type { MatchAttribute } from '#core/match.ts';
import {
  ENTERPRISE_SCHEMA,
  type Origin,
  PROVIDER_KINDS,
  type ProviderKindName,
  type ResourceType,
} from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { type Db, sql } from '../database.ts';
import { TooEarlyError } from '../database-errors.ts';
import { IS_LATER } from '../directory/resources.ts';
import type { ProviderRow } from './settings.ts';

const PROVIDER: ProviderKindName = 'scim';
const OTHERS = PROVIDER_KINDS.filter((kind) => kind !== PROVIDER);

/** A live resource and, of our own, the record behind it. Locked for the rest of the transaction. */
export interface Pushed {
  readonly id: string;
  readonly type: ResourceType;
  readonly origin: Origin;
  readonly externalId: string | null;
  readonly version: string;
  readonly body: string;
  readonly active: boolean;
  readonly left: boolean;
  /** False while what was last written waits, or a run has not caught up. */
  readonly settled: boolean;
  /** The record as text; null when there is none. */
  readonly record: string | null;
  readonly gone: boolean;
  /** The classes of change that a revert has pinned: what they changed stays as it was. */
  readonly pinned: readonly PinnedClass[];
}

export type PinnedClass = 'create' | 'update' | 'remove' | 'membership' | 'link';

const COLUMNS = `r.id, r.resource_type as type, r.origin, r.external_id as "externalId", r.version, r.body, r.active,
  r.left_at is not null as left, r.digest is not distinct from m.digest as settled, m.record, m.gone_at is not null as gone,
  array(select distinct n.class from pins n where n.provider = '${PROVIDER}' and n.resource_id = r.id) as pinned`;
const FROM = `resources r left join mirror_records m on m.provider = '${PROVIDER}' and r.origin = '${PROVIDER}'
  and m.resource_type = r.resource_type and m.external_id = r.external_id`;

/**
 * In the order of their ids, so that two writers never wait for each other in a circle. They are read once they are locked:
 * the statement that waited for another writer would see what is joined to a row as it was before that one.
 * @throws {TooEarlyError} try again
 */
export async function lockPushed(tx: Db, ids: readonly string[]): Promise<readonly Pushed[]> {
  const live = 'r.id = any(?::uuid[]) and r.deleted_at is null order by r.id';
  const locked = await sql<{ later: boolean }>(
    tx,
    `select ${IS_LATER} as later from resources r where ${live} for update`,
    [ids],
  );
  if (locked.rows.some(({ later }) => later)) throw new TooEarlyError();
  if (locked.rows.length === 0) return [];
  const { rows } = await sql<Pushed>(tx, `select ${COLUMNS} from ${FROM} where ${live}`, [ids]);
  return rows;
}

/**
 * The settings of this kind and of the active one: who is active stays so until the transaction ends, since whoever
 * changes that locks the rows (`lockProviders`). A run that notes its success need not wait.
 */
export async function holdProviders(tx: Db): Promise<readonly ProviderRow[]> {
  const { rows } = await sql<ProviderRow>(
    tx,
    `select kind, settings, secrets, config_version, active, initial_done_at, last_success_at from provider_settings
     where kind = ? or active order by kind for key share`,
    [PROVIDER],
  );
  return rows;
}

/** By what a new record is known. */
export interface Wanted {
  readonly type: ResourceType;
  readonly externalId: string | null;
  readonly nameKey: string;
  /** As they are searched for: folded. */
  readonly emails: readonly string[];
  readonly employeeNumber: string | null;
}

/** The resource that this record was linked to: live, deleted, or gone on with another provider since. */
export async function findLinked(
  tx: Db,
  { type, externalId }: Wanted,
): Promise<{ id: string; deleted: boolean } | undefined> {
  if (externalId === null) return undefined;
  const { rows } = await sql<{ id: string; deleted: boolean }>(
    tx,
    `(select id, false as deleted from resources where resource_type = ? and origin = ? and external_id = ? and deleted_at is null)
     union all
     (select r.id, false from former_links f join resources r on r.id = f.resource_id and r.deleted_at is null and r.origin = any(?::text[])
       where f.provider = ? and f.resource_type = ? and f.external_id = ?)
     union all
     (select id, true from resources where resource_type = ? and origin = ? and external_id = ? and deleted_at is not null
       order by deleted_at desc limit 1)
     limit 1`,
    [...[type, PROVIDER, externalId], ...[OTHERS, PROVIDER, type, externalId], ...[type, PROVIDER, externalId]],
  );
  return rows[0];
}

/**
 * Live resources that the record may mean by one attribute: of other providers, and those made by hand. At most three.
 */
export async function findTwins(
  tx: Db,
  wanted: Wanted,
  attribute: MatchAttribute,
): Promise<readonly { readonly id: string; readonly origin: Origin }[]> {
  const { type, externalId, nameKey, emails, employeeNumber } = wanted;
  const common = `r.resource_type = '${type}' and r.deleted_at is null and r.origin = any(?::text[])`;
  const origins = ['manual', ...OTHERS];
  if (attribute === 'externalId' && externalId !== null) {
    const text = `select id, origin from resources r where ${common} and r.external_id = ? limit 3`;
    return (await sql<{ id: string; origin: Origin }>(tx, text, [origins, externalId])).rows;
  }
  if (attribute === 'userName') {
    const text = `select id, origin from resources r where ${common} and r.name_key = ? limit 3`;
    return (await sql<{ id: string; origin: Origin }>(tx, text, [origins, nameKey])).rows;
  }
  if (type === 'Group') return [];
  if (attribute === 'employeeNumber' && employeeNumber !== null) {
    const said = JSON.stringify({ [ENTERPRISE_SCHEMA]: { employeeNumber: foldCase(employeeNumber) } });
    const text = `select id, origin from resources r where ${common} and r.search @> ?::jsonb
      and r.body::jsonb -> '${ENTERPRISE_SCHEMA}' ->> 'employeeNumber' = ? limit 3`;
    return (await sql<{ id: string; origin: Origin }>(tx, text, [origins, said, employeeNumber])).rows;
  }
  if (attribute !== 'emails' || emails.length === 0) return [];
  const { rows } = await sql<{ id: string; origin: Origin }>(
    tx,
    `select distinct r.id, r.origin from unnest(?::jsonb[]) as e(value)
     cross join lateral (select r.id, r.origin from resources r where ${common} and r.search @> e.value limit 3) r limit 3`,
    [emails.map((value) => JSON.stringify({ emails: [{ value }] })), origins],
  );
  return rows;
}

/**
 * Of these resources, the anchors of those that the provider owns; by id. They stay until the transaction ends: who names
 * somebody by an anchor that is just given up names nobody.
 */
export async function findAnchors(tx: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ id: string; anchor: string }>(
    tx,
    `select id, external_id as anchor from resources where id = any(?::uuid[]) and origin = ? and external_id is not null
       and deleted_at is null order by id for key share`,
    [ids, PROVIDER],
  );
  return new Map(rows.map(({ id, anchor }) => [id, anchor]));
}

/** Of these resources, those that another provider brought. */
export async function findForeign(tx: Db, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<{ id: string }>(
    tx,
    'select id from resources where id = any(?::uuid[]) and origin = any(?::text[]) and deleted_at is null order by id',
    [ids, OTHERS],
  );
  return rows.map(({ id }) => id);
}

/**
 * The client has given a resource another externalId: its record and memberships go by the new one. What somebody else had
 * under it, who is not in the directory any more, is gone with that: it is none of theirs.
 */
export async function moveAnchor(tx: Db, type: ResourceType, from: string, to: string): Promise<void> {
  const isOf = `provider = ? and (member_external_id = ? and member_type = ? or group_external_id = ? and ? = 'Group')`;
  await sql(tx, `delete from mirror_members where ${isOf}`, [PROVIDER, to, type, to, type]);
  await sql(tx, 'delete from mirror_records where provider = ? and resource_type = ? and external_id = ?', [
    PROVIDER,
    type,
    to,
  ]);
  await sql(
    tx,
    'update mirror_records set external_id = ? where provider = ? and resource_type = ? and external_id = ?',
    [to, PROVIDER, type, from],
  );
  if (type === 'Group')
    await sql(tx, 'update mirror_members set group_external_id = ? where provider = ? and group_external_id = ?', [
      to,
      PROVIDER,
      from,
    ]);
  await sql(
    tx,
    'update mirror_members set member_external_id = ? where provider = ? and member_external_id = ? and member_type = ?',
    [to, PROVIDER, from, type],
  );
}

/** The records that name this person as their manager. Nobody writes to whom they are of until the transaction ends. */
export async function findReports(tx: Db, anchor: string): Promise<readonly { anchor: string; record: string }[]> {
  await sql(
    tx,
    `select r.id from mirror_records m join resources r on r.origin = m.provider and r.resource_type = m.resource_type
       and r.external_id = m.external_id and r.deleted_at is null
     where m.provider = ? and m.resource_type = 'User' and m.manager_external_id = ? order by r.id for update of r`,
    [PROVIDER, anchor],
  );
  const { rows } = await sql<{ anchor: string; record: string }>(
    tx,
    `select external_id as anchor, record from mirror_records where provider = ? and resource_type = 'User' and manager_external_id = ?
       and gone_at is null`,
    [PROVIDER, anchor],
  );
  return rows;
}

/** What is served of these people is what their records, which were spelt anew, say. */
export async function acceptSpelling(tx: Db, anchors: readonly string[]): Promise<void> {
  await sql(
    tx,
    `update resources r set digest = m.digest, manager_external_id = m.manager_external_id from mirror_records m
     where m.provider = ? and m.resource_type = 'User' and m.external_id = any(?::text[]) and r.resource_type = 'User'
       and r.origin = m.provider and r.external_id = m.external_id and r.deleted_at is null and r.digest is not null`,
    [PROVIDER, anchors],
  );
}

/** The client has deleted it: its record is gone, and so are its memberships. */
export async function forgetRecord(tx: Db, type: ResourceType, anchor: string): Promise<void> {
  await sql(
    tx,
    `update mirror_records set gone_at = coalesce(gone_at, now()), left_how = 'hardDeleted', members_digest = null, seen_at = now()
     where provider = ? and resource_type = ? and external_id = ?`,
    [PROVIDER, type, anchor],
  );
  await sql(
    tx,
    `delete from mirror_members where provider = ? and (member_external_id = ? and member_type = ? or group_external_id = ? and ? = 'Group')`,
    [PROVIDER, anchor, type, anchor, type],
  );
}

/** The members of a group as its client wrote them, changed: those that the provider owns. */
export async function changeShown(
  tx: Db,
  group: string,
  change: { readonly kind: 'add' | 'remove' | 'replace'; readonly ids: readonly string[] },
): Promise<void> {
  const named = `select external_id from resources where id = any(?::uuid[]) and origin = '${PROVIDER}' and external_id is not null`;
  if (change.kind !== 'add')
    await sql(
      tx,
      `delete from mirror_members where provider = ? and group_external_id = ?
         and ${change.kind === 'replace' ? 'not' : ''} member_external_id in (${named})`,
      [PROVIDER, group, change.ids],
    );
  if (change.kind === 'remove' || change.ids.length === 0) return;
  await sql(
    tx,
    `insert into mirror_members (provider, group_external_id, member_external_id, member_type)
     select ?, ?, external_id, resource_type from resources where id = any(?::uuid[]) and origin = ? and external_id is not null
       and deleted_at is null on conflict do nothing`,
    [PROVIDER, group, change.ids, PROVIDER],
  );
}

/** As the members of a group become what its client wrote without the client naming each: when it took it over. */
export async function showPresent(tx: Db, ids: readonly string[]): Promise<void> {
  await sql(
    tx,
    `insert into mirror_members (provider, group_external_id, member_external_id, member_type)
     select ?, g.external_id, m.external_id, m.resource_type from resources g
     join group_members gm on gm.group_id = g.id
     join resources m on m.id = gm.member_id and m.origin = g.origin and m.external_id is not null and m.deleted_at is null
     where (g.id = any(?::uuid[]) or m.id = any(?::uuid[])) and g.origin = ? and g.external_id is not null on conflict do nothing`,
    [PROVIDER, ids, ids, PROVIDER],
  );
}

/**
 * Says of groups that directory and record have the same members: of `every` one, or only of those of which it was so
 * `before`; or of `none`, so that a plan looks at them.
 */
export async function stampMembers(tx: Db, ids: readonly string[], which: 'every' | 'before' | 'none'): Promise<void> {
  if (ids.length === 0) return;
  await sql(
    tx,
    `with g as (
       select r.id, r.external_id, sha256(convert_to(r.id::text || clock_timestamp()::text, 'UTF8')) as stamp,
         ?::text = 'every' or ?::text = 'before' and r.members_digest is not distinct from m.members_digest as same
       from resources r join mirror_records m on m.provider = ? and m.resource_type = 'Group' and m.external_id = r.external_id
       where r.id = any(?::uuid[]) and r.origin = ?),
     shown as (update mirror_records m set members_digest = g.stamp from g
       where m.provider = ? and m.resource_type = 'Group' and m.external_id = g.external_id)
     update resources r set members_digest = case when g.same then g.stamp end from g where r.id = g.id`,
    [which, which, PROVIDER, ids, PROVIDER, PROVIDER],
  );
}

/** Groups that a person who comes back belongs to, by the records: joined again. Answers each with its new version. */
export async function rejoinGroups(tx: Db, id: string): Promise<readonly { id: string; version: string }[]> {
  const { rows } = await sql<{ id: string; version: string }>(
    tx,
    `with won as (
       insert into group_members (group_id, member_id, member_type)
       select g.id, u.id, u.resource_type from resources u
       join mirror_members mm on mm.provider = u.origin and mm.member_external_id = u.external_id and mm.member_type = u.resource_type
       join resources g on g.resource_type = 'Group' and g.origin = u.origin and g.external_id = mm.group_external_id and g.deleted_at is null
       where u.id = ?::uuid and u.origin = ? on conflict do nothing returning group_id)
     update resources r set member_count = r.member_count + 1, version = r.version + 1, updated_at = greatest(clock_timestamp(), r.updated_at + interval '1 millisecond')
     from won where r.id = won.group_id returning r.id, r.version`,
    [id, PROVIDER],
  );
  return rows;
}
