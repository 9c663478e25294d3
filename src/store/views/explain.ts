// The facts behind "why is this person, or is not, here": each from its own table by an index, whatever the size.

import type { RunError } from '#core/failure.ts';
import { isUuid } from '#core/ids.ts';
import { nameKey } from '#core/names.ts';
import { PROVIDER_KINDS, type ProviderKindName } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { type Db, sql } from '../database.ts';
import { IS_LINK } from '../plan/matching.ts';
import type { RunStatus } from '../run/runs.ts';

/** One user or group that a subject may mean: a record of a provider, a resource, or both. */
export interface Subject {
  readonly resourceType: string;
  /** Null for what was made by hand. */
  readonly provider: ProviderKindName | null;
  readonly externalId: string | null;
  /** Our id; null while there is no resource. */
  readonly id: string | null;
  readonly label: string | null;
}

/** More than so many, and the question says too little. */
export const SUBJECTS_MAX = 50;

/**
 * Whom an id (ours, or the provider's), a user name, a display name or an address means; the living before the gone,
 * at most `SUBJECTS_MAX`. An id means one, even when it is somebody's name too.
 */
export async function findSubjects(db: Db, subject: string): Promise<readonly Subject[]> {
  const text = subject.trim();
  const folded = foldCase(text);
  const key = nameKey(text);
  const kinds = [...PROVIDER_KINDS];
  // Providers write the letters of a UUID small; people paste it as they found it.
  const ids = isUuid(text) ? [text, folded] : [text];
  const { rows } = await sql<Subject & { readonly rank: number }>(
    db,
    `with found as (
       select 0 as rank, r.resource_type, r.origin, r.external_id, r.id from resources r where r.id = ?::uuid
       union all
       select 0, m.resource_type, m.provider, m.external_id, null from mirror_records m
         where m.provider = any(?::text[]) and m.resource_type = any('{User,Group}') and m.external_id = any(?::text[])
       union all
       select 0, r.resource_type, r.origin, r.external_id, r.id from resources r
         where r.resource_type = any('{User,Group}') and r.origin = any(?::text[]) and r.external_id = any(?::text[]) and r.deleted_at is null
       union all
       select 0, r.resource_type, r.origin, r.external_id, r.id from resources r
         where r.resource_type = any('{User,Group}') and r.origin = any(?::text[]) and r.external_id = any(?::text[]) and r.deleted_at is not null
       union all
       select 0, s.object_type, s.provider, s.external_id, null from mirror_skipped s where s.external_id = any(?::text[])
       union all
       select 1, m.resource_type, m.provider, m.external_id, null from mirror_records m where m.handles && ?::text[]
       union all
       select 1, r.resource_type, r.origin, r.external_id, r.id from resources r
         where r.resource_type = any('{User,Group}') and r.name_key = ? and r.deleted_at is null
       union all
       select 1, r.resource_type, r.origin, r.external_id, r.id from resources r
         where r.resource_type = any('{User,Group}') and (r.search ->> 'displayName') collate "C" = ? and r.deleted_at is null
       union all
       select 1, r.resource_type, r.origin, r.external_id, r.id from resources r
         where r.search @> ?::jsonb and r.deleted_at is null
       union all
       select 1, r.resource_type, r.origin, r.external_id, r.id from resources r
         where r.resource_type = any('{User,Group}') and r.name_key = ? and r.deleted_at is not null),
     keyed as (
       select distinct on (resource_type, origin, coalesce(case when origin <> 'manual' then external_id end, id::text)) f.rank,
         f.resource_type, f.origin, case when origin <> 'manual' then f.external_id end as external_id, f.id
       from found f order by resource_type, origin, coalesce(case when origin <> 'manual' then external_id end, id::text), rank, id nulls last)
     select k.rank, k.resource_type as "resourceType", nullif(k.origin, 'manual') as provider, coalesce(k.external_id, r.external_id) as "externalId", r.id,
       coalesce(m.body::jsonb ->> 'userName', r.body::jsonb ->> 'userName', m.body::jsonb ->> 'displayName', r.display,
         m.label, s.display_name, k.external_id) as label
     from keyed k
     left join mirror_records m on m.provider = k.origin and m.resource_type = k.resource_type and m.external_id = k.external_id
     left join lateral (select s.display_name from mirror_skipped s where s.external_id = k.external_id limit 1) s on true
     left join lateral (
       select * from (
         select r.id, r.body, r.display, r.external_id, r.deleted_at from resources r where k.external_id is null and r.id = k.id
         union all
         select r.id, r.body, r.display, r.external_id, r.deleted_at from resources r
           where r.resource_type = k.resource_type and r.origin = k.origin and r.external_id = k.external_id and r.deleted_at is null
         union all
         select r.id, r.body, r.display, r.external_id, r.deleted_at from resources r
           where r.resource_type = k.resource_type and r.origin = k.origin and r.external_id = k.external_id and r.deleted_at is not null) r
       order by r.deleted_at desc nulls first limit 1) r on true
     order by k.rank, coalesce(m.gone_at, r.deleted_at) nulls first, label, k.external_id limit ?`,
    [
      isUuid(text) ? folded : null,
      ...[kinds, ids, kinds, ids, kinds, ids, ids],
      [`name:${folded}`, `email:${folded}`],
      ...[key, folded, JSON.stringify({ emails: [{ value: folded }] }), key, SUBJECTS_MAX],
    ],
  );
  const exact = rows.filter(({ rank }) => rank === 0);
  return (exact.length > 0 ? exact : rows).map(({ rank: _rank, ...found }) => found);
}

