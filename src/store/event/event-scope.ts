// Whom a receiver knows, against whom it may see now. Only for those who do not see everybody, or are being told of
// everybody for the first time.
import type { JournalPlace } from '#core/journal.ts';
import type { ResourceType } from '#core/resource.ts';
import { type Db, queryOn, sql } from '../database.ts';
import { type ServedRow, servedColumns, type Visible } from '../directory/served.ts';
import { SERVED_EXTERNAL_ID } from '../filter/filter-columns.ts';
import { Statement } from '../statement.ts';

export interface ScopeDifference {
  readonly resource_type: ResourceType;
  readonly id: string;
  /** As SCIM answers it. */
  readonly external_id: string | null;
  /** Null when the resource is not kept any more. */
  readonly version: string | null;
  readonly active: boolean | null;
  /** Whether the log tells, behind the stream's place, that they were activated or deactivated, as they are now. */
  readonly turned: boolean;
  readonly changed_at: Date | null;
  readonly body: string | null;
  /** Whether it is to be known; otherwise it is to be forgotten. */
  readonly enters: boolean;
  readonly deleted: boolean;
}

const TYPES = ['User', 'Group'] as const;

/** What is asked about: a stream, up to where it has read the log, and whom it may see. */
export interface Asked {
  readonly streamId: string;
  /** Absent where nothing hangs on it. */
  readonly place?: JournalPlace | undefined;
  readonly visible: Visible | undefined;
}

/** Whether the log tells of somebody, row `r`, behind a place that they became what they are now: active, or not. */
function turnedSince(statement: Statement, place: JournalPlace | undefined): string {
  if (place === undefined) return 'false';
  const xid = `${statement.bind(place.xid, 'text')}::xid8`;
  const seq = statement.bind(place.seq, 'bigint');
  return `exists (select 1 from changes c where c.resource_id = r.id and (c.xid, c.seq) > (${xid}, ${seq})
      and case when r.active then c.operation = 'update' and c.detail -> 'attributes' ? 'active' else c.operation = 'deactivate' end)`;
}

/**
 * Who must be told of so that the receiver knows exactly those whom it may see, as things stand now: leaving before
 * entering, users before the groups that may name them. At most `limit`. Reads everybody in scope once, so the more at a
 * time the better.
 */
export async function findScopeDifferences(
  tx: Db,
  { streamId, place, visible }: Asked,
  limit: number,
): Promise<readonly ScopeDifference[]> {
  const statement = new Statement();
  const stream = statement.bind(streamId, 'uuid');
  const text = `with seen as (${idsInScope(statement, visible)}),
      known as (select resource_id, resource_type from event_known where stream_id = ${stream}),
      different as (select seen.id as fresh, known.resource_id as stale, known.resource_type from seen
        full join known on known.resource_id = seen.id where seen.id is null or known.resource_id is null)
    select coalesce(r.resource_type, d.resource_type) as resource_type, coalesce(d.fresh, d.stale) as id, ${SERVED_EXTERNAL_ID} as external_id, r.version, r.active, ${turnedSince(statement, place)} as turned,
      coalesce(r.deleted_at, r.updated_at) as changed_at, case when d.fresh is not null then r.body end as body,
      d.fresh is not null as enters, (r.id is null or r.deleted_at is not null) as deleted
    from different d left join resources r on r.id = coalesce(d.fresh, d.stale)
    order by d.fresh is not null, r.resource_type = 'Group', r.pos limit ${limit}`;
  return (await queryOn<ScopeDifference>(tx, { text, values: statement.values })).rows;
}

/** Each type by itself: within an "or", whoever is in a large group would be looked up one by one. */
function idsInScope(statement: Statement, visible: Visible | undefined): string {
  return TYPES.map(
    (type) =>
      `select r.id from resources r where r.deleted_at is null and r.resource_type = '${type}' and ${statement.where(visible?.condition(type, 'many'))}`,
  ).join(' union all ');
}

