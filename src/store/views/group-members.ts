// Who is in a group, also through the groups in it, with the way to each. Nothing here grows with the number of members.
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { type Page, pageOf } from './page.ts';
import type { MemberView } from './people.ts';

/** A group on the way to a member. */
export interface Step {
  readonly id: string;
  readonly display: string;
}

export interface WholeMemberView extends MemberView {
  /** The groups below this one that lead to the member, by the shortest way; empty for a direct member. */
  readonly path: readonly Step[];
  /** How many of the groups name it: more than one when there are other ways. */
  readonly ways: number;
}

/** A group within another, by the shortest way to it. */
interface Below extends Step {
  readonly path: readonly Step[];
}

/** Groups that are looked at, the nearest first: beyond, a way is too long to say anything. */
const GROUPS_MAX = 5_000;

interface Row extends MemberView {
  readonly via: string;
  readonly ways: number;
}

/**
 * Members of a group and of the groups in it, each once, in a stable order. A group that is in itself is not a member of
 * itself. `cursor` is the id of the last one seen.
 */
export async function listWholeMembers(
  db: Db,
  groupId: string,
  { limit, cursor, type }: { limit: number; cursor?: string | undefined; type?: ResourceType | undefined },
): Promise<Page<WholeMemberView>> {
  const groups = await groupsBelow(db, groupId);
  const { rows } = await sql<Row>(
    db,
    `with found as materialized (
       select m.member_id, m.group_id, g.place from unnest(?::uuid[]) with ordinality as g(id, place)
       cross join lateral (select member_id, group_id from group_members
         where group_id = g.id and (?::uuid is null or member_id > ?::uuid) and (?::text is null or member_type = ?)
         order by member_id limit ?) m
       where m.member_id <> ?),
     page as (select member_id, (array_agg(group_id order by place))[1] as via, count(*)::int as ways
       from found group by member_id order by member_id limit ?)
     select r.id, r.resource_type as type, r.display, r.active, p.via, p.ways
     from page p join resources r on r.id = p.member_id order by p.member_id`,
    [
      [...groups.keys()],
      ...[cursor ?? null, cursor ?? null, type ?? null, type ?? null],
      // One more in case the group itself is among them.
      ...[limit + 2, groupId, limit + 1],
    ],
  );
  const page = pageOf(rows, limit, ({ id }) => id);
  return {
    ...page,
    items: page.items.map(({ via, ...member }) => ({ ...member, path: groups.get(via)?.path ?? [] })),
  };
}

export interface MemberCounts {
  readonly users: number;
  readonly groups: number;
}

/** How many users and groups those are, each counted once. */
export async function countWholeMembers(db: Db, groupId: string): Promise<MemberCounts> {
  const groups = await groupsBelow(db, groupId);
  const { rows } = await sql<MemberCounts>(
    db,
    `select count(distinct member_id) filter (where member_type = 'User')::int as users,
       count(distinct member_id) filter (where member_type = 'Group' and member_id <> ?)::int as groups
     from group_members where group_id = any(?::uuid[])`,
    [groupId, [...groups.keys()]],
  );
  return rows[0] ?? { users: 0, groups: 0 };
}

/** The group itself and all groups below it, nearest first, level by level; in whatever circles they stand, each once. */
async function groupsBelow(db: Db, groupId: string): Promise<ReadonlyMap<string, Below>> {
  const known = new Map<string, Below>([[groupId, { id: groupId, display: '', path: [] }]]);
  for (let level = [groupId]; level.length > 0 && known.size < GROUPS_MAX; ) {
    const { rows } = await sql<Step & { parent: string }>(
      db,
      `select distinct on (m.member_id) m.member_id as id, m.group_id as parent, r.display
       from group_members m join resources r on r.id = m.member_id
       where m.group_id = any(?::uuid[]) and m.member_type = 'Group' order by m.member_id, r.display, m.group_id`,
      [level],
    );
    const fresh = rows.filter(({ id }) => !known.has(id)).slice(0, GROUPS_MAX - known.size);
    for (const { id, display, parent } of fresh)
      known.set(id, { id, display, path: [...(known.get(parent)?.path ?? []), { id, display }] });
    level = fresh.map(({ id }) => id);
  }
  return known;
}
