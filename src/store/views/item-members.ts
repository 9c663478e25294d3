// Whose memberships an item of a plan changes, one by one.
import { type Db, sql } from '../database.ts';
import { type Page, type PageQuery, pageOf } from './page.ts';
import type { PlanView } from './plans.ts';

export interface ItemMemberView {
  readonly change: 'added' | 'removed';
  readonly group: { readonly id: string | null; readonly displayName: string | null };
  readonly member: {
    readonly id: string | null;
    readonly externalId: string | null;
    readonly type: string;
    readonly displayName: string | null;
  };
}

export interface ItemMembersQuery extends PageQuery {
  readonly change?: 'added' | 'removed' | undefined;
}

/** Of a membership item: who comes and who goes. */
const OF_GROUP = `select pm.removed, i.resource_id as group_id, i.label as group_name, coalesce(r.id, born.resource_id) as member_id,
    coalesce(r.external_id, pm.member_external_id) as member_external_id, pm.member_type, coalesce(r.display, born.label) as member_name
  from plan_members pm
  join plan_items i on i.plan_id = pm.plan_id and i.seq = pm.seq
  left join resources r on r.id = pm.member_id
  left join plan_items born on born.plan_id = pm.plan_id and born.external_id = pm.member_external_id
    and born.resource_type = pm.member_type and born.action = 'create' and pm.member_id is null
  where pm.plan_id = ? and pm.seq = ?`;

/** Of a removal that was applied: what went with it. */
const LOST = `select true as removed, lm.group_id, lm.member_id, lm.member_type
  from plan_lost_members lm where lm.plan_id = ? and lm.seq = ?`;

/** Of a removal that was not: what would go with it now. */
const WOULD_GO = `select true as removed, gm.group_id, gm.member_id, gm.member_type
  from plan_items i join group_members gm on gm.group_id = i.resource_id or gm.member_id = i.resource_id
  join resources g on g.id = gm.group_id and (i.action = 'delete' or g.origin = ?)
  where i.plan_id = ? and i.seq = ?`;

/**
 * The memberships that an item changes; the groups that somebody who is removed leaves, and the members of a group
 * that is deleted. Undefined when the plan has no such item.
 */
export async function listItemMembers(
  db: Db,
  plan: Pick<PlanView, 'id' | 'provider'>,
  seq: string,
  { limit, cursor, change }: ItemMembersQuery,
): Promise<Page<ItemMemberView> | undefined> {
  const { rows: found } = await sql(db, 'select action, outcome from plan_items where plan_id = ? and seq = ?', [
    plan.id,
    seq,
  ]);
  if (found[0] === undefined) return undefined;
  const { action, outcome } = found[0];
  const removal = action === 'deactivate' || action === 'delete';
  const named = (from: string): string => `select x.*, g.display as group_name, r.external_id as member_external_id,
    r.display as member_name from (${from}) x left join resources g on g.id = x.group_id left join resources r on r.id = x.member_id`;
  const applied = outcome === 'applied';
  const from = removal ? named(applied ? LOST : WOULD_GO) : OF_GROUP;
  const values = removal && !applied ? [plan.provider, plan.id, seq] : [plan.id, seq];
  const offset = Number(cursor ?? 0);
  const { rows } = await sql(
    db,
    `select removed, group_id, group_name, member_id, member_external_id, member_type, member_name from (${from}) m
     where ?::boolean is null or removed = ?::boolean
     order by removed, group_id, member_external_id, member_id limit ? offset ?`,
    [...values, change === undefined ? null : change === 'removed', change === 'removed', limit + 1, offset],
  );
  return pageOf(rows.map(viewMember), limit, () => String(offset + limit));
}

function viewMember(row: Record<string, string | null> & { removed: boolean }): ItemMemberView {
  return {
    change: row.removed ? 'removed' : 'added',
    group: { id: row['group_id'] ?? null, displayName: row['group_name'] ?? null },
    member: {
      id: row['member_id'] ?? null,
      externalId: row['member_external_id'] ?? null,
      type: row['member_type'] ?? 'User',
      displayName: row['member_name'] ?? null,
    },
  };
}
