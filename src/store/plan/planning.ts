// The difference between mirror and directory, made into plan items inside the database, in the order in which it is
// applied: users, groups, memberships, then removals. Each function inserts its items after `offset` and answers how
// many there are. `core/plan.ts` states the same rule over two maps; a property test holds the two together.
import type { RunPolicy } from '#core/policy.ts';
import { GATEWAY_SCHEMA, type ProviderKindName, type ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export interface Planning {
  readonly planId: string;
  readonly provider: ProviderKindName;
  /** Compares only what `plan_touched` holds (touched.ts), in time that follows the change and not the directory. */
  readonly touched?: boolean;
  /**
   * The read of changes stopped early. Each record is as the provider said; what follows from the memberships of several
   * groups is not known: somebody who moved from one to another may have been seen to leave only.
   */
  readonly half?: boolean;
}

/** Rows of `alias` that a plan looks at, by their record's id. */
function isTouched({ touched }: Planning, alias: string, type: ResourceType): string {
  return touched === true
    ? `and ${alias}.external_id in (select external_id from plan_touched where resource_type = '${type}')`
    : '';
}

const COMPARED = 'mirror_records, mirror_members, resources, group_members';

/**
 * Thorough statistics of what a plan compares and readers filter, for after a run; not in a transaction. What was written is
 * also marked as visible to all: until then a plan reads the wide tables beside their indexes (100,000 people: 2.5 s, not 0.5 s).
 */
export async function refreshStatistics(db: Db): Promise<void> {
  await sql(db, `vacuum (analyze, skip_locked, truncate false) ${COMPARED}`);
}

/** A fifth of the rows that are looked at otherwise. */
const SAMPLE_TARGET = 20;

/**
 * Statistics from a small sample, for within a run: a table that was just filled is taken for empty without, and the
 * comparison becomes quadratic (2,000 users took 2 s instead of 10 ms). Takes a quarter of the time of thorough ones.
 */
async function sample(db: Db, tables: string): Promise<void> {
  await db.transaction(async (tx) => {
    await sql(tx, `set local default_statistics_target = ${SAMPLE_TARGET}`);
    await sql(tx, `analyze ${tables}`);
    await sql(tx, 'set local default_statistics_target to default');
  });
}

/** Of what a plan compares. */
export async function sampleCompared(db: Db): Promise<void> {
  await sample(db, COMPARED);
}

/** Of what an apply fills; the mirror, which is wide, stays as it was. */
export async function sampleDirectory(db: Db): Promise<void> {
  await sample(db, 'resources, group_members');
}

/** True while one of them was never looked at: nothing but a full table scan tells then how large it is. */
export async function lacksStatistics(db: Db): Promise<boolean> {
  const { rows } = await sql(
    db,
    `select 1 from pg_class where oid = any(array['mirror_records', 'resources', 'group_members']::regclass[]) and reltuples < 0`,
  );
  return rows.length > 0;
}

/** Of the items of a plan that is being made. */
export async function sampleItems(db: Db): Promise<void> {
  await sample(db, 'plan_items');
}

/**
 * Creates and updates of users, or of groups, whose content differs. Restores of deleted ones get their old id back.
 * Nobody new is planned of `duplicates`.
 */
export async function planUpserts(
  db: Db,
  planning: Planning,
  type: ResourceType,
  { offset, duplicates }: { offset: number; duplicates: readonly string[] },
): Promise<number> {
  const { planId, provider } = planning;
  if ((await findDiffering(db, planning, type, duplicates)) === 0) return 0;
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, base_version,
       before, after, after_digest, before_left_at)
     select ?, ?::bigint + row_number() over (), case when r.id is null then 'create' else 'update' end,
       case when r.id is null then 'create' when f.disables then 'remove' else 'update' end, m.resource_type,
       coalesce(r.id, t.id, gen_random_uuid()), m.external_id, coalesce(f.doc ->> 'userName', f.doc ->> 'displayName'),
       case when r.id is null and t.id is not null or r.left_at is not null then 'ReturnedToScope'
         when r.id is null then 'NewInSource' when f.disables then 'SourceDisabled' else 'AttributesChanged' end,
       r.version, r.body, m.body, m.digest, r.left_at
     from plan_differing differing
     join mirror_records m on m.provider = ? and m.resource_type = ? and m.external_id = differing.external_id
     left join resources r on r.resource_type = m.resource_type and r.origin = m.provider and r.external_id = m.external_id
       and r.deleted_at is null
     left join lateral (select d.id from resources d where r.id is null and d.deleted_at is not null
       and d.resource_type = m.resource_type and d.origin = m.provider and d.external_id = m.external_id
       order by d.deleted_at desc limit 1) t on true
     cross join lateral (select doc, coalesce(r.active and doc ->> 'active' = 'false', false) as disables
       from (select m.body::jsonb as doc) parsed) f`,
    [planId, offset, provider, type],
  );
  return rowCount ?? 0;
}

/**
 * Whose content differs, into `plan_differing`, a table of this transaction; answers how many. By itself the planner takes
 * nearly everybody to differ, and reads both wide tables to join them with nobody.
 */
async function findDiffering(
  db: Db,
  planning: Planning,
  type: ResourceType,
  duplicates: readonly string[],
): Promise<number> {
  await sql(db, 'drop table if exists plan_differing');
  const { rowCount } = await sql(
    db,
    `create temporary table plan_differing on commit drop as
     select s.external_id from mirror_records s
     left join resources h on h.resource_type = s.resource_type and h.origin = s.provider and h.external_id = s.external_id
       and h.deleted_at is null
     where s.provider = ? and s.resource_type = ? and s.gone_at is null and s.reason is null
       and (h.external_id is null and s.external_id <> all(?::text[]) or h.digest is distinct from s.digest and h.external_id is not null)
       ${isTouched(planning, 's', type)}`,
    [planning.provider, type, duplicates],
  );
  if (rowCount !== null && rowCount > 0) await sql(db, 'analyze plan_differing');
  return rowCount ?? 0;
}

/** Who was touched, and whose manager was. */
const TOUCHED_REPORTS = `select external_id from plan_touched where resource_type = 'User'
  union select m.external_id from plan_touched t join mirror_records m on m.provider = ? and m.resource_type = 'User'
    and m.manager_external_id = t.external_id and m.gone_at is null where t.resource_type = 'User'`;

/**
 * Updates of people whose own record is the same, but whose manager has come, gone, or has another id. Those whose manager
 * is as it was are set aside first, and the plan is asked about the few others, one by one: of a plan just made the planner knows nothing.
 * It takes equal digests for rare, and would look up the manager of each person by itself; behind `case` it cannot see them.
 * A first run is spared the look. Whose record goes to another account has an item for that.
 */
export async function planReferences(db: Db, planning: Planning, offset: number): Promise<number> {
  const { planId, provider } = planning;
  const { rowCount } = await sql(
    db,
    `with looked as materialized (${planning.touched === true ? TOUCHED_REPORTS : 'select null::text as external_id where false'})
     insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason,
       base_version, before, after, after_digest)
     select ?, ?::bigint + row_number() over (), 'update', 'update', 'User', r.id, m.external_id, m.body::jsonb ->> 'userName', 'ReferenceChanged',
       r.version, r.body, m.body, m.digest
     from (
       select s.external_id, s.manager_external_id, h.id, h.manager_id, boss.id as boss_id from mirror_records s
       join resources h on h.resource_type = 'User' and h.origin = s.provider and h.external_id = s.external_id
         and h.deleted_at is null and ${planning.touched === true ? 'h.digest = s.digest' : 'case when h.digest = s.digest then true else false end'}
       left join resources boss on boss.resource_type = 'User' and boss.origin = s.provider
         and boss.external_id = s.manager_external_id and boss.deleted_at is null
       where s.provider = ? and s.resource_type = 'User' and s.gone_at is null and s.reason is null
         and (h.manager_id is distinct from boss.id or boss.id is null and s.manager_external_id is not null
           or s.manager_external_id in (select external_id from plan_links where plan_id = ? and resource_type = 'User'))
         and exists (select 1 from resources where resource_type = 'User' and origin = ? and deleted_at is null)
         ${planning.touched === true ? 'and s.external_id in (select external_id from looked)' : ''} offset 0) d
     left join lateral (select l.resource_id from plan_links l where l.plan_id = ? and l.resource_type = 'User'
       and l.external_id = d.manager_external_id limit 1) chosen on true
     left join lateral (select i.resource_id from plan_items i where i.plan_id = ? and i.external_id = d.manager_external_id
       and i.resource_type = 'User' and i.action = 'create' limit 1) born on true
     join mirror_records m on m.provider = ? and m.resource_type = 'User' and m.external_id = d.external_id
     join resources r on r.id = d.id
     where d.manager_id is distinct from coalesce(chosen.resource_id, d.boss_id, born.resource_id)
       and not exists (select 1 from plan_links l where l.plan_id = ? and l.resource_id = d.id)
       and not exists (select 1 from plan_links l where l.plan_id = ? and l.resource_type = 'User' and l.external_id = d.external_id)`,
    [
      ...(planning.touched === true ? [provider] : []),
      ...[planId, offset, provider, planId, provider, planId, planId, provider, planId, planId],
    ],
  );
  return rowCount ?? 0;
}

/** The scope misses a mailbox in the record `m`, and the resource `r` was made of one that had it. */
const HAD_MAILBOX = `(m.reason = 'MailboxRemoved' or m.reason = 'MailNotProvisioned' and m.detail = 'mailbox'
  and r.body::jsonb #>> '{${GATEWAY_SCHEMA},mailboxType}' is not null)`;

/**
 * Deactivations and deletions of what the provider no longer shows, or shows out of scope, as the policy for its way
 * of going says. `removed` is how many memberships go with it: all of a deleted resource, and of an account those in
 * the provider's groups. Call it only after a complete read, or for what was touched. After half a read nobody goes whom
 * memberships alone leave out: their record has a body and a reason.
 */
export async function planRemovals(
  db: Db,
  planning: Planning,
  { offset, policy }: { offset: number; policy: RunPolicy },
): Promise<number> {
  const { planId, provider } = planning;
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, detail,
       base_version, before, before_left_at, after, removed, attributes)
     select ?, ?::bigint + row_number() over (order by action = 'delete', resource_type = 'Group'), action, 'remove',
       resource_type, id, external_id, coalesce(body::jsonb ->> 'userName', body::jsonb ->> 'displayName'), reason, detail,
       version, body, left_at, case when action = 'deactivate' then jsonb_set(body::jsonb, '{active}', 'false')::text end,
       (select count(*) from group_members gm where gm.group_id = leaving.id)
         + (select count(*) from group_members gm join resources g on g.id = gm.group_id
            where gm.member_id = leaving.id and (action = 'delete' or g.origin = ?)),
       case when action = 'deactivate' then array['active'] else '{}' end
     from (
       select r.id, r.resource_type, r.external_id, r.version, r.body, r.left_at, case when m.gone_at is null then m.detail end as detail,
         case when p.policy = 'delete' or r.resource_type = 'Group' or r.left_at is not null then 'delete'
           else 'deactivate' end as action,
         case when r.left_at is not null and p.policy <> 'delete' then 'RetentionOver'
           when p.how = 'hardDeleted' then 'SourceHardDeleted' when p.how = 'softDeleted' then 'SourceSoftDeleted'
           when m.gone_at is null and ${HAD_MAILBOX} then 'MailboxRemoved'
           when m.gone_at is null then coalesce(m.reason, 'NotInSource') else 'NotInSource' end as reason
       from (select ?::text as leave, ?::text as soft, ?::text as hard, ?::int as days) w
       cross join (
         select h.id from resources h
         left join mirror_records s on s.provider = h.origin and s.resource_type = h.resource_type
           and s.external_id = h.external_id and s.gone_at is null and s.reason is null
         where h.resource_type in ('User', 'Group') and h.origin = ? and h.external_id is not null and h.deleted_at is null
           and s.external_id is null
           ${planning.touched === true ? 'and (h.resource_type, h.external_id) in (select resource_type, external_id from plan_touched)' : ''}) absent
       join resources r on r.id = absent.id
       left join mirror_records m on m.provider = r.origin and m.resource_type = r.resource_type
         and m.external_id = r.external_id
       cross join lateral (select case how when 'hardDeleted' then w.hard when 'softDeleted' then w.soft else w.leave end as policy, how
         from (select case when m.gone_at is not null then m.left_how end as how) known) p
       where p.policy <> 'keep' ${planning.half === true ? 'and (m.gone_at is not null or m.body is null)' : ''}
         and not exists (select 1 from plan_links l where l.plan_id = ? and l.resource_id = r.id)
         and r.id not in (select unnest(d.candidates) from disputes d where d.provider = ? and d.status = 'open')
         and (r.left_at is null or p.policy = 'delete' or r.left_at < now() - make_interval(days => w.days))) leaving`,
    [
      planId,
      offset,
      provider,
      policy.onLeaveScope,
      policy.onSourceSoftDelete,
      policy.onSourceHardDelete,
      policy.deleteAfterDays,
      provider,
      planId,
      provider,
    ],
  );
  return rowCount ?? 0;
}

/**
 * Says of whom this plan takes away, or an earlier one has taken, that their mailbox was removed: skips and explanations
 * then say the same as the plan that did it. Call it once removals are planned.
 */
export async function noteLostMailboxes(db: Db, { planId, provider }: Planning): Promise<void> {
  await sql(
    db,
    `update mirror_records m set reason = 'MailboxRemoved'
     from (select resource_id as id from plan_items where plan_id = ? and reason = 'MailboxRemoved'
       union select id from resources where left_at is not null and deleted_at is null) left_ones
     join resources r on r.id = left_ones.id and r.origin = ? and r.resource_type = 'User'
     where m.provider = r.origin and m.resource_type = 'User' and m.external_id = r.external_id and m.gone_at is null
       and m.reason <> 'MailboxRemoved' and ${HAD_MAILBOX}`,
    [planId, provider],
  );
}

/** Everything that the mirror holds and that stays out, with its reason. Answers how many items there are. */
export async function planSkips(
  db: Db,
  { planId, provider, touched = false }: Planning,
  { offset, duplicates }: { offset: number; duplicates: readonly string[] },
): Promise<number> {
  const looked = touched
    ? 'and (resource_type, external_id) in (select resource_type, external_id from plan_touched)'
    : '';
  const groups = touched
    ? `and group_external_id in (select external_id from plan_touched where resource_type = 'Group')`
    : '';
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, resource_type, external_id, label, reason, detail, outcome, outcome_at)
     select ?, ?::bigint + row_number() over (), 'skip', resource_type, external_id, label, reason, detail, 'skipped', now()
     from (
       select resource_type, external_id,
         coalesce(label, external_id) as label, reason, detail
       from mirror_records where provider = ? and gone_at is null and reason is not null ${looked}
       union all
       select resource_type, external_id, body::jsonb ->> 'userName', 'DuplicateSourceEntries', null
       from mirror_records where provider = ? and resource_type = 'User' and external_id = any(?::text[])
       union all
       (select distinct on (external_id) object_type, external_id, coalesce(display_name, external_id), reason, null
       from mirror_skipped where provider = ? ${groups} order by external_id)) skipped`,
    [planId, offset, provider, provider, duplicates, provider],
  );
  return rowCount ?? 0;
}

/** How many users and groups of the mirror are live and in scope. */
export async function countInScope(
  db: Db,
  provider: ProviderKindName,
): Promise<{ readonly users: number; readonly groups: number }> {
  const { rows } = await sql(
    db,
    `select count(*) filter (where resource_type = 'User')::int as users,
       count(*) filter (where resource_type = 'Group')::int as groups
     from mirror_records where provider = ? and gone_at is null and reason is null`,
    [provider],
  );
  return rows[0];
}
