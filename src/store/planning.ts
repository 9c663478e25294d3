// The difference between mirror and directory, made into plan items inside the database, in the order in which it is
// applied: users, groups, memberships, then removals. Each function inserts its items after `offset` and answers how
// many there are. `core/plan.ts` states the same rule over two maps; a property test holds the two together.
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from './database.ts';
import { IS_LINK } from './matching.ts';

export interface Planning {
  readonly planId: string;
  readonly provider: ProviderKindName;
}

/**
 * Fresh statistics of what a plan compares. Without them a table that was just filled is taken for empty, and the
 * comparison becomes quadratic: 2,000 users took 2 s instead of 10 ms.
 */
export async function refreshStatistics(db: Db): Promise<void> {
  await sql(db, 'analyze mirror_records, mirror_members, resources, group_members');
}

/** True while one of them was never looked at: nothing but a full table scan tells then how large it is. */
export async function lacksStatistics(db: Db): Promise<boolean> {
  const { rows } = await sql(
    db,
    `select 1 from pg_class where oid = any(array['mirror_records', 'resources', 'group_members']::regclass[]) and reltuples < 0`,
  );
  return rows.length > 0;
}

/** The same for the items of a plan that is being made. */
export async function refreshItemStatistics(db: Db): Promise<void> {
  await sql(db, 'analyze plan_items');
}

/** Users of the mirror that lose their user name to another one: the holder wins, then the smaller id. */
export async function findDuplicates(db: Db, provider: ProviderKindName): Promise<readonly string[]> {
  const { rows } = await sql(
    db,
    `with doubled as (
       select name_key from mirror_records
       where provider = ? and resource_type = 'User' and gone_at is null and reason is null group by name_key having count(*) > 1),
     ranked as (
       select m.external_id, row_number() over (partition by m.name_key
         order by (r.id is not null and r.unique_key = m.name_key) desc, m.external_id) as place
       from doubled d
       join mirror_records m on m.name_key = d.name_key and m.provider = ? and m.resource_type = 'User'
         and m.gone_at is null and m.reason is null
       left join resources r on r.resource_type = 'User' and r.origin = m.provider and r.external_id = m.external_id
         and r.deleted_at is null)
     select external_id from ranked where place > 1`,
    [provider, provider],
  );
  return rows.map((row: { external_id: string }) => row.external_id);
}

/** Creates and updates of users, or of groups, whose content differs. Restores of deleted ones get their old id back. */
export async function planUpserts(
  db: Db,
  { planId, provider }: Planning,
  type: 'User' | 'Group',
  { offset, duplicates }: { offset: number; duplicates: readonly string[] },
): Promise<number> {
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, resource_type, resource_id, external_id, label, reason, base_version,
       before, after, after_digest)
     select ?, ?::bigint + row_number() over (), case when r.id is null then 'create' else 'update' end, m.resource_type,
       coalesce(r.id, t.id, gen_random_uuid()), m.external_id, coalesce(m.body::jsonb ->> 'userName', m.body::jsonb ->> 'displayName'),
       case when r.id is null and t.id is not null or r.left_at is not null then 'ReturnedToScope'
         when r.id is null then 'NewInSource' else 'AttributesChanged' end,
       r.version, r.body, m.body, m.digest
     from mirror_records m
     left join resources r on r.resource_type = m.resource_type and r.origin = m.provider and r.external_id = m.external_id
       and r.deleted_at is null
     left join lateral (select d.id from resources d where r.id is null and d.deleted_at is not null
       and d.resource_type = m.resource_type and d.origin = m.provider and d.external_id = m.external_id
       order by d.deleted_at desc limit 1) t on true
     where m.provider = ? and m.resource_type = ? and m.gone_at is null and m.reason is null
       and (r.id is null or r.digest is distinct from m.digest) and m.external_id <> all(?::text[])`,
    [planId, offset, provider, type, duplicates],
  );
  return rowCount ?? 0;
}

/** Updates of people whose own record is the same, but whose manager has come, gone, or has another id. */
export async function planReferences(db: Db, { planId, provider }: Planning, offset: number): Promise<number> {
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, resource_type, resource_id, external_id, label, reason, base_version,
       before, after, after_digest)
     select ?, ?::bigint + row_number() over (), 'update', 'User', r.id, m.external_id, m.body::jsonb ->> 'userName', 'ReferenceChanged',
       r.version, r.body, m.body, m.digest
     from mirror_records m
     join resources r on r.resource_type = 'User' and r.origin = m.provider and r.external_id = m.external_id
       and r.deleted_at is null and r.digest = m.digest
     left join resources boss on boss.resource_type = 'User' and boss.origin = m.provider
       and boss.external_id = m.manager_external_id and boss.deleted_at is null
     left join plan_items born on born.plan_id = ? and born.external_id = m.manager_external_id and born.action = 'create'
     left join plan_links chosen on chosen.plan_id = ? and chosen.resource_type = 'User' and chosen.external_id = m.manager_external_id
     where m.provider = ? and m.resource_type = 'User' and m.gone_at is null and m.reason is null
       and (m.manager_external_id is not null or r.manager_id is not null)
       and r.manager_id is distinct from coalesce(chosen.resource_id, born.resource_id, boss.id)
       and not exists (select 1 from plan_links l where l.plan_id = ? and l.resource_id = r.id)`,
    [planId, offset, planId, planId, provider, planId],
  );
  return rowCount ?? 0;
}

