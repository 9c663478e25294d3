import type { MembershipFacts } from '#core/membership-scope.ts';
import { type Db, sql } from '../database.ts';
import type { Subject } from './explain.ts';

/** Somebody's place among the groups, as the last run has found it. */
export async function readMembershipFacts(db: Db, subject: Subject): Promise<MembershipFacts> {
  const { provider, externalId, resourceType } = subject;
  const { rows } = await sql<{ path: string | null; depth: number | null; reason: string | null; conditions: number }>(
    db,
    `select m.reason, coalesce(r.path, w.path) as path, r.depth, coalesce(c.sum, 0)::int as conditions
     from mirror_records m
     left join mirror_reach r on m.resource_type = 'Group' and r.provider = m.provider and r.external_id = m.external_id
     left join lateral (
       select r.path from mirror_members mm join mirror_reach r on r.provider = mm.provider and r.external_id = mm.group_external_id
       where m.resource_type = 'User' and mm.provider = m.provider and mm.member_external_id = m.external_id
       order by r.depth, r.path collate "C", r.external_id limit 1) w on true
     left join lateral (
       select bit_or(1 << c.place) as sum from mirror_members mm
       join mirror_conditions c on c.provider = mm.provider and c.external_id = mm.group_external_id
       where m.resource_type = 'User' and mm.provider = m.provider and mm.member_external_id = m.external_id) c on true
     where m.provider = ? and m.resource_type = ? and m.external_id = ?`,
    [provider, resourceType, externalId],
  );
  const { path = null, reason = null, conditions = 0 } = rows[0] ?? {};
  const below = reason === 'NestedGroupIgnored' || reason === 'NestedGroupFlattened' ? reason : null;
  return { path, selected: path !== null && below === null, below, conditions };
}
