// The memberships of a plan: what each group wins and loses by itself. What a leaver loses goes with the leaver's own
// item, so that it waits when that waits.
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { type PlannedMembers, plannedMembers } from '../mirror/membership-scope.ts';
import { IS_LINK } from './matching.ts';
import { skipPinnedMembers } from './pinned.ts';
import { planPlacements } from './plan-routes.ts';
import type { Planning } from './planning.ts';

/**
 * Who belongs into the groups of a list `looked (group_id, external_id)`, by the mirror: members in scope, and those
 * out of scope who are still here and did not leave (their own item decides about them).
 */
const wantedFrom = ({
  table,
}: PlannedMembers): string => `select l.group_id, mm.member_external_id, mm.member_type, r.id as member_id
  from looked l
  join ${table} mm on mm.provider = ? and mm.group_external_id = l.external_id
  left join mirror_records m on m.provider = mm.provider and m.resource_type = mm.member_type
    and m.external_id = mm.member_external_id and m.gone_at is null and m.reason is null
  left join resources r on r.resource_type = mm.member_type and r.origin = mm.provider
    and r.external_id = mm.member_external_id and r.deleted_at is null
  where m.external_id is not null or r.id is not null and r.left_at is null`;

/** Of a client that writes to us we know only whom it wrote: about others in its groups it has said nothing. */
const ONLY_OWN = "and r.origin = 'scim'";

/** Items by which a record gets its resource in this plan: a new one, or one that is linked. */
const COMES = `(action = 'create' or action = 'update' and ${IS_LINK})`;

/**
 * Membership items: one per group whose members differ, its memberships in `plan_members`. Groups whose members are
 * the same as last applied are not looked at, unless one of their members comes, or changes places, in this plan. Plan
 * everything else first: somebody who comes or leaves in this plan is known by the item. It uses at most two numbers
 * for each group in scope, and for each that people are placed into; those of groups without a difference stay empty.
 * Whether a group comes is one look at the index for each: the planner knows of a plan's users only, takes groups for none,
 * and would read all items of a first run for every group (100,000 people and 2,000 groups: 20 s).
 */
export async function planMemberships(
  db: Db,
  { planId, provider, touched = false, half = false }: Planning,
  { offset, complete }: { offset: number; complete: boolean },
): Promise<void> {
  const members = await plannedMembers(db, provider);
  // Of groups as they were read, half a read tells who left; not of those that stand for several.
  const proven = complete && !(half && members.table === 'mirror_reshaped');
  const looked = touched
    ? `and (m.external_id in (select external_id from plan_touched where resource_type = 'Group')
         or m.external_id in (select group_external_id from moved))`
    : '';
  const { rowCount } = await sql(
    db,
    `with comes as materialized (
       select resource_type, external_id, resource_id, action from plan_items where plan_id = ? and ${COMES}),
     moved as materialized (
       select distinct mm.group_external_id from (
         select external_id from comes
         union all
         select external_id from plan_items where plan_id = ? and reason = 'ReturnedToScope'
         union all
         select r.external_id from plan_links l join resources r on r.id = l.resource_id where l.plan_id = ? and r.origin = ?) who
       join ${members.table} mm on mm.provider = ? and mm.member_external_id = who.external_id)
     insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, after_digest,
       attributes)
     select ?, ?::bigint + row_number() over (order by m.external_id), 'membership', 'membership', 'Group',
       coalesce(c.resource_id, r.id), m.external_id, m.body::jsonb ->> 'displayName', 'MembersChanged', m.${members.digest},
       array['members']
     from mirror_records m
     left join resources r on r.resource_type = 'Group' and r.origin = m.provider and r.external_id = m.external_id
       and r.deleted_at is null and not exists (select 1 from plan_links lost where lost.plan_id = ? and lost.resource_id = r.id)
     left join lateral (select i.resource_id from plan_items i where i.plan_id = ? and i.external_id = m.external_id
       and i.resource_type = 'Group' and ${COMES} limit 1) c on true
     where m.provider = ? and m.resource_type = 'Group' and m.gone_at is null and m.reason is null
       and m.${members.digest} is not null and coalesce(c.resource_id, r.id) is not null
       and (c.resource_id is not null or r.members_digest is distinct from m.${members.digest}
         or m.external_id in (select group_external_id from moved)) ${looked}`,
    [...[planId, planId, planId, provider, provider], ...[planId, offset, planId, planId, provider]],
  );
  await planMemberRows(db, { planId, provider }, { members, complete: proven });
  const last = offset + (rowCount ?? 0);
  const placed = await planPlacements(db, { planId, provider, touched }, { offset: last, complete: complete && !half });
  await skipPinnedMembers(db, { planId, provider }, last + placed);
  await countMemberRows(db, planId);
}

/** Writes into each membership item how many memberships it has; one without any goes. */
export async function countMemberRows(db: Db, planId: string): Promise<void> {
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
}