/**
 * Deactivations and deletions of what the provider no longer shows, or shows out of scope. Call it only after a
 * complete read.
 */
export async function planRemovals(
  db: Db,
  { planId, provider }: Planning,
  {
    offset,
    onLeaveScope,
    deleteAfterDays,
  }: {
    offset: number;
    onLeaveScope: 'deactivate' | 'delete';
    deleteAfterDays: number | null;
  },
): Promise<number> {
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, resource_type, resource_id, external_id, label, reason, detail,
       base_version, before, after)
     select ?, ?::bigint + row_number() over (order by action = 'delete', resource_type = 'Group'), action, resource_type, id,
       external_id, coalesce(body::jsonb ->> 'userName', body::jsonb ->> 'displayName'), reason, detail, version, body,
       case when action = 'deactivate' then jsonb_set(body::jsonb, '{active}', 'false')::text end
     from (
       select r.id, r.resource_type, r.external_id, r.version, r.body, m.detail,
         case when w.policy = 'delete' or r.resource_type = 'Group' or r.left_at is not null then 'delete'
           else 'deactivate' end as action,
         case when r.left_at is not null and w.policy <> 'delete' then 'RetentionOver'
           else coalesce(m.reason, 'NotInSource') end as reason
       from (select ?::text as policy, ?::int as days) w
       join resources r on r.origin = ? and r.deleted_at is null
       left join mirror_records m on m.provider = r.origin and m.resource_type = r.resource_type
         and m.external_id = r.external_id and m.gone_at is null
       where (m.external_id is null or m.reason is not null)
         and not exists (select 1 from plan_links l where l.plan_id = ? and l.resource_id = r.id)
         and r.id not in (select unnest(d.candidates) from disputes d where d.provider = ? and d.status = 'open')
         and (r.left_at is null or w.policy = 'delete' or r.left_at < now() - make_interval(days => w.days))) leaving`,
    [planId, offset, onLeaveScope, deleteAfterDays, provider, planId, provider],
  );
  return rowCount ?? 0;
}

/**
 * Membership items: one per group whose members differ, its memberships in `plan_members`. Groups whose members are
 * the same as last applied are not looked at, unless one of their members comes or goes in this plan. Answers how
 * many sequence numbers it used; those of groups without a difference stay empty.
 */
export async function planMemberships(
  db: Db,
  { planId, provider }: Planning,
  { offset, complete }: { offset: number; complete: boolean },
): Promise<number> {
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, resource_type, resource_id, external_id, label, reason, after_digest)
     select ?, ?::bigint + row_number() over (order by m.external_id), 'membership', 'Group', coalesce(chosen.resource_id, born.resource_id, r.id),
       m.external_id, m.body::jsonb ->> 'displayName', 'MembersChanged', m.members_digest
     from mirror_records m
     left join resources r on r.resource_type = 'Group' and r.origin = m.provider and r.external_id = m.external_id
       and r.deleted_at is null
     left join plan_items born on born.plan_id = ? and born.external_id = m.external_id and born.action = 'create'
     left join plan_links chosen on chosen.plan_id = ? and chosen.resource_type = 'Group' and chosen.external_id = m.external_id
     where m.provider = ? and m.resource_type = 'Group' and m.gone_at is null and m.reason is null
       and m.members_digest is not null and coalesce(chosen.resource_id, born.resource_id, r.id) is not null
       and (chosen.resource_id is not null or r.members_digest is distinct from m.members_digest or m.external_id in (
         select mm.group_external_id from plan_items i
         join mirror_members mm on mm.provider = ? and mm.member_external_id = i.external_id
         where i.plan_id = ? and (i.action in ('create', 'delete') or i.${IS_LINK})))`,
    [planId, offset, planId, planId, provider, provider, planId],
  );
  await sql(
    db,
    `with changed as (select seq, resource_id as group_id, external_id from plan_items where plan_id = ? and action = 'membership'),
     wanted as materialized (
       select c.seq, c.group_id, mm.member_external_id, mm.member_type,
         coalesce(chosen.resource_id, case when lost.resource_id is null then r.id end) as member_id
       from changed c
       join mirror_members mm on mm.provider = ? and mm.group_external_id = c.external_id
       join mirror_records m on m.provider = mm.provider and m.resource_type = mm.member_type
         and m.external_id = mm.member_external_id and m.gone_at is null and m.reason is null
       left join resources r on r.resource_type = mm.member_type and r.origin = mm.provider
         and r.external_id = mm.member_external_id and r.deleted_at is null
       left join plan_links chosen on chosen.plan_id = ? and chosen.resource_type = mm.member_type
         and chosen.external_id = mm.member_external_id
       left join plan_links lost on lost.plan_id = ? and lost.resource_id = r.id),
     present as materialized (
       select c.seq, g.group_id, g.member_id, g.member_type from changed c join group_members g on g.group_id = c.group_id)
     insert into plan_members (plan_id, seq, member_external_id, member_id, member_type, removed)
     select ?::uuid, w.seq, w.member_external_id, w.member_id, w.member_type, false
     from wanted w left join present p on p.group_id = w.group_id and p.member_id = w.member_id
     where p.group_id is null
     union all
     select ?::uuid, p.seq, coalesce(r.external_id, p.member_id::text), p.member_id, p.member_type, true
     from present p
     left join wanted w on w.group_id = p.group_id and w.member_id = p.member_id
     left join resources r on r.id = p.member_id
     where ? and w.group_id is null`,
    [planId, provider, planId, planId, planId, planId, complete],
  );
  await sql(
    db,
    `update plan_items i set added = c.added, removed = c.removed
     from (select seq, count(*) filter (where not removed) as added, count(*) filter (where removed) as removed
           from plan_members where plan_id = ? group by seq) c
     where i.plan_id = ? and i.seq = c.seq`,
    [planId, planId],
  );
  await sql(db, `delete from plan_items where plan_id = ? and action = 'membership' and added = 0 and removed = 0`, [
    planId,
  ]);
  return rowCount ?? 0;
}

