// Routing: who is to be placed into which group made by hand, and the items of a plan that do it. Only memberships that
// a sync has placed are ever taken back.
import { canonical } from '#core/canonical.ts';
import type { MembershipScope } from '#core/membership-scope.ts';
import { nameKey } from '#core/names.ts';
import { GROUP_SCHEMA, type Origin, PROVIDER_KINDS, type ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { among, membersOf, type Whom } from '../mirror/scope-people.ts';
import { IS_LINK } from './matching.ts';
import type { Planning } from './planning.ts';

/**
 * Works out from the mirror who belongs where, once the conditions of the filters are known. People whose places changed
 * are touched. Answers how many places changed.
 */
export async function routePeople(
  db: Db,
  provider: ProviderKindName,
  scope: MembershipScope | undefined,
  whom: Whom,
): Promise<number> {
  const { groups = [], match = 'first', default: fallback = null } = scope?.routing ?? {};
  const { rows } = await sql(
    db,
    `with answers as materialized (
       select mm.member_external_id, bit_or(1 << c.place) as sum from ${membersOf(whom)}
       join mirror_conditions c on c.provider = mm.provider and c.external_id = mm.group_external_id
       where mm.provider = ? and mm.member_type = 'User' group by mm.member_external_id),
     people as materialized (
       select u.external_id, u.routes, coalesce(a.sum, 0) as sum from mirror_records u
       left join answers a on a.member_external_id = u.external_id
       where u.provider = ? and u.resource_type = 'User' and u.gone_at is null and u.reason is null and ?
         ${among(whom, 'u.external_id')}),
     matched as materialized (
       select p.external_id, t.place, row_number() over (partition by p.external_id order by t.place) as rank
       from people p cross join lateral unnest(p.routes) with ordinality as t(route, place)
       where case length(t.route) when 1 then t.route else substr(t.route, 1 + p.sum, 1) end = '1'),
     wanted as materialized (
       select m.external_id, n.name_key, min(n.name) as name from matched m
       join (select * from unnest(?::text[], ?::text[]) with ordinality as n(name, name_key, place)) n on n.place = m.place
       where m.rank = 1 or ? group by m.external_id, n.name_key
       union all
       select p.external_id, ?, ? from people p where ?::text is not null
         and not exists (select 1 from matched m where m.external_id = p.external_id)),
     lost as (
       delete from mirror_routes r where r.provider = ? ${among(whom, 'r.external_id')} and not exists
         (select 1 from wanted w where w.external_id = r.external_id and w.name_key = r.name_key) returning r.external_id),
     won as (
       insert into mirror_routes (provider, name_key, name, external_id) select ?, name_key, name, external_id from wanted
       on conflict do nothing returning external_id),
     changed as (select external_id from lost union all select external_id from won),
     touched as (
       insert into mirror_touched (provider, resource_type, external_id) select distinct ?, 'User', external_id from changed
       on conflict (provider, resource_type, external_id) do update set fresh = true, plan_id = null)
     select count(*)::int as count from changed`,
    [
      ...[provider, provider, scope?.routing != null, groups, groups.map(nameKey), match === 'all'],
      ...[fallback === null ? null : nameKey(fallback), fallback, fallback, provider, provider, provider],
    ],
  );
  return rows[0].count;
}

/** The groups made by hand that have a name which a rule names; of several of one name the oldest. */
const HERE = `select distinct on (r.name_key) r.name_key, r.id as group_id, r.display as name from resources r
  where r.resource_type = 'Group' and r.origin = 'manual' and r.deleted_at is null order by r.name_key, r.pos`;

/**
 * Creates of groups that rules name and that there are none of, made by hand as all such groups. Answers how many. There
 * are few names and many people: each name is found by one look into the index.
 */
export async function planDestinations(db: Db, { planId, provider }: Planning, offset: number): Promise<number> {
  const { rows } = await sql<{ name: string; name_key: string }>(
    db,
    `with recursive keys(name_key) as (
       select (select min(name_key) from mirror_routes where provider = ?)
       union all
       select (select min(x.name_key) from mirror_routes x where x.provider = ? and x.name_key > k.name_key) from keys k
       where k.name_key is not null)
     select w.name_key, (select min(x.name) from mirror_routes x where x.provider = ? and x.name_key = w.name_key) as name
     from keys w left join (${HERE}) h on h.name_key = w.name_key
     where w.name_key is not null and h.group_id is null order by w.name_key`,
    [provider, provider, provider],
  );
  if (rows.length === 0) return 0;
  const bodies = rows.map(({ name }) => canonical({ schemas: [GROUP_SCHEMA], displayName: name }));
  await sql(
    db,
    `insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, label, reason, detail, after)
     select ?, ?::bigint + n.place, 'create', 'create', 'Group', gen_random_uuid(), n.name, 'DestinationMade', n.name_key, n.body
     from unnest(?::text[], ?::text[], ?::text[]) with ordinality as n(name, name_key, body, place)`,
    [planId, offset, rows.map(({ name }) => name), rows.map(({ name_key }) => name_key), bodies],
  );
  return rows.length;
}

/**
 * Membership items of those groups: whoever is to be placed and is not there, and whoever a sync has placed and no rule
 * places any more. Somebody out of scope keeps the place until the account goes. Answers how many items there are.
 */
export async function planPlacements(
  db: Db,
  { planId, provider, touched = false }: Planning,
  { offset, complete }: { offset: number; complete: boolean },
): Promise<number> {
  const looked = touched
    ? `and x.external_id in (select external_id from plan_touched where resource_type = 'User')`
    : '';
  const { rows } = await sql(
    db,
    `with targets as materialized (
       select name_key, group_id, name from (${HERE}) h
       union all
       select detail, resource_id, label from plan_items where plan_id = ? and reason = 'DestinationMade'),
     comes as materialized (
       select external_id, case action when 'update' then resource_id end as linked_id from plan_items
       where plan_id = ? and resource_type = 'User' and (action = 'create' or action = 'update' and ${IS_LINK})),
     wanted as materialized (
       select t.group_id, x.external_id, coalesce(c.linked_id, r.id) as member_id from mirror_routes x
       join targets t on t.name_key = x.name_key
       left join comes c on c.external_id = x.external_id
       left join resources r on r.resource_type = 'User' and r.origin = x.provider and r.external_id = x.external_id
         and r.deleted_at is null
       where x.provider = ? and (r.id is not null or c.external_id is not null) ${looked}),
     due as materialized (
       select w.group_id, w.external_id, w.member_id, false as removed from wanted w
       left join group_members g on g.group_id = w.group_id and g.member_id = w.member_id where g.group_id is null
       union all
       select p.group_id, x.external_id, x.id, true from placements p
       join group_members g on g.group_id = p.group_id and g.member_id = p.member_id
       join resources x on x.id = p.member_id and x.resource_type = 'User' and x.origin = any(?::text[])
         and x.deleted_at is null and x.left_at is null
       join mirror_records m on m.provider = p.provider and m.resource_type = 'User' and m.external_id = x.external_id
         and m.gone_at is null and m.reason is null
       left join wanted w on w.group_id = p.group_id and w.member_id = p.member_id
       where p.provider = ? and ? and w.group_id is null ${looked}),
     numbered as materialized (
       select d.group_id, ?::bigint + row_number() over (order by d.group_id) as seq from (select distinct group_id from due) d),
     items as (
       insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, label, reason, attributes)
       select ?, n.seq, 'membership', 'membership', 'Group', n.group_id,
         coalesce((select name from targets t where t.group_id = n.group_id limit 1), r.display), 'RoutedHere', array['members']
       from numbered n left join resources r on r.id = n.group_id),
     members as (
       insert into plan_members (plan_id, seq, member_external_id, member_id, member_type, removed)
       select ?, n.seq, d.external_id, d.member_id, 'User', d.removed from due d join numbered n on n.group_id = d.group_id)
     select count(*)::int as count from numbered`,
    [planId, planId, provider, ORIGINS, provider, complete, offset, planId, planId],
  );
  return rows[0].count;
}

/** Whose people may have a place: named, so that those who were touched are found by an index. */
const ORIGINS: readonly Origin[] = ['manual', ...PROVIDER_KINDS];

/** Keeps which memberships a plan has placed, so that they may be taken back, and forgets those that it took. */
export async function rememberPlacements(db: Db, planId: string, provider: ProviderKindName): Promise<void> {
  const done = `select i.resource_id as group_id, coalesce(pm.member_id, r.id) as member_id, pm.removed
    from plan_items i join plan_members pm on pm.plan_id = i.plan_id and pm.seq = i.seq
    left join resources r on pm.member_id is null and r.resource_type = 'User' and r.origin = ? and r.external_id = pm.member_external_id
      and r.deleted_at is null
    where i.plan_id = ? and i.reason = 'RoutedHere' and i.outcome = 'applied'`;
  await sql(
    db,
    `with done as (${done}), lost as (
       delete from placements p using done d where d.removed and p.group_id = d.group_id and p.member_id = d.member_id)
     insert into placements (provider, group_id, member_id)
     select ?, d.group_id, d.member_id from done d where not d.removed and d.member_id is not null on conflict do nothing`,
    [provider, planId, provider],
  );
}