/** Every list is joined whole: looked up one by one, those of a first run of 20,000 people took 13 s. */
async function planMemberRows(
  db: Db,
  { planId, provider }: Planning,
  { members, complete }: { members: PlannedMembers; complete: boolean },
): Promise<void> {
  await sql(
    db,
    `with looked as materialized (
       select seq, resource_id as group_id, external_id from plan_items where plan_id = ? and action = 'membership'),
     comes as materialized (
       select resource_type, external_id, case action when 'update' then resource_id end as linked_id
       from plan_items where plan_id = ? and ${COMES}),
     leaving as materialized (
       select resource_id from plan_items where plan_id = ? and action in ('deactivate', 'delete')),
     shown as materialized (${wantedFrom(members)}),
     wanted as materialized (
       select s.group_id, s.member_external_id, s.member_type, c.external_id is not null as comes,
         coalesce(c.linked_id, case when lost.resource_id is null then s.member_id end) as member_id
       from shown s
       left join comes c on c.external_id = s.member_external_id and c.resource_type = s.member_type
       left join plan_links lost on lost.plan_id = ? and lost.resource_id = s.member_id),
     present as materialized (
       select l.seq, g.group_id, g.member_id, g.member_type from looked l join group_members g on g.group_id = l.group_id)
     insert into plan_members (plan_id, seq, member_external_id, member_id, member_type, removed)
     select ?::uuid, l.seq, w.member_external_id, w.member_id, w.member_type, false
     from wanted w
     join looked l on l.group_id = w.group_id
     left join present p on p.group_id = w.group_id and p.member_id = w.member_id
     left join leaving g on g.resource_id = w.member_id
     where p.group_id is null and (w.member_id is not null or w.comes) and g.resource_id is null
     union all
     select ?::uuid, p.seq, coalesce(r.external_id, p.member_id::text), p.member_id, p.member_type, true
     from present p
     left join wanted w on w.group_id = p.group_id and w.member_id = p.member_id
     left join leaving g on g.resource_id = p.member_id
     left join resources r on r.id = p.member_id
     where ? and w.group_id is null and g.resource_id is null ${provider === 'scim' ? ONLY_OWN : ''}`,
    [...[planId, planId, planId, provider, planId], ...[planId, planId, complete]],
  );
}

/** Whether a plan was made from the mirror as it is and nothing of it waits, was dropped, or is pinned. */
export async function isWhollyApplied(db: Db, planId: string): Promise<boolean> {
  const { rows } = await sql(
    db,
    `select 1 from plan_items where plan_id = ? and (outcome not in ('applied', 'skipped') or reason = 'Pinned') limit 1`,
    [planId],
  );
  return rows.length === 0;
}

/**
 * Remembers, by the digest of what the provider shows, each group that has exactly the members it should have: the
 * next plan need not look at it. A group in which something still waits is not remembered.
 * @param whole a plan of this very mirror that was applied whole: every group has them, and nothing needs to be compared,
 *   but for those whose members somebody else has changed since it was made
 */
export async function rememberMemberships(
  db: Db,
  provider: ProviderKindName,
  whole: string | undefined,
): Promise<void> {
  const members = await plannedMembers(db, provider);
  const digest = `m.${members.digest}`;
  const looked = `select r.id as group_id, r.version, m.external_id, ${digest} as members_digest from resources r
    join mirror_records m on m.provider = r.origin and m.resource_type = 'Group' and m.external_id = r.external_id
      and m.gone_at is null and m.reason is null and ${digest} is not null
    where r.origin = ? and r.resource_type = 'Group' and r.deleted_at is null and r.external_id is not null
      and r.members_digest is distinct from ${digest}`;
  if (whole !== undefined) return rememberWhole(db, provider, { planId: whole, looked });
  await sql(
    db,
    `with looked as materialized (${looked}),
     wanted as (${wantedFrom(members)}),
     counted as (
       select w.group_id, count(w.member_id) as wanted, count(gm.member_id) as matched
       from wanted w left join group_members gm on gm.group_id = w.group_id and gm.member_id = w.member_id
       group by w.group_id)
     update resources g set members_digest = l.members_digest
     from looked l left join counted c on c.group_id = l.group_id
     where g.id = l.group_id and g.version = l.version and coalesce(c.wanted = c.matched, true)
       and g.member_count = coalesce(c.matched, 0)`,
    [provider, provider],
  );
}

/**
 * A transaction writes the time at which it began, which may be before it had the group. Who writes while this waits for
 * the row makes another version of it, and takes the digest away.
 */
async function rememberWhole(
  db: Db,
  provider: ProviderKindName,
  { planId, looked }: { readonly planId: string; readonly looked: string },
): Promise<void> {
  await sql(
    db,
    `with looked as materialized (${looked}),
     edited as materialized (
       select l.group_id, l.external_id from looked l where exists (select 1 from changes c where c.resource_id = l.group_id
         and c.operation = 'membership' and c.actor <> 'sync'
         and c.at > (select created_at from plans where id = ?) - interval '1 minute')),
     touched as (
       insert into mirror_touched (provider, resource_type, external_id) select ?, 'Group', external_id from edited
       on conflict (provider, resource_type, external_id) do update set fresh = true, plan_id = null)
     update resources g set members_digest = l.members_digest from looked l
     where g.id = l.group_id and g.version = l.version and l.group_id not in (select group_id from edited)`,
    [provider, planId, provider],
  );
}