/** Everything that the mirror holds and that stays out, with its reason. Answers how many items there are. */
export async function planSkips(
  db: Db,
  { planId, provider }: Planning,
  { offset, duplicates }: { offset: number; duplicates: readonly string[] },
): Promise<number> {
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, resource_type, external_id, label, reason, detail, outcome, outcome_at)
     select ?, ?::bigint + row_number() over (), 'skip', resource_type, external_id, label, reason, detail, 'skipped', now()
     from (
       select resource_type, external_id,
         coalesce(label, external_id) as label, reason, detail
       from mirror_records where provider = ? and gone_at is null and reason is not null
       union all
       select resource_type, external_id, body::jsonb ->> 'userName', 'DuplicateSourceEntries', null
       from mirror_records where provider = ? and resource_type = 'User' and external_id = any(?::text[])
       union all
       (select distinct on (external_id) object_type, external_id, coalesce(display_name, external_id), reason, null
       from mirror_skipped where provider = ? order by external_id)) skipped`,
    [planId, offset, provider, provider, duplicates, provider],
  );
  return rowCount ?? 0;
}

/** A planned user whose user name is held by somebody else now. */
export interface NameClash {
  readonly seq: string;
  readonly holder_id: string;
  readonly holder_origin: string;
  readonly holder_external_id: string | null;
  readonly holder_version: string;
  readonly holder_body: string;
  readonly holder_left: boolean;
  readonly holder_seq: string | null;
  readonly holder_action: string | null;
}

export async function findNameClashes(db: Db, { planId, provider }: Planning): Promise<readonly NameClash[]> {
  const { rows } = await sql(
    db,
    `select i.seq, r.id as holder_id, r.origin as holder_origin, r.external_id as holder_external_id,
       r.version as holder_version, r.body as holder_body, r.left_at is not null as holder_left, h.seq as holder_seq,
       h.action as holder_action
     from plan_items i
     join mirror_records m on m.provider = ? and m.resource_type = 'User' and m.external_id = i.external_id
     join resources r on r.unique_key = m.name_key and r.id <> i.resource_id
     left join plan_items h on h.plan_id = i.plan_id and h.resource_id = r.id and h.action in ('update', 'deactivate', 'delete')
     where i.plan_id = ? and i.resource_type = 'User' and i.action in ('create', 'update') order by i.seq`,
    [provider, planId],
  );
  return rows;
}

export async function skipItem(db: Db, planId: string, seq: string, reason: string): Promise<void> {
  await sql(
    db,
    `update plan_items set action = 'skip', reason = ?, outcome = 'skipped', outcome_at = now() where plan_id = ? and seq = ?`,
    [reason, planId, seq],
  );
}

export async function changeAfter(db: Db, planId: string, seq: string, after: string): Promise<void> {
  await sql(db, 'update plan_items set after = ? where plan_id = ? and seq = ?', [after, planId, seq]);
}

/** An account that left gives up its user name to somebody new. */
export async function planNameRelease(
  db: Db,
  { planId }: Planning,
  { offset, clash, after, label }: { offset: number; clash: NameClash; after: string; label: string },
): Promise<void> {
  await sql(
    db,
    `insert into plan_items (plan_id, seq, action, resource_type, resource_id, external_id, label, reason, base_version, before, after)
     values (?, ?, 'update', 'User', ?, ?, ?, 'NameReleased', ?, ?, ?)`,
    [
      planId,
      offset + 1,
      clash.holder_id,
      clash.holder_external_id,
      label,
      clash.holder_version,
      clash.holder_body,
      after,
    ],
  );
}

/** What the plan would do, by action (links are none), and the memberships it adds and takes away. */
export async function countItems(
  db: Db,
  planId: string,
): Promise<
  Readonly<Record<'create' | 'update' | 'deactivate' | 'delete' | 'membership' | 'skip', number>> & {
    readonly membershipsAdded: number;
    readonly membershipsRemoved: number;
  }
> {
  const { rows } = await sql(
    db,
    `select action, count(*)::int as count, coalesce(sum(added), 0)::int as added, coalesce(sum(removed), 0)::int as removed
     from plan_items where plan_id = ? and not (action = 'update' and ${IS_LINK}) group by action`,
    [planId],
  );
  const counts = { create: 0, update: 0, deactivate: 0, delete: 0, membership: 0, skip: 0 };
  let membershipsAdded = 0;
  let membershipsRemoved = 0;
  for (const row of rows as { action: keyof typeof counts; count: number; added: number; removed: number }[]) {
    counts[row.action] = row.count;
    membershipsAdded += row.added;
    membershipsRemoved += row.removed;
  }
  return { ...counts, membershipsAdded, membershipsRemoved };
}

/** How the directory stands before the plan. */
export async function readBase(db: Db, provider: ProviderKindName): Promise<{ managed: number; memberships: number }> {
  const { rows } = await sql(
    db,
    `select count(*)::int as managed, coalesce(sum(member_count), 0)::int as memberships
     from resources where origin = ? and deleted_at is null`,
    [provider],
  );
  return rows[0];
}
