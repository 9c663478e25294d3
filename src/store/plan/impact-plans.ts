// Plans that show what settings which are not saved would do. They are never applied.
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export interface ImpactPlan {
  readonly provider: ProviderKindName;
  readonly impact_of: string | null;
  readonly config_version: string;
  /** It has not expired, and no run has planned anything since. */
  readonly current: boolean;
}

/** Whose impact a plan shows, by the digest of those settings. */
export async function markImpact(db: Db, planId: string, digest: string): Promise<void> {
  await sql(db, 'update plans set impact_of = ? where id = ?', [digest, planId]);
}

export async function readImpact(db: Db, planId: string): Promise<ImpactPlan | undefined> {
  const { rows } = await sql<ImpactPlan>(
    db,
    `select p.provider, p.impact_of, p.config_version, (p.expires_at > now() and not exists (
       select 1 from runs later join runs mine on mine.id = p.run_id
       where later.provider = p.provider and later.seq > mine.seq and not later.preview and later.plan_id is not null)) as current
     from plans p where p.id = ?`,
    [planId],
  );
  return rows[0];
}

/** Who and what a plan would take away. A membership counts once, also where its group goes and its member too. */
export async function countRemovals(
  db: Db,
  planId: string,
): Promise<{ readonly users: number; readonly groups: number; readonly memberships: number }> {
  const { rows } = await sql(
    db,
    `select count(*) filter (where action in ('deactivate', 'delete') and resource_type = 'User')::int as users,
       count(*) filter (where action in ('deactivate', 'delete') and resource_type = 'Group')::int as groups,
       (coalesce(sum(removed) filter (where action = 'membership'), 0) + (select count(*) from (
         select gm.group_id, gm.member_id from plan_items i join group_members gm on gm.group_id = i.resource_id
         where i.plan_id = ? and i.action in ('deactivate', 'delete') and i.resource_type = 'Group'
         union
         select gm.group_id, gm.member_id from plan_items i join group_members gm on gm.member_id = i.resource_id
         join resources g on g.id = gm.group_id
         where i.plan_id = ? and i.action in ('deactivate', 'delete')
           and (i.action = 'delete' or g.origin = (select provider from plans where id = ?))) lost))::int as memberships
     from plan_items where plan_id = ?`,
    [planId, planId, planId, planId],
  );
  return rows[0];
}
