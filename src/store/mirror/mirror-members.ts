// What a read of members would take away from the mirror.
import type { MemberRef } from '#core/pages.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { textArray } from '../arrays.ts';
import { type Db, sql } from '../database.ts';
import type { GroupMembers } from './mirror.ts';

/** Members that the mirror holds of these groups and that are not among those who were read. */
export async function readLostMembers(
  db: Db,
  provider: ProviderKindName,
  groups: readonly GroupMembers[],
): Promise<readonly (MemberRef & { readonly group: string })[]> {
  if (groups.length === 0) return [];
  const pairs = groups.flatMap(({ group, members }) => members.map(({ externalId }) => [group, externalId] as const));
  const { rows } = await sql<MemberRef & { group: string }>(
    db,
    `with read as materialized (select * from unnest(?::text[], ?::text[]) as r(group_id, member_id))
     select m.group_external_id as group, m.member_external_id as "externalId", m.member_type as type
     from unnest(?::text[]) as g(id) join mirror_members m on m.provider = ? and m.group_external_id = g.id
     where not exists (select 1 from read r where r.group_id = m.group_external_id and r.member_id = m.member_external_id)`,
    [
      textArray(pairs.map(([group]) => group)),
      textArray(pairs.map(([, member]) => member)),
      groups.map(({ group }) => group),
      provider,
    ],
  );
  return rows;
}
