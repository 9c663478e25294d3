// Plans as the admin API shows them.
import type { CountsByType } from '#core/counts.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import type { PlanStatus } from '../plan/plans.ts';

export interface PlanView {
  readonly id: string;
  readonly runId: string;
  readonly provider: ProviderKindName;
  readonly status: PlanStatus;
  /** Whether the read behind it was complete; without that nothing is removed. */
  readonly complete: boolean;
  readonly base: unknown;
  readonly configVersion: number;
  readonly hash: string | null;
  readonly counts: Readonly<Record<string, number>>;
  /** The same of users, groups and memberships apart; null for a plan of an earlier release. */
  readonly countsByType: CountsByType | null;
  readonly held: unknown;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly decidedAt: string | null;
  readonly decidedBy: string | null;
  readonly supersededBy: string | null;
  /** The unanswered plan whose place it took, and what is different: items added, the same, and dropped. */
  readonly supersedes: {
    readonly planId: string;
    readonly added: number;
    readonly same: number;
    readonly dropped: number;
  } | null;
  /** The run that it undoes; null when it follows the provider. */
  readonly reverts: string | null;
}

export async function readPlan(db: Db, id: string): Promise<PlanView | undefined> {
  const { rows } = await sql(
    db,
    `select id, run_id as "runId", provider,
       case when status = 'held' and expires_at < now() then 'expired' else status end as status, complete, base,
       config_version::int as "configVersion", hash, counts, counts_by_type as "countsByType", guard as held, created_at as "createdAt",
       expires_at as "expiresAt", decided_at as "decidedAt", decided_by as "decidedBy", superseded_by as "supersededBy",
       jsonb_build_object('planId', supersedes) || comparison as supersedes, reverts
     from plans where id = ?`,
    [id],
  );
  return rows[0];
}
