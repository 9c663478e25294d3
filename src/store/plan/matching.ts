// Matching inside the database: which resources the records mean that a plan would make new accounts of. What is
// sure becomes a link of the plan; what is not is brought before a person. core/match.ts states the same rule.
import { LINK_REASONS, type LinkReset, type MatchAttribute, type MatchPolicy } from '#core/match.ts';
import { ENTERPRISE_SCHEMA, PROVIDER_KINDS, type ProviderKindName, type ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import type { Planning } from './planning.ts';

export interface MatchRequest extends MatchPolicy {
  readonly type: ResourceType;
  readonly offset: number;
  readonly reset: LinkReset;
  /** Records that lose their user name to another one. */
  readonly duplicates: readonly string[];
}

/** For statements: `reason in (…)`. */
export const IS_LINK = `reason in (${LINK_REASONS.map((reason) => `'${reason}'`).join(', ')})`;

/** A link changes what a resource is, or disables it: `r` with a pin against any of that has no part in matching. */
const IS_PINNED = `exists (select 1 from pins n where n.provider = ? and n.resource_id = r.id and n.class in ('update', 'remove', 'link'))`;

/** As it is spelled, of the body of a record or a resource. */
const NUMBER = (alias: string): string => `${alias}.body::jsonb -> '${ENTERPRISE_SCHEMA}' ->> 'employeeNumber'`;

/** After so many links the planner's picture of them is too old to go on by. */
const STATISTICS_AFTER = 500;

/**
 * Takes the creates of a plan, and whatever is linked to what a reset gives up, and replaces the items of those who
 * match somebody. Call it in the plan's transaction, once the creates and updates of this type are planned. Answers
 * how many items it added.
 */
export async function planLinks(db: Db, planning: Planning, request: MatchRequest): Promise<number> {
  const { adoptManual, offset, type } = request;
  if (!(await hasCandidates(db, planning, request))) {
    await forgetUnseen(db, planning, type);
    return 0;
  }
  await gather(db, planning, request);
  await linkDecided(db, planning, type);
  await linkFormer(db, planning, type);
  const whom = adoptManual === 'never' ? 'others' : 'everybody';
  for (const attribute of attributesOf(request)) await matchBy(db, planning, request, { attribute, whom });
  if (isNameChecked(request))
    await matchBy(db, planning, { ...request, adoptManual: 'ask' }, { attribute: 'userName', whom: 'manual' });
  await dropSameLinks(db, planning, type);
  await forgetUnseen(db, planning, type);
  return replaceItems(db, planning, { type, offset });
}

/**
 * Open questions that this plan looked for and did not come upon are none any more. A write that named somebody made by hand
 * by the id raised one that no plan comes upon: it stays while they are there.
 */
async function forgetUnseen(db: Db, { planId, provider, touched }: Planning, type: ResourceType): Promise<void> {
  const looked =
    touched === true ? `and (resource_type, external_id) in (select resource_type, external_id from plan_touched)` : '';
  await sql(
    db,
    `delete from disputes d where provider = ? and resource_type = ? and status = 'open' and plan_id is distinct from ?::uuid
       and (attribute is distinct from 'id' or not exists (select 1 from resources r where r.id = any(d.candidates)
         and r.origin = 'manual' and r.deleted_at is null)) ${looked}`,
    [provider, type, planId],
  );
}

function attributesOf({ type, matching }: MatchRequest): readonly MatchAttribute[] {
  return type === 'User'
    ? matching
    : matching.filter((attribute) => attribute === 'externalId' || attribute === 'userName');
}

/** User names are unique, so one that somebody made by hand has is a question even when manual entries are left alone. */
function isNameChecked({ type, matching, adoptManual }: MatchRequest): boolean {
  return type === 'User' && (adoptManual === 'never' || !matching.includes('userName'));
}

/** Ends the disputes whose decision was carried out: their record has its link. */
export async function settleDisputes(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(
    db,
    `delete from disputes d using resources r where d.provider = ? and d.status = 'adopted'
       and r.resource_type = d.resource_type and r.origin = d.provider and r.external_id = d.external_id and r.deleted_at is null`,
    [provider],
  );
}

function othersThan(provider: ProviderKindName): readonly string[] {
  return PROVIDER_KINDS.filter((kind) => kind !== provider);
}

/** True unless nobody can match: then matching costs a few index look-ups. */
async function hasCandidates(db: Db, { planId, provider }: Planning, request: MatchRequest): Promise<boolean> {
  const { type, reset } = request;
  if (reset !== false || (await hasReturned(db, { planId, provider }, request))) return true;
  const { rows } = await sql(
    db,
    `select 1 where exists (select 1 from plan_items where plan_id = ? and resource_type = ? and action = 'create')
       and (exists (select 1 from resources where resource_type = ? and origin = any(?::text[]) and deleted_at is null)
         or exists (select 1 from resources where resource_type = ? and origin = ? and external_id is null and deleted_at is null)
         or exists (select 1 from disputes where provider = ? and resource_type = ?))`,
    [planId, type, type, ['manual', ...othersThan(provider)], type, provider, provider, type],
  );
  return rows.length > 0;
}

const anchorsOf = (record: string): string =>
  `lateral (select h.anchor from unnest(${record}.handles) h(anchor) where h.anchor like 'anchor:%') own`;

/**
 * Accounts `r` of records that are gone and have an anchor of a record of which this plan would make a new account. Both
 * sides are put together and sorted: joined they were compared each with each whenever the planner took one for few.
 */
const RETURNED = `(
    select external_id from (
      select external_id, bool_or(external_id is null) over (partition by anchor) as comes from (
        select null as external_id, own.anchor from plan_items i
        join mirror_records m on m.provider = ? and m.resource_type = 'User' and m.external_id = i.external_id
        cross join ${anchorsOf('m')}
        where i.plan_id = ? and i.resource_type = 'User' and i.action = 'create' and i.reason = 'NewInSource'
        union all
        select g.external_id, own.anchor from mirror_records g cross join ${anchorsOf('g')}
        where g.provider = ? and g.resource_type = 'User' and g.gone_at is not null) both_sides) shared
    where comes and external_id is not null) gone
  join resources r on r.resource_type = 'User' and r.origin = ? and r.external_id = gone.external_id and r.deleted_at is null`;

/** Whether a record is new, and its account is that of one that is gone. A first run, and one that makes nobody, is spared the look. */
async function hasReturned(db: Db, { planId, provider }: Planning, { type, matching }: MatchRequest): Promise<boolean> {
  if (type !== 'User' || !matching.includes('anchors')) return false;
  const { rows } = await sql(
    db,
    `select 1 where exists (select 1 from plan_items where plan_id = ? and resource_type = 'User' and action = 'create')
       and exists (select 1 from resources where resource_type = 'User' and origin = ? and deleted_at is null)
       and exists (select 1 from ${RETURNED})`,
    [planId, provider, provider, planId, provider, provider],
  );
  return rows.length > 0;
}

/**
 * Puts those who are to be matched into two tables of this transaction: records without a link, or that are to lose it,
 * and resources that have none to this provider. Whom a pin keeps as they are keeps the link, too, and a record whose link was
 * undone gets no other. Tables, because the planner knows nothing of what a query gathers by the way: it took 200,000 for one,
 * and compared each with each.
 */
async function gather(db: Db, { planId, provider }: Planning, request: MatchRequest): Promise<void> {
  const { type, reset, duplicates, matching } = request;
  const everybody = reset === true;
  const some = typeof reset === 'boolean' ? [] : reset;
  const numbers = type === 'User' && matching.includes('employeeNumber');
  const anchors = type === 'User' && matching.includes('anchors');
  await sql(db, 'drop table if exists match_records, match_candidates, match_meant');
  await sql(
    db,
    `create temporary table match_records on commit drop as
     select m.external_id, m.name_key, m.handles, case when ? then ${NUMBER('m')} end as employee_number from (
       select external_id from plan_items where plan_id = ? and resource_type = ? and action = 'create' and reason = 'NewInSource'
       union
       select r.external_id from resources r where (?::boolean or r.id = any(?::uuid[])) and r.resource_type = ? and r.origin = ?
         and r.external_id is not null and r.deleted_at is null and not ${IS_PINNED}) i
     join mirror_records m on m.provider = ? and m.resource_type = ? and m.external_id = i.external_id
       and m.gone_at is null and m.reason is null and m.external_id <> all(?::text[])
     where not exists (select 1 from pins n where n.provider = m.provider and n.class = 'link'
       and n.resource_type = m.resource_type and n.external_id = m.external_id)`,
    [numbers, planId, type, ...[everybody, some, type, provider, provider], ...[provider, type, duplicates]],
  );
  await sql(
    db,
    `create temporary table match_candidates on commit drop as
     select r.id, r.origin, r.external_id, r.name_key, array(select 'email:' || (e.value ->> 'value')
         from jsonb_array_elements(coalesce(r.search -> 'emails', '[]')) e(value)) as handles,
       array(select h.anchor from unnest(own.handles) h(anchor) where h.anchor like 'anchor:%') as anchors,
       case when ? then ${NUMBER('r')} end as employee_number,
       c.gone
     from (select found.id, bool_and(found.gone) as gone from (
       select r.id, false as gone from resources r where r.resource_type = ? and r.deleted_at is null and r.origin = any(?::text[])
         and (r.origin <> ? or r.external_id is null or ?::boolean or r.id = any(?::uuid[]) or r.id in (
           select unnest(d.candidates) from disputes d where d.provider = ? and d.resource_type = ? and d.status <> 'refused'))
       union all
       select r.id, true from ${RETURNED} where ?::boolean) found group by found.id) c
     join resources r on r.id = c.id
     left join mirror_records own on ?::boolean and own.provider = r.origin and own.resource_type = r.resource_type
       and own.external_id = r.external_id
     where not ${IS_PINNED}`,
    [
      ...[numbers, type, ['manual', ...PROVIDER_KINDS], provider, everybody, some, provider, type],
      ...[provider, planId, provider, provider, anchors],
      ...[anchors, provider],
    ],
  );
  await sql(db, 'analyze match_records, match_candidates');
}

const REASON = `case c.origin when 'manual' then 'Adopted' when ? then 'Relinked' else 'Linked' end`;

/** What a person decided, as long as both sides are still there and free. */
async function linkDecided(db: Db, planning: Planning, type: ResourceType): Promise<void> {
  const { planId, provider } = planning;
  const { rowCount } = await sql(
    db,
    `insert into plan_links (plan_id, resource_type, external_id, resource_id, reason)
     select distinct on (c.id) ?::uuid, ?, x.external_id, c.id, ${REASON}
     from disputes d
     join match_records x on x.external_id = d.external_id
     join match_candidates c on c.id = d.resource_id
     where d.provider = ? and d.resource_type = ? and d.status = 'adopted' order by c.id, d.decided_at`,
    [planId, type, provider, provider, type],
  );
  await takeOut(db, planning, type, rowCount ?? 0);
}

/** The resource that a record was linked to before it went on with another provider. */
async function linkFormer(db: Db, planning: Planning, type: ResourceType): Promise<void> {
  const { planId, provider } = planning;
  const { rowCount } = await sql(
    db,
    `insert into plan_links (plan_id, resource_type, external_id, resource_id, reason, attribute)
     select distinct on (c.id) ?::uuid, ?, x.external_id, c.id, 'Linked', 'former'
     from former_links f
     join match_records x on x.external_id = f.external_id
     join match_candidates c on c.id = f.resource_id and c.origin not in ('manual', ?)
     where f.provider = ? and f.resource_type = ? order by c.id, f.at desc`,
    [planId, type, provider, provider, type],
  );
  await takeOut(db, planning, type, rowCount ?? 0);
}

const HANDLES = '(select external_id, unnest(handles) as handle from match_records) x';

/** Whoever is a candidate only because their record is gone is found by an anchor, and by nothing that somebody else may have by now. */
const PAIRS: Readonly<Record<MatchAttribute, string>> = {
  externalId:
    'select x.external_id, c.id, c.origin from match_records x join match_candidates c on c.external_id = x.external_id and not c.gone',
  anchors: `select distinct x.external_id, c.id, c.origin from ${HANDLES}
    join (select id, origin, unnest(anchors) as handle from match_candidates) c on c.handle = x.handle`,
  userName:
    'select x.external_id, c.id, c.origin from match_records x join match_candidates c on c.name_key = x.name_key and not c.gone',
  emails: `select distinct x.external_id, c.id, c.origin from ${HANDLES}
    join (select id, origin, unnest(handles) as handle from match_candidates where not gone) c on c.handle = x.handle`,
  employeeNumber: `select x.external_id, c.id, c.origin from match_records x
    join match_candidates c on c.employee_number = x.employee_number and not c.gone`,
};

const WHOM = { everybody: 'true', others: "p.origin <> 'manual'", manual: "p.origin = 'manual'" } as const;

/** One attribute: links what is sure on both sides, and brings the rest before a person. */
async function matchBy(
  db: Db,
  planning: Planning,
  { type, adoptManual }: MatchRequest,
  { attribute, whom }: { attribute: MatchAttribute; whom: keyof typeof WHOM },
): Promise<void> {
  const { planId, provider } = planning;
  const atOnce = adoptManual === 'onMatch';
  const { rows } = await sql(
    db,
    `with judged as materialized (
       select p.external_id, p.id, p.origin, count(*) over (partition by p.external_id) as options,
         count(*) over (partition by p.id) as rivals
       from (${PAIRS[attribute]}) p where ${WHOM[whom]} and not exists (select 1 from disputes d
         where d.provider = ? and d.resource_type = ? and d.external_id = p.external_id and p.id = any(d.refused))),
     linked as (
       insert into plan_links (plan_id, resource_type, external_id, resource_id, reason, attribute)
       select ?::uuid, ?, c.external_id, c.id, ${REASON}, ? from judged c
       where c.options = 1 and c.rivals = 1 and (c.origin <> 'manual' or ?::boolean) returning 1),
     asked as (
       insert into disputes as d (provider, resource_type, external_id, reason, attribute, candidates, plan_id)
       select ?, ?, external_id, case when count(*) = 1 and max(rivals) = 1 then 'Disputed' else 'MatchAmbiguous' end, ?,
         array_agg(id order by id), ?::uuid
       from judged group by external_id
       having count(*) > 1 or max(rivals) > 1 or (min(origin) = 'manual' and not ?::boolean)
       on conflict (provider, resource_type, external_id) do update set reason = excluded.reason, attribute = excluded.attribute,
         candidates = excluded.candidates, plan_id = excluded.plan_id, status = 'open', resource_id = null, decided_at = null,
         decided_by = null
       returning 1)
     select (select count(*)::int from linked) + (select count(*)::int from asked) as found`,
    [
      ...[provider, type],
      ...[planId, type, provider, attribute, atOnce],
      ...[provider, type, attribute, planId, atOnce],
    ],
  );
  await takeOut(db, planning, type, rows[0].found);
}

/** Whoever was linked or is in question takes no part in what comes after. */
async function takeOut(db: Db, { planId, provider }: Planning, type: ResourceType, found: number): Promise<void> {
  if (found === 0) return;
  if (found > STATISTICS_AFTER) await sql(db, 'analyze plan_links');
  await sql(
    db,
    `with taken as (
       select external_id, resource_id from plan_links where plan_id = ? and resource_type = ?
       union all
       select external_id, unnest(candidates) from disputes where provider = ? and resource_type = ? and plan_id = ?),
     known as (delete from match_records x using taken t where t.external_id = x.external_id)
     delete from match_candidates c using taken t where t.resource_id = c.id`,
    [planId, type, provider, type, planId],
  );
}

/** A link that comes out as it was is none to speak of. */
async function dropSameLinks(db: Db, { planId, provider }: Planning, type: ResourceType): Promise<void> {
  await sql(
    db,
    `delete from plan_links l using resources r where l.plan_id = ? and l.resource_type = ? and r.id = l.resource_id
       and r.origin = ? and r.external_id = l.external_id`,
    [planId, type, provider],
  );
}

/**
 * In place of what was planned by the old links: an update for each link, a skip for each record that waits for a
 * person, and a new account for a record whose own went to another record.
 */
async function replaceItems(
  db: Db,
  { planId, provider }: Planning,
  { type, offset }: Pick<MatchRequest, 'type' | 'offset'>,
): Promise<number> {
  await sql(
    db,
    `create temporary table match_meant on commit drop as
     select external_id, 'update' as action, resource_id, reason, attribute as detail from plan_links
       where plan_id = ? and resource_type = ?
     union all
     select external_id, 'skip', case cardinality(candidates) when 1 then candidates[1] end, reason,
       case when cardinality(candidates) > 1 then array_to_string(candidates, ', ') end
       from disputes where plan_id = ? and resource_type = ?
     union all
     select m.external_id, 'create', gen_random_uuid(), 'NewInSource', null from plan_links l
       join resources r on r.id = l.resource_id and r.origin = ?
       join mirror_records m on m.provider = ? and m.resource_type = l.resource_type and m.external_id = r.external_id
         and m.gone_at is null and m.reason is null
       where l.plan_id = ? and l.resource_type = ?
         and not exists (select 1 from plan_links o where o.plan_id = l.plan_id and o.resource_type = l.resource_type
           and o.external_id = m.external_id)
         and not exists (select 1 from disputes d where d.plan_id = l.plan_id and d.resource_type = l.resource_type
           and d.external_id = m.external_id)`,
    [planId, type, planId, type, provider, provider, planId, type],
  );
  await sql(db, 'analyze match_meant');
  for (const key of ['external_id', 'resource_id'])
    await sql(
      db,
      `delete from plan_items i using match_meant x where i.plan_id = ? and i.resource_type = ? and i.action in ('create', 'update')
         and i.${key} = x.${key}`,
      [planId, type],
    );
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, detail, base_version,
       before, before_left_at, after, after_digest, outcome, outcome_at, before_origin, before_external_id, after_origin, after_external_id)
     select ?, ?::bigint + row_number() over (order by m.external_id), x.action,
       case when x.action = 'skip' then null when r.active and f.doc ->> 'active' = 'false' then 'remove' else x.action end,
       m.resource_type, x.resource_id, m.external_id, coalesce(f.doc ->> 'userName', f.doc ->> 'displayName'), x.reason, x.detail,
       r.version, r.body, r.left_at, case when x.action <> 'skip' then m.body end, case when x.action <> 'skip' then m.digest end,
       case x.action when 'skip' then 'skipped' else 'pending' end, case x.action when 'skip' then now() end,
       r.origin, r.external_id, case when r.id is not null then m.provider end, case when r.id is not null then m.external_id end
     from match_meant x
     join mirror_records m on m.provider = ? and m.resource_type = ? and m.external_id = x.external_id
     cross join lateral (select m.body::jsonb as doc) f
     left join resources r on r.id = x.resource_id and x.action = 'update'`,
    [planId, offset, provider, type],
  );
  return rowCount ?? 0;
}
