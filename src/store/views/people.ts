// Users and groups as administrators look for them: served by an index, whatever is asked for.
import { isUuid } from '#core/ids.ts';
import { nameKey } from '#core/names.ts';
import { GATEWAY_SCHEMA, type Origin, type ResourceType } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { type Db, sql } from '../database.ts';
import { type Page, pageOf } from './page.ts';

/** One line of a list. */
export interface PersonView {
  readonly id: string;
  readonly origin: Origin;
  readonly externalId: string | null;
  /** Null for a group. */
  readonly userName: string | null;
  readonly displayName: string | null;
  readonly active: boolean;
  /** The primary address, else the first. */
  readonly email: string | null;
  /** The groups from the path-display group down to a user; null where there is no such way. */
  readonly affiliationPath: string | null;
  readonly memberCount: number;
  /** Of a group, how many groups are in it; 0 for a user. */
  readonly groupCount: number;
  /** When a sync deactivated it because it left the scope. */
  readonly leftAt: string | null;
  /** Edited by hand although a provider owns it: the next run brings back what the provider says. */
  readonly overridden: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When it was removed; null for one who is here. */
  readonly deletedAt: string | null;
}

/** A place in the order of a list. */
export interface NamePlace {
  readonly name: string;
  readonly pos: string;
}

export interface PeopleQuery {
  readonly type: ResourceType;
  /** How a user name or display name begins, a whole address, or an id (ours or the provider's). */
  readonly search?: string | undefined;
  readonly origin?: Origin | undefined;
  readonly active?: boolean | undefined;
  /** Those who were removed and are still kept, instead of those who are here. */
  readonly removed?: boolean | undefined;
  /** Groups that are in no group. */
  readonly top?: boolean | undefined;
  /** Only who is directly in this group, by our id. */
  readonly within?: string | undefined;
  readonly limit: number;
  readonly after?: NamePlace | undefined;
}

/**
 * What a sync applied has a digest until somebody else writes to it; for memberships the last line of the change log
 * tells, since a group may also have none because somebody in it is not here.
 */
const OVERRIDDEN = `(r.deleted_at is null and r.origin <> 'manual' and r.external_id is not null and r.left_at is null and (r.digest is null or r.resource_type = 'Group'
  and r.members_digest is null and coalesce((select c.actor from changes c where c.resource_id = r.id and c.operation = 'membership'
    order by c.seq desc limit 1), 'sync') <> 'sync'))`;

const COLUMNS = `r.id, r.origin, r.external_id as "externalId", d.doc ->> 'userName' as "userName", d.doc ->> 'displayName' as "displayName",
  r.active, (select e.value ->> 'value' from jsonb_array_elements(coalesce(d.doc -> 'emails', '[]')) with ordinality e(value, place)
    order by coalesce(e.value ->> 'primary', '') <> 'true', e.place limit 1) as email,
  d.doc -> '${GATEWAY_SCHEMA}' ->> 'affiliationPath' as "affiliationPath", r.member_count as "memberCount",
  case when r.resource_type = 'Group' then (select count(*)::int from group_members gm where gm.group_id = r.id and gm.member_type = 'Group') else 0 end as "groupCount", r.left_at as "leftAt", ${OVERRIDDEN} as overridden, r.created_at as "createdAt",
  r.updated_at as "updatedAt", r.deleted_at as "deletedAt"`;

const DOCUMENT = 'cross join lateral (select r.body::jsonb as doc) d';

interface Row extends PersonView {
  readonly name_key: string;
  readonly pos: string;
}

/** Ordered by user name, or by display name of groups. `nextPlace` is undefined on the last page. */
export async function listPeople(
  db: Db,
  { type, search, origin, active, removed = false, top, within, limit, after }: PeopleQuery,
): Promise<{ readonly items: readonly PersonView[]; readonly nextPlace: NamePlace | undefined }> {
  const found = search === undefined ? undefined : removed ? anyWay(search) : await finding(db, type, search);
  const conditions = [
    `r.resource_type = ? and r.deleted_at is ${removed ? 'not null' : 'null'}`,
    ...(found === undefined ? [] : [`(${found.text})`]),
    ...(origin === undefined ? [] : ['r.origin = ?']),
    ...(active === undefined ? [] : ['r.active = ?']),
    ...(top === true ? ['not exists (select 1 from group_members up where up.member_id = r.id)'] : []),
    ...(within === undefined
      ? []
      : ['exists (select 1 from group_members up where up.group_id = ? and up.member_id = r.id)']),
    ...(after === undefined ? [] : ['(r.name_key, r.pos) > (?, ?::bigint)']),
  ];
  const { rows } = await sql<Row>(
    db,
    `select r.name_key, r.pos, ${COLUMNS}
     from (select * from resources r where ${conditions.join(' and ')} order by r.name_key, r.pos limit ?) r ${DOCUMENT}
     order by r.name_key, r.pos`,
    [
      type,
      ...(found?.values ?? []),
      ...(origin === undefined ? [] : [origin]),
      ...(active === undefined ? [] : [active]),
      ...(within === undefined ? [] : [within]),
      ...(after === undefined ? [] : [after.name, after.pos]),
      limit + 1,
    ],
  );
  const last = rows[limit - 1];
  const nextPlace = rows.length > limit && last !== undefined ? { name: last.name_key, pos: last.pos } : undefined;
  return { items: rows.slice(0, limit).map(strip), nextPlace };
}

