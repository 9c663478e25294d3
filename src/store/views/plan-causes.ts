// Why a plan does what it does, grouped; and which change of settings may stand behind it.
import { describeReason } from '#core/reasons.ts';
import { type Db, sql } from '../database.ts';
import { type Newcomers, readNewcomers } from './plan-newcomers.ts';
import type { PlanView } from './plans.ts';

/** So many items of a plan have the same action and reason. */
export interface Cause {
  readonly action: string;
  readonly resourceType: string;
  readonly reason: string;
  readonly sentence: string;
  readonly remedy: string;
  readonly count: number;
  readonly held: number;
}

/** Settings that were saved since the run before applied. */
export interface SettingsChange {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly detail: unknown;
}

export interface PlanCauses {
  readonly causes: readonly Cause[];
  readonly settingsChanges: readonly SettingsChange[];
  readonly newcomers: Newcomers | null;
}

const CHANGES_MAX = 20;

export async function readCauses(
  db: Db,
  plan: Pick<PlanView, 'id' | 'runId' | 'provider' | 'createdAt'>,
): Promise<PlanCauses> {
  const { rows: groups } = await sql<Omit<Cause, 'sentence' | 'remedy'>>(
    db,
    `select action, resource_type as "resourceType", reason, count(*)::int as count, count(*) filter (where held)::int as held
     from plan_items where plan_id = ? group by 1, 2, 3 order by 4 desc, 1, 3`,
    [plan.id],
  );
  const { rows: settingsChanges } = await sql<SettingsChange>(
    db,
    `select at, actor, action, detail from audit
     where (action = 'provider.configure' and object = ? or action in ('guard.change', 'provider.activate'))
       and at <= ?::timestamptz and at > coalesce((select max(coalesce(r.started_at, r.created_at)) from runs r
         where r.provider = ? and r.status = 'succeeded' and not r.preview and r.id <> ?
           and r.created_at < ?::timestamptz), '-infinity')
     order by at desc limit ?`,
    [plan.provider, plan.createdAt, plan.provider, plan.runId, plan.createdAt, CHANGES_MAX],
  );
  const causes = groups.map((group) => {
    const { sentence, remedy } = describeReason(group.reason);
    return { ...group, sentence, remedy };
  });
  return { causes, settingsChanges, newcomers: await readNewcomers(db, plan.id) };
}