/** Notes who is known now, and who is not any more. */
export async function noteKnown(
  tx: Db,
  streamId: string,
  { known, forgotten }: { known: readonly KnownResource[]; forgotten: readonly string[] },
): Promise<void> {
  if (known.length > 0)
    await sql(
      tx,
      `insert into event_known (stream_id, resource_id, resource_type, version)
       select ?, id, resource_type, version from jsonb_to_recordset(?::jsonb) as k(id uuid, resource_type text, version bigint)
       on conflict (stream_id, resource_id) do nothing`,
      [streamId, JSON.stringify(known)],
    );
  if (forgotten.length > 0)
    await sql(tx, 'delete from event_known where stream_id = ? and resource_id = any(?::uuid[])', [
      streamId,
      forgotten,
    ]);
}

export interface KnownResource {
  readonly id: string;
  readonly resource_type: ResourceType;
  readonly version: string;
}

/**
 * The receiver was told of everybody up to a place in the change log: it knows who was there then, also those who are
 * deleted since, and nothing of what came after.
 */
export async function fillKnownAt(tx: Db, streamId: string, { xid, seq }: JournalPlace): Promise<void> {
  await sql(
    tx,
    `with since as (select distinct on (c.resource_id) c.resource_id, c.resource_type, c.operation from changes c
       where (c.xid, c.seq) > (?::text::xid8, ?::bigint) order by c.resource_id, c.xid, c.seq)
     insert into event_known (stream_id, resource_id, resource_type, version)
     select ?::uuid, k.id, k.resource_type, 0 from (
       select r.id, r.resource_type from resources r where r.deleted_at is null
       union all select resource_id, resource_type from since) k
     where not exists (select 1 from since where since.resource_id = k.id and since.operation = 'create')
     on conflict (stream_id, resource_id) do nothing`,
    [xid, seq, streamId],
  );
}

/** Types by which somebody ends for a receiver. */
const END = '(deleted|prov:delete|feed:remove)';

/**
 * Drops what waits to be told of those who are not seen any more, but for the end of their access. Who was to be told of
 * as new, and never was, is known no more: of their end nothing is told either.
 */
export async function dropUnseen(tx: Db, streamId: string, visible: Visible): Promise<void> {
  const statement = new Statement();
  const stream = statement.bind(streamId, 'uuid');
  const text = `with dropped as (delete from event_deliveries d where d.stream_id = ${stream} and d.state = 'pending' and d.resource_id is not null
      and not d.urgent and d.type !~ '${END}'
      and not exists (select 1 from resources r where r.id = d.resource_id and r.deleted_at is null and (case ${seenOf(statement, visible)} end))
      returning d.resource_id, d.seq, d.attempted_at is null and d.type ~ '(created|prov:create|feed:add)' as is_new),
    untold as (select resource_id, min(seq) as since from dropped where is_new group by resource_id),
    ends as (delete from event_deliveries d using untold where d.stream_id = ${stream} and d.resource_id = untold.resource_id
      and d.seq > untold.since and d.state = 'pending' and d.attempted_at is null and (d.urgent or d.type ~ '${END}'))
    delete from event_known k using untold where k.stream_id = ${stream} and k.resource_id = untold.resource_id`;
  await queryOn(tx, { text, values: statement.values });
}

/** The receiver knows everybody whom `visible` shows, and nobody else, without being told. */
export async function fillKnown(tx: Db, streamId: string, visible: Visible): Promise<void> {
  const statement = new Statement();
  const stream = statement.bind(streamId, 'uuid');
  const text = `insert into event_known (stream_id, resource_id, resource_type, version)
    select ${stream}, r.id, r.resource_type, r.version from resources r join (${idsInScope(statement, visible)}) seen on seen.id = r.id
    on conflict (stream_id, resource_id) do nothing`;
  await queryOn(tx, { text, values: statement.values });
}

export async function clearKnown(tx: Db, streamId: string): Promise<void> {
  await sql(tx, 'delete from event_known where stream_id = ?', [streamId]);
}

export interface SubjectRow {
  readonly id: string;
  readonly resource_type: ResourceType;
  readonly version: string;
  /** As SCIM answers it, or did. */
  readonly external_id: string | null;
  readonly active: boolean;
  /** As in `ScopeDifference`. */
  readonly turned: boolean;
  /** Of a resource that is there; its attributes at this moment. */
  readonly body: string | null;
  /** Whether the receiver may see it now. */
  readonly seen: boolean;
  /** The version of which the receiver was told first; null when it does not know the resource. */
  readonly known: string | null;
}

