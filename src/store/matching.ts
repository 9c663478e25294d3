// Matching inside the database: which resources the records mean that a plan would make new accounts of. What is
// sure becomes a link of the plan; what is not is brought before a person. core/match.ts states the same rule.
import { LINK_REASONS, type LinkReset, type MatchAttribute, type MatchPolicy } from '#core/match.ts';
import { PROVIDER_KINDS, type ProviderKindName, type ResourceType } from '#core/resource.ts';
import { type Db, sql } from './database.ts';
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

/**
 * Takes the creates of a plan, and whatever is linked to what a reset gives up, and replaces the items of those who
 * match somebody. Call it once the creates and updates of this type are planned. Answers how many items it added.
 */
export async function planLinks(db: Db, planning: Planning, request: MatchRequest): Promise<number> {
  if (await hasCandidates(db, planning, request)) {
    await linkDecided(db, planning, request);
    for (const attribute of attributesOf(request)) await matchBy(db, planning, request, attribute);
    if (isNameChecked(request)) await matchBy(db, planning, { ...request, adoptManual: 'ask' }, 'userName', true);
    await dropSameLinks(db, planning, request.type);
  }
  await sql(
    db,
    `delete from disputes where provider = ? and resource_type = ? and status = 'open' and plan_id is distinct from ?::uuid`,
    [planning.provider, request.type, planning.planId],
  );
  return replaceItems(db, planning, request);
}

