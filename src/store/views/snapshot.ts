// The whole directory page by page, for a consumer that begins: users, then groups, then memberships.
import type { JournalPlace } from '#core/journal.ts';
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export type SnapshotPart = 'User' | 'Group' | 'members';

/** Where a page starts: after this row of this part. */
export interface SnapshotPlace {
  readonly part: SnapshotPart;
  /** `pos` of a resource, or group and member of a membership; empty at the start of a part. */
  readonly at: string;
}

export type SnapshotItem =
  | {
      readonly kind: 'resource';
      readonly resourceType: ResourceType;
      readonly id: string;
      readonly version: number;
      readonly resource: unknown;
    }
  | {
      readonly kind: 'membership';
      readonly groupId: string;
      readonly memberId: string;
      readonly memberType: ResourceType;
    };

const NEXT: Readonly<Record<SnapshotPart, SnapshotPart | undefined>> = {
  User: 'Group',
  Group: 'members',
  members: undefined,
};

/**
 * One page; `next` is undefined after the last. A page may be shorter than asked for where a part ends, or empty. A
 * membership comes after its group and its member: where one of the two was made after `begun`, all three are left to the
 * journal, and the page is shorter.
 * @param begun the end of the journal when the first page was read
 */
export async function readSnapshot(
  db: Db,
  place: SnapshotPlace,
  begun: JournalPlace,
  limit: number,
): Promise<{ readonly items: readonly SnapshotItem[]; readonly next: SnapshotPlace | undefined }> {
  const { items, last } =
    place.part === 'members'
      ? await readMemberships(db, place.at, begun, limit)
      : await readPart(db, place.part, place.at, limit);
  if (last !== undefined) return { items, next: { part: place.part, at: last } };
  const following = NEXT[place.part];
  return { items, next: following && { part: following, at: '' } };
}

interface Rows {
  readonly items: readonly SnapshotItem[];
  /** Undefined where the part ends. */
  readonly last: string | undefined;
}

async function readPart(db: Db, type: ResourceType, at: string, limit: number): Promise<Rows> {
  const { rows } = await sql<{ id: string; pos: string; version: number; body: string }>(
    db,
    `select id, pos, version::int as version, body from resources
     where resource_type = ? and deleted_at is null and pos > ?::bigint order by pos limit ?`,
    [type, at === '' ? '0' : at, limit],
  );
  const items = rows.map(({ id, version, body }): SnapshotItem => {
    const resource = { id, ...JSON.parse(body) };
    return { kind: 'resource', resourceType: type, id, version, resource };
  });
  return { items, last: rows.length < limit ? undefined : rows.at(-1)?.pos };
}

const NIL = '00000000-0000-0000-0000-000000000000';

interface Membership {
  readonly groupId: string;
  readonly memberId: string;
  readonly memberType: ResourceType;
}

async function readMemberships(db: Db, at: string, begun: JournalPlace, limit: number): Promise<Rows> {
  const [group = NIL, member = NIL] = at === '' ? [] : at.split(' ');
  const { rows } = await sql<Membership>(
    db,
    `select group_id as "groupId", member_id as "memberId", member_type as "memberType" from group_members
     where (group_id, member_id) > (?::uuid, ?::uuid) order by group_id, member_id limit ?`,
    [group, member, limit],
  );
  const made = await madeSince(db, begun, [...new Set(rows.flatMap(({ groupId, memberId }) => [groupId, memberId]))]);
  const last = rows.at(-1);
  return {
    items: rows
      .filter(({ groupId, memberId }) => !made.has(groupId) && !made.has(memberId))
      .map((row) => ({ kind: 'membership', ...row })),
    last: rows.length < limit ? undefined : last && `${last.groupId} ${last.memberId}`,
  };
}

/** Those of one page alone: of all who were made meanwhile, each page would compare its members with each. */
async function madeSince(db: Db, { xid, seq }: JournalPlace, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>(
    db,
    `select resource_id as id from changes
     where resource_id = any(?::uuid[]) and operation = 'create' and (xid, seq) > (?::text::xid8, ?::bigint)`,
    [ids, xid, seq],
  );
  return new Set(rows.map(({ id }) => id));
}
