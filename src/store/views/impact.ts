// What a switch to a provider would do, as its impact plan has it.
import type { LeavePolicy } from '#core/policy.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { IS_LINK } from '../plan/matching.ts';
import type { PlanStatus } from '../plan/plans.ts';

export interface ImpactFigures {
  /** Accounts or groups of another provider that go on as this one's, under their ids. */
  readonly linked: number;
  /** Those that are this provider's already, and stay. */
  readonly own: number;
  /** All whose SCIM id stays the same: linked, own, and left over ones that are not deleted. */
  readonly idsKept: number;
  readonly created: number;
  readonly leftOver: number;
  readonly deactivated: number;
  readonly deleted: number;
  /** Records that may mean somebody, and wait for a person. */
  readonly inQuestion: number;
}

export interface ImpactView {
  readonly planId: string;
  readonly runId: string;
  readonly provider: ProviderKindName;
  /** The provider that was active when it was made. */
  readonly from: ProviderKindName | null;
  readonly leftOvers: LeavePolicy;
  readonly status: PlanStatus;
  /** False after a read that stopped early: such a plan switches nothing. */
  readonly complete: boolean;
  readonly configVersion: number;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly users: ImpactFigures;
  readonly groups: ImpactFigures;
  /** How many were linked by which attribute; `former` for a link that there was before. */
  readonly linkedBy: Readonly<Record<string, number>>;
}

interface Row extends Omit<ImpactView, 'users' | 'groups' | 'linkedBy'> {}

/** The newest impact plan of this provider; undefined when there is none. */
export async function readSwitchImpact(db: Db, provider: ProviderKindName): Promise<ImpactView | undefined> {
  const { rows } = await sql<Row>(
    db,
    `select p.id as "planId", p.run_id as "runId", p.provider, r.options ->> 'from' as "from", r.options ->> 'leftOvers' as "leftOvers",
       case when p.status = 'held' and p.expires_at < now() then 'expired' else p.status end as status, p.complete,
       p.config_version::int as "configVersion", p.created_at as "createdAt", p.expires_at as "expiresAt"
     from plans p join runs r on r.id = p.run_id
     where p.provider = ? and r.trigger = 'switch' and p.status not in ('building', 'ready') order by p.created_at desc, p.id limit 1`,
    [provider],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    ...row,
    users: await figuresOf(db, row, 'User'),
    groups: await figuresOf(db, row, 'Group'),
    linkedBy: await linkedBy(db, row.planId),
  };
}

async function figuresOf(db: Db, { planId, provider }: Row, type: 'User' | 'Group'): Promise<ImpactFigures> {
  const { rows } = await sql<ImpactFigures>(
    db,
    `select linked, own, created, left_over as "leftOver", deactivated, deleted, in_question as "inQuestion",
       linked + own + left_over - deleted as "idsKept"
     from (
       select count(*) filter (where action = 'update' and ${IS_LINK})::int as linked,
         count(*) filter (where action = 'create')::int as created,
         count(*) filter (where reason = 'LeftOver')::int as left_over,
         count(*) filter (where reason = 'LeftOver' and action = 'deactivate')::int as deactivated,
         count(*) filter (where reason = 'LeftOver' and action = 'delete')::int as deleted,
         count(*) filter (where reason in ('Disputed', 'MatchAmbiguous'))::int as in_question
       from plan_items where plan_id = ? and resource_type = ? and action <> 'membership') i
     cross join (select count(*)::int as own from resources r where r.resource_type = ? and r.origin = ? and r.deleted_at is null
       and not exists (select 1 from plan_items l where l.plan_id = ? and l.resource_id = r.id and (${IS_LINK} or l.action = 'delete'))) o`,
    [planId, type, type, provider, planId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a count is one row');
  return row;
}

async function linkedBy(db: Db, planId: string): Promise<Record<string, number>> {
  const { rows } = await sql<{ by: string; count: number }>(
    db,
    `select coalesce(attribute, 'decision') as by, count(*)::int as count from plan_links where plan_id = ? group by 1 order by 1`,
    [planId],
  );
  return Object.fromEntries(rows.map(({ by, count }) => [by, count]));
}