/** What is to be known of the resources that changed. */
export async function readSubjects(
  tx: Db,
  { streamId, place, visible }: Asked,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SubjectRow>> {
  const statement = new Statement();
  const wanted = statement.bind(ids, 'uuid[]');
  const stream = statement.bind(streamId, 'uuid');
  const text = `select r.id, r.resource_type, r.version, ${SERVED_EXTERNAL_ID} as external_id, r.active, ${turnedSince(statement, place)} as turned, case when r.deleted_at is null then r.body end as body,
      r.deleted_at is null and (case ${seenOf(statement, visible)} end) as seen, k.version as known
    from resources r left join event_known k on k.stream_id = ${stream} and k.resource_id = r.id where r.id = any(${wanted})`;
  const { rows } = await queryOn<SubjectRow>(tx, { text, values: statement.values });
  return new Map(rows.map((row) => [row.id, row]));
}

/** A group that the receiver knows and sees, and whose members it sees more of now. */
export interface HoldingGroup {
  readonly id: string;
  readonly external_id: string | null;
  readonly version: string;
  /** Names of attributes in a message that waited with the whole group and was dropped. */
  readonly dropped: readonly string[];
}

/**
 * The groups that hold some of these, but for those with a change of members that is still to be read and told. What
 * waits to be told of their members is dropped: it is to be told anew.
 */
export async function takeHoldingGroups(
  tx: Db,
  { streamId, place, visible }: { streamId: string; place: JournalPlace; visible: Visible | undefined },
  ids: readonly string[],
): Promise<readonly HoldingGroup[]> {
  const statement = new Statement();
  const wanted = statement.bind(ids, 'uuid[]');
  const stream = statement.bind(streamId, 'uuid');
  const xid = `${statement.bind(place.xid, 'text')}::xid8`;
  const seq = statement.bind(place.seq, 'bigint');
  const text = `with holding as materialized (select r.id, r.resource_type, r.version, r.pos, ${SERVED_EXTERNAL_ID} as external_id from resources r
      where r.id in (select m.group_id from group_members m where m.member_id = any(${wanted})) and r.deleted_at is null
        and exists (select 1 from event_known k where k.stream_id = ${stream} and k.resource_id = r.id)
        and not exists (select 1 from changes c where (c.xid, c.seq) > (${xid}, ${seq}) and c.resource_id = r.id and c.operation = 'membership')
        and (case ${seenOf(statement, visible)} end)),
      dropped as (delete from event_deliveries d using holding where d.stream_id = ${stream} and d.resource_id = holding.id
        and d.state = 'pending' and d.attempted_at is null and (d.payload like '%"attributes":["members"]%' or d.type like '%prov:put:full%')
        returning d.resource_id, case when d.type like '%prov:put:full%' then d.payload end as whole)
    select h.id, h.external_id, h.version, array(select distinct name from dropped x
        cross join lateral jsonb_each(x.whole::jsonb -> 'events') e(uri, said) cross join lateral jsonb_object_keys(e.said -> 'data') name
        where x.resource_id = h.id and x.whole is not null and e.said ? 'data') as dropped
    from holding h order by h.pos`;
  return (await queryOn<HoldingGroup>(tx, { text, values: statement.values })).rows;
}

/** Branches of a `case`: whether resource `r` is seen. */
function seenOf(statement: Statement, visible: Visible | undefined): string {
  return TYPES.map(
    (type) => `when r.resource_type = '${type}' then ${statement.where(visible?.condition(type, 'few'))}`,
  ).join(' ');
}

/** Resources as they are served, groups with the members that are seen; users without their groups. */
export async function readWhole(
  tx: Db,
  ids: readonly string[],
  visible: Visible | undefined,
): Promise<readonly ServedRow[]> {
  const statement = new Statement();
  const wanted = statement.bind(ids, 'uuid[]');
  const columns = servedColumns(statement, undefined, { related: ['Group'], visible });
  const text = `select p.id, ${columns} from resources p where p.id = any(${wanted}) and p.deleted_at is null`;
  return (await queryOn<ServedRow>(tx, { text, values: statement.values })).rows;
}