/** Where the provider stands, and when it was last read to the end. */
export interface ProviderFacts {
  readonly active: boolean;
  readonly configVersion: number | null;
  readonly readAt: string | null;
}

export async function readProviderFacts(db: Db, provider: ProviderKindName): Promise<ProviderFacts> {
  const { rows } = await sql(
    db,
    `select coalesce(p.active, false) as active, p.config_version::int as "configVersion", s.read_at as "readAt"
     from (select ?::text as kind) k left join provider_settings p on p.kind = k.kind left join mirror_state s on s.provider = k.kind`,
    [provider],
  );
  return rows[0];
}

export interface MirrorFacts {
  readonly record: string;
  readonly inScope: boolean;
  readonly reason: string | null;
  readonly detail: string | null;
  /** When the record, as it is now, was read for the first time. */
  readonly changedAt: string;
  readonly goneAt: string | null;
  /** The page of records of a read that it came with; null when it was written to us. */
  readonly page: { readonly runId: string; readonly number: number } | null;
}

export async function readMirrorFacts(db: Db, subject: Subject): Promise<MirrorFacts | undefined> {
  const { rows } = await sql(
    db,
    `select record, reason is null as "inScope", reason, detail, seen_at as "changedAt", gone_at as "goneAt",
       case when read_page is not null then jsonb_build_object('runId', read_run, 'number', read_page) end as page
     from mirror_records where provider = ? and resource_type = ? and external_id = ?`,
    [subject.provider, subject.resourceType, subject.externalId],
  );
  return rows[0];
}

/** Why an object that is neither a user nor a group was passed over. */
export async function readSkippedReason(db: Db, { provider, externalId }: Subject): Promise<string | undefined> {
  const { rows } = await sql(db, 'select reason from mirror_skipped where external_id = ? and provider = ? limit 1', [
    externalId,
    provider,
  ]);
  return rows[0]?.reason;
}

export interface ResourceFacts {
  readonly id: string;
  readonly origin: string;
  readonly body: string;
  readonly active: boolean;
  readonly version: string;
  readonly leftAt: string | null;
  readonly deletedAt: string | null;
  /** Who wrote the last line of its change log. */
  readonly lastActor: string | null;
}