function attributesOf({ type, matching }: MatchRequest): readonly MatchAttribute[] {
  return type === 'User' ? matching : matching.filter((attribute) => attribute !== 'emails');
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
  if (reset !== false) return true;
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

interface Sets {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** `records` that are without a link, or are to lose it, and `candidates` that have none to this provider's records. */
function sets(planning: Planning, request: MatchRequest, manual: 'with' | 'without' | 'only'): Sets {
  const { planId, provider } = planning;
  const { type, reset, duplicates } = request;
  const everybody = reset === true;
  const some = typeof reset === 'boolean' ? [] : reset;
  const origins = [
    ...(manual === 'without' ? [] : ['manual']),
    ...(manual === 'only' ? [] : [provider, ...othersThan(provider)]),
  ];
  const text = `records as materialized (
      select m.external_id, m.name_key, m.handles from (
        select external_id from plan_items where plan_id = ? and resource_type = ? and action = 'create' and reason = 'NewInSource'
        union
        select r.external_id from resources r where (?::boolean or r.id = any(?::uuid[])) and r.resource_type = ? and r.origin = ?
          and r.external_id is not null and r.deleted_at is null) i
      join mirror_records m on m.provider = ? and m.resource_type = ? and m.external_id = i.external_id
        and m.gone_at is null and m.reason is null and m.external_id <> all(?::text[])
      where not exists (select 1 from plan_links l where l.plan_id = ? and l.resource_type = ? and l.external_id = m.external_id)
        and not exists (select 1 from disputes d where d.plan_id = ? and d.resource_type = ? and d.external_id = m.external_id)),
    candidates as materialized (
      select r.id, r.origin, r.external_id, r.name_key, r.search from resources r
      where r.resource_type = ? and r.origin = any(?::text[]) and r.deleted_at is null
        and (r.origin <> ? or r.external_id is null or ?::boolean or r.id = any(?::uuid[]) or r.id in (
          select unnest(d.candidates) from disputes d where d.provider = ? and d.resource_type = ? and d.status <> 'refused'))
        and not exists (select 1 from plan_links l where l.plan_id = ? and l.resource_id = r.id)
        and not exists (select 1 from disputes d where d.plan_id = ? and d.resource_type = ? and r.id = any(d.candidates)))`;
  const values = [
    ...[planId, type, everybody, some, type, provider, provider, type, duplicates, planId, type, planId, type],
    ...[type, origins, provider, everybody, some, provider, type, planId, planId, type],
  ];
  return { text, values };
}

const REASON = `case c.origin when 'manual' then 'Adopted' when ? then 'Relinked' else 'Linked' end`;

/** What a person decided, as long as both sides are still there and free. */
async function linkDecided(db: Db, planning: Planning, request: MatchRequest): Promise<void> {
  const { text, values } = sets(planning, request, 'with');
  await sql(
    db,
    `with ${text}
     insert into plan_links (plan_id, resource_type, external_id, resource_id, reason)
     select distinct on (c.id) ?::uuid, ?, x.external_id, c.id, ${REASON}
     from disputes d
     join records x on x.external_id = d.external_id
     join candidates c on c.id = d.resource_id
     where d.provider = ? and d.resource_type = ? and d.status = 'adopted' order by c.id, d.decided_at`,
    [...values, planning.planId, request.type, planning.provider, planning.provider, request.type],
  );
}

const PAIRS: Readonly<Record<MatchAttribute, string>> = {
  externalId: 'select x.external_id, c.id, c.origin from records x join candidates c on c.external_id = x.external_id',
  userName: 'select x.external_id, c.id, c.origin from records x join candidates c on c.name_key = x.name_key',
  emails: `select distinct x.external_id, c.id, c.origin
    from (select external_id, unnest(handles) as handle from records) x
    join (select c.id, c.origin, 'email:' || (e.value ->> 'value') as handle from candidates c
      cross join lateral jsonb_array_elements(coalesce(c.search -> 'emails', '[]')) e(value)) c on c.handle = x.handle`,
};

/** One attribute: links what is sure on both sides, and brings the rest before a person. */
async function matchBy(
  db: Db,
  planning: Planning,
  request: MatchRequest,
  attribute: MatchAttribute,
  onlyManual = false,
): Promise<void> {
  const { planId, provider } = planning;
  const { type, adoptManual } = request;
  const { text, values } = sets(planning, request, onlyManual ? 'only' : adoptManual === 'never' ? 'without' : 'with');
  const atOnce = adoptManual === 'onMatch';
  await sql(
    db,
    `with ${text},
     pairs as (
       select p.external_id, p.id, p.origin from (${PAIRS[attribute]}) p where not exists (select 1 from disputes d
         where d.provider = ? and d.resource_type = ? and d.external_id = p.external_id and p.id = any(d.refused))),
     judged as (
       select external_id, id, origin, count(*) over (partition by external_id) as options, count(*) over (partition by id) as rivals
       from pairs),
     linked as (
       insert into plan_links (plan_id, resource_type, external_id, resource_id, reason, attribute)
       select ?::uuid, ?, c.external_id, c.id, ${REASON}, ? from judged c
       where c.options = 1 and c.rivals = 1 and (c.origin <> 'manual' or ?::boolean))
     insert into disputes as d (provider, resource_type, external_id, reason, attribute, candidates, plan_id)
     select ?, ?, external_id, case when count(*) = 1 and max(rivals) = 1 then 'Disputed' else 'MatchAmbiguous' end, ?,
       array_agg(id order by id), ?::uuid
     from judged group by external_id
     having count(*) > 1 or max(rivals) > 1 or (min(origin) = 'manual' and not ?::boolean)
     on conflict (provider, resource_type, external_id) do update set reason = excluded.reason, attribute = excluded.attribute,
       candidates = excluded.candidates, plan_id = excluded.plan_id, status = 'open', resource_id = null, decided_at = null, decided_by = null`,
    [
      ...[...values, provider, type],
      ...[planId, type, provider, attribute, atOnce],
      ...[provider, type, attribute, planId, atOnce],
    ],
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
async function replaceItems(db: Db, { planId, provider }: Planning, request: MatchRequest): Promise<number> {
  const { type, offset } = request;
  const { rowCount } = await sql(
    db,
    `with displaced as materialized (
       select m.external_id from plan_links l
       join resources r on r.id = l.resource_id and r.origin = ?
       join mirror_records m on m.provider = ? and m.resource_type = l.resource_type and m.external_id = r.external_id
         and m.gone_at is null and m.reason is null
       where l.plan_id = ? and l.resource_type = ?
         and not exists (select 1 from plan_links o where o.plan_id = l.plan_id and o.resource_type = l.resource_type
           and o.external_id = m.external_id)
         and not exists (select 1 from disputes d where d.plan_id = l.plan_id and d.resource_type = l.resource_type
           and d.external_id = m.external_id)),
     meant as materialized (
       select external_id, resource_id, reason, attribute as detail, null::uuid[] as candidates from plan_links
         where plan_id = ? and resource_type = ?
       union all
       select external_id, case cardinality(candidates) when 1 then candidates[1] end, reason,
         case when cardinality(candidates) > 1 then array_to_string(candidates, ', ') end, candidates
         from disputes where plan_id = ? and resource_type = ?
       union all
       select external_id, gen_random_uuid(), 'NewInSource', null, null from displaced),
     gone as (
       delete from plan_items i where i.plan_id = ? and i.resource_type = ? and i.action in ('create', 'update')
         and (i.external_id in (select external_id from meant) or i.resource_id in (select resource_id from meant)))
     insert into plan_items (plan_id, seq, action, resource_type, resource_id, external_id, label, reason, detail, base_version,
       before, after, after_digest, outcome, outcome_at)
     select ?, ?::bigint + row_number() over (order by m.external_id), kind.action, m.resource_type, x.resource_id, m.external_id,
       coalesce(m.body::jsonb ->> 'userName', m.body::jsonb ->> 'displayName'), x.reason, x.detail,
       case kind.action when 'update' then r.version end, case kind.action when 'update' then r.body end,
       case when kind.action <> 'skip' then m.body end, case when kind.action <> 'skip' then m.digest end,
       case kind.action when 'skip' then 'skipped' else 'pending' end, case kind.action when 'skip' then now() end
     from meant x
     cross join lateral (select case when x.candidates is not null then 'skip' when x.reason = 'NewInSource' then 'create'
       else 'update' end as action) kind
     join mirror_records m on m.provider = ? and m.resource_type = ? and m.external_id = x.external_id
     left join resources r on r.id = x.resource_id`,
    [
      ...[provider, provider, planId, type],
      ...[planId, type, planId, type, planId, type],
      ...[planId, offset, provider, type],
    ],
  );
  return rowCount ?? 0;
}

/**
 * Of these rows about to be written, takes the provider's ids away from whoever else has them: two accounts that
 * exchange their links would otherwise stand in each other's way.
 */
export async function freeAnchors(
  db: Db,
  provider: ProviderKindName,
  rows: readonly { readonly id: string; readonly resource_type: ResourceType; readonly external_id: string | null }[],
): Promise<void> {
  await sql(
    db,
    `update resources r set external_id = null from unnest(?::uuid[], ?::text[], ?::text[]) as w(id, type, external_id)
     where r.resource_type = w.type and r.origin = ? and r.external_id = w.external_id and r.id <> w.id and r.deleted_at is null`,
    [
      rows.map(({ id }) => id),
      rows.map(({ resource_type }) => resource_type),
      rows.map(({ external_id }) => external_id),
      provider,
    ],
  );
}

/** Whether a plan makes links. */
export async function hasLinks(db: Db, planId: string): Promise<boolean> {
  const { rows } = await sql(db, 'select 1 from plan_links where plan_id = ? limit 1', [planId]);
  return rows.length > 0;
}

/** Holds whatever of a plan is pending. */
export async function holdEverything(db: Db, planId: string): Promise<void> {
  await sql(db, `update plan_items set held = true, outcome = 'held' where plan_id = ? and outcome = 'pending'`, [
    planId,
  ]);
}