const ANY_ORIGIN = `r.origin = any('{manual,microsoft365,scim,ldap,csv}')`;

/** A search that finds more than so many is served in the order of the list, which comes upon them soon enough. */
const FEW_MAX = 1_000;

/**
 * Each way of naming somebody has its own index, and few are looked up by those. One that finds nearly everybody would
 * have to sort them all; there the list is read in its order, and whoever does not fit passed over.
 */
async function finding(db: Db, type: ResourceType, search: string): Promise<Finding> {
  const ways = waysOf(search);
  const { rows } = await sql<{ id: string }>(
    db,
    ways
      .map(
        ({ text }) =>
          `(select r.id from resources r where r.resource_type = ? and r.deleted_at is null and ${text} limit ${FEW_MAX + 1})`,
      )
      .join(' union '),
    ways.flatMap(({ values }) => [type, ...values]),
  );
  if (rows.length <= FEW_MAX) return { text: 'r.id = any(?::uuid[])', values: [rows.map(({ id }) => id)] };
  return { text: ways.map(({ text }) => text).join(' or '), values: ways.flatMap(({ values }) => values) };
}

/** Of the removed there are not so many that one index would not do. */
function anyWay(search: string): Finding {
  const ways = waysOf(search);
  return { text: ways.map(({ text }) => text).join(' or '), values: ways.flatMap(({ values }) => values) };
}

interface Finding {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Conditions on `r`, the cheapest first. */
function waysOf(search: string): readonly Finding[] {
  const text = search.trim();
  const from = foldCase(text);
  const key = nameKey(text);
  // The last character of Unicode ends every name that begins so.
  const to = `${from}\u{10ffff}`;
  return [
    { text: 'r.name_key >= ? and r.name_key < ?', values: [key, `${key}\u{10ffff}`] },
    {
      text: `(r.search ->> 'displayName') collate "C" >= ? and (r.search ->> 'displayName') collate "C" < ?`,
      values: [from, to],
    },
    { text: `${ANY_ORIGIN} and r.external_id = ?`, values: [text] },
    ...(isUuid(text) ? [{ text: 'r.id = ?', values: [from] }] : []),
    { text: 'r.search @> ?::jsonb', values: [JSON.stringify({ emails: [{ value: from }] })] },
  ];
}

function strip({ name_key: _name, pos: _pos, ...person }: Row): PersonView {
  return person;
}

/** What the list says of one, live or not; undefined when there never was such a one. */
export async function readPerson(db: Db, type: ResourceType, id: string): Promise<PersonView | undefined> {
  const { rows } = await sql(
    db,
    `select ${COLUMNS} from resources r ${DOCUMENT} where r.id = ? and r.resource_type = ?`,
    [id, type],
  );
  return rows[0];
}

/** One line of the change log. */
export interface HistoryEntry {
  readonly id: string;
  readonly at: string;
  readonly operation: 'create' | 'update' | 'deactivate' | 'delete' | 'membership';
  /** `sync`, or `token:<id>`. */
  readonly actor: string;
  readonly runId: string | null;
  readonly version: number;
  /** Which attributes changed; how many members came and went. */
  readonly detail: unknown;
}

/** What happened to one resource, newest first. */
export async function listHistory(
  db: Db,
  id: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<HistoryEntry>> {
  const { rows } = await sql<HistoryEntry>(
    db,
    `select seq as id, at, operation, actor, run_id as "runId", version::int as version, detail from changes
     where resource_id = ? and (?::bigint is null or seq < ?::bigint) order by seq desc limit ?`,
    [id, cursor ?? null, cursor ?? null, limit + 1],
  );
  return pageOf(rows, limit, (entry) => entry.id);
}

/** A member of a group. */
export interface MemberView {
  readonly id: string;
  readonly type: ResourceType;
  readonly display: string;
  readonly active: boolean;
}

/** Direct members in a stable order. `cursor` is the id of the last one seen. */
export async function listMembers(
  db: Db,
  groupId: string,
  { limit, cursor, type }: { limit: number; cursor?: string | undefined; type?: ResourceType | undefined },
): Promise<Page<MemberView>> {
  const { rows } = await sql<MemberView>(
    db,
    `select r.id, r.resource_type as type, r.display, r.active from group_members gm join resources r on r.id = gm.member_id
     where gm.group_id = ? and (?::uuid is null or gm.member_id > ?::uuid) and (?::text is null or gm.member_type = ?)
     order by gm.member_id limit ?`,
    [groupId, cursor ?? null, cursor ?? null, type ?? null, type ?? null, limit + 1],
  );
  return pageOf(rows, limit, (member) => member.id);
}