export async function readResourceFacts(db: Db, id: string): Promise<ResourceFacts | undefined> {
  const { rows } = await sql(
    db,
    `select id, origin, body, active, version, left_at as "leftAt", deleted_at as "deletedAt",
       (select c.actor from changes c where c.resource_id = r.id order by c.seq desc limit 1) as "lastActor"
     from resources r where id = ?`,
    [id],
  );
  return rows[0];
}

/** One item of a plan that is about the subject. */
export interface ItemFacts {
  readonly planId: string;
  readonly runId: string;
  readonly seq: number;
  readonly action: string;
  readonly reason: string;
  readonly detail: string | null;
  readonly outcome: string;
  readonly error: string | null;
  readonly outcomeAt: string | null;
}

const ITEM = `select i.plan_id as "planId", p.run_id as "runId", i.seq::int as seq, i.action, i.reason, i.detail, i.outcome, i.error,
  i.outcome_at as "outcomeAt"
  from plan_items i join plans p on p.id = i.plan_id`;

/** About the record, or about the resource. */
const ABOUT = `(i.external_id = ? and i.resource_type = ? or i.resource_id = ?::uuid)`;

/** What was made by hand has an external id of its own, which is no record's. */
function about({ provider, externalId, resourceType, id }: Subject): readonly unknown[] {
  return [provider === null ? null : externalId, resourceType, id];
}

/**
 * What one plan says of the subject; of several items, what it does to the subject itself before what it leaves out
 * (a leaver out of scope has both), and its members last.
 */
export async function readItem(db: Db, planId: string, subject: Subject): Promise<ItemFacts | undefined> {
  const { rows } = await sql(
    db,
    `${ITEM} where i.plan_id = ? and ${ABOUT} order by i.action = 'membership', i.action = 'skip', i.seq limit 1`,
    [planId, ...about(subject)],
  );
  return rows[0];
}

/** The same of the newest plan that says anything of the subject: a plan of changes names only who changed. */
export async function readNewestItem(db: Db, subject: Subject): Promise<ItemFacts | undefined> {
  const { rows } = await sql(
    db,
    `${ITEM} join runs r on r.id = p.run_id where not r.preview and ${ABOUT}
     order by p.created_at desc, i.action = 'membership', i.action = 'skip', i.seq limit 1`,
    about(subject),
  );
  return rows[0];
}

export interface HeldFacts extends ItemFacts {
  /** Codes of the guard's rules that hold this very item; empty when the plan is held as a whole. */
  readonly heldBy: readonly string[];
  readonly guard: {
    readonly reasons: readonly { readonly code: string; readonly class?: string; readonly message: string }[];
  };
}

/** The item of a plan that waits for a person. */
export async function readHeldItem(db: Db, subject: Subject): Promise<HeldFacts | undefined> {
  const { rows } = await sql(
    db,
    `select i.*, p.guard from (${ITEM.replace('select', 'select i.held_by as "heldBy",')} where p.status = 'held' and i.outcome = 'held' and ${ABOUT}) i
     join plans p on p.id = i."planId" order by p.created_at desc, i.action = 'membership', i.seq limit 1`,
    about(subject),
  );
  return rows[0];
}

/** The last thing that a run did to the resource, and how the resource came to its record. */
export async function readDoneItems(
  db: Db,
  id: string,
): Promise<{ readonly last: ItemFacts | undefined; readonly link: ItemFacts | undefined }> {
  const done = `${ITEM} where i.resource_id = ? and i.outcome = 'applied' and i.action <> 'membership'`;
  const newest = 'order by i.outcome_at desc, p.created_at desc limit 1';
  const { rows: last } = await sql(db, `${done} ${newest}`, [id]);
  const { rows: link } = await sql(db, `${done} and (i.action = 'create' or i.${IS_LINK}) ${newest}`, [id]);
  return { last: last[0], link: link[0] };
}

export interface RunFacts {
  readonly id: string;
  readonly status: RunStatus;
  readonly planId: string | null;
  readonly finishedAt: string | null;
  readonly configVersion: number | null;
  readonly error: RunError | null;
}

/** The newest run of the provider that was to change something and is not under way. */
export async function readLastRun(db: Db, provider: ProviderKindName): Promise<RunFacts | undefined> {
  const { rows } = await sql(
    db,
    `select id, status, plan_id as "planId", finished_at as "finishedAt", config_version::int as "configVersion", error
     from runs where provider = ? and not preview and status not in ('queued', 'running') order by seq desc limit 1`,
    [provider],
  );
  return rows[0];
}

export interface DisputeFacts {
  readonly id: string;
  readonly reason: string;
  readonly attribute: string;
  readonly status: string;
  readonly externalId: string;
  readonly candidates: readonly string[];
}

/** The open question that the record, or the resource, is a side of. */
export async function readOpenDispute(db: Db, subject: Subject): Promise<DisputeFacts | undefined> {
  const { rows } = await sql(
    db,
    `select id, reason, attribute, status, external_id as "externalId", candidates::text[] as candidates from disputes
     where status = 'open' and resource_type = ? and (provider = ? and external_id = ? or ?::uuid = any(candidates)) limit 1`,
    [subject.resourceType, subject.provider, subject.externalId, subject.id],
  );
  return rows[0];
}

/** What a revert restored of the subject and no run may repeat. */
export interface PinFacts {
  readonly id: string;
  readonly class: string;
  /** The run that was undone. */
  readonly runId: string;
  /** Of a membership: the other side, and whether it stays or stays away. */
  readonly member: { readonly id: string; readonly displayName: string | null; readonly present: boolean } | null;
}

const PINS_MAX = 100;

/** Those of the resource, and those that keep the record out. */
export async function readPins(
  db: Db,
  { id, provider, resourceType, externalId }: Subject,
): Promise<readonly PinFacts[]> {
  const { rows } = await sql<PinFacts>(
    db,
    `select n.id, n.class, n.run_id as "runId", case when n.member_id is not null then
       jsonb_build_object('id', o.id, 'displayName', o.display, 'present', n.present) end as member
     from pins n left join resources o on o.id = case when n.resource_id = ?::uuid then n.member_id else n.resource_id end
     where n.resource_id = ? or n.member_id = ?
       or n.class in ('create', 'link') and n.provider = ? and n.resource_type = ? and n.external_id = ? order by n.id limit ${PINS_MAX}`,
    [id, id, id, provider, resourceType, externalId],
  );
  return rows;
}

export interface GroupFacts {
  readonly externalId: string;
  readonly displayName: string | null;
  readonly inScope: boolean;
}

const GROUPS_MAX = 100;

/** Groups of the provider that have it as a direct member. */
export async function readSourceGroups(db: Db, { provider, externalId }: Subject): Promise<readonly GroupFacts[]> {
  const { rows } = await sql<GroupFacts>(
    db,
    `select m.external_id as "externalId", coalesce(m.body::jsonb ->> 'displayName', m.label) as "displayName",
       m.reason is null as "inScope"
     from mirror_members mm join mirror_records m on m.provider = mm.provider and m.resource_type = 'Group'
       and m.external_id = mm.group_external_id and m.gone_at is null
     where mm.provider = ? and mm.member_external_id = ? order by 2, 1 limit ${GROUPS_MAX}`,
    [provider, externalId],
  );
  return rows;
}

/** The change that an attribute has its value from. */
export interface SetBy {
  readonly at: string;
  readonly actor: string;
  readonly runId: string | null;
}

/** By top-level attribute, extensions by their URN; `*` stands for all that no later change named. */
export async function readSetBy(db: Db, id: string): Promise<ReadonlyMap<string, SetBy>> {
  const { rows } = await sql<SetBy & { readonly name: string }>(
    db,
    `select distinct on (n.name) n.name, c.at, c.actor, c.run_id as "runId" from changes c
     cross join lateral (select '*' as name where c.operation = 'create'
       union all select jsonb_array_elements_text(coalesce(c.detail -> 'attributes', '[]'))) n
     where c.resource_id = ? order by n.name, c.seq desc`,
    [id],
  );
  return new Map(rows.map(({ name, ...set }) => [name, set]));
}
