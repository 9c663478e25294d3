import { holdAll, type Verdict } from '#core/guard.ts';
import { hasApplied, planRevert } from '#store/plan/plan-revert.ts';
import { supersedePlans } from '#store/plan/plan-seal.ts';
import { countOutcomes, insertPlan, setPlanStatus } from '#store/plan/plans.ts';
import { attachPlan, finishRun, type RunRow, readRunRow } from '#store/run/runs.ts';
import type { RunContext } from '../run.ts';
import { judgePlan } from './judge-plan.ts';

/**
 * Makes the plan that undoes an earlier run from its before-images: values restored, the deleted back with the same
 * id, the created deleted, memberships as they were. It always waits for approval, and is then applied like any other.
 */
export async function runRevert(context: RunContext, { reverts }: RunRow): Promise<void> {
  await context.progress({ phase: 'planning', done: 0, total: null });
  await context.write(async (tx) => {
    const { provider, configVersion, runId, schemas } = context;
    const undone = reverts === null ? undefined : await readRunRow(tx, reverts);
    if (reverts === null || undone?.plan_id == null || (await hasApplied(tx, undone.plan_id)) !== true)
      throw new Error(`there is nothing left to undo of the run ${reverts}`);
    const planId = await insertPlan(tx, { runId, provider, configVersion, complete: true, reverts });
    await planRevert(tx, { planId, provider, undone: undone.plan_id });
    const situation = { complete: true, initial: false, initialAuto: false, allowLargeSync: false };
    const { size } = await judgePlan(tx, { planId, provider }, schemas, situation, waits);
    await attachPlan(tx, runId, planId);
    await supersedePlans(tx, provider, planId);
    await setPlanStatus(tx, planId, size > 0 ? 'held' : 'applied');
    await finishRun(tx, runId, { status: size > 0 ? 'held' : 'succeeded', ...(await countOutcomes(tx, planId)) });
    context.log.info({ plan: planId, count: size, reverts }, 'revert planned');
  });
}

/** A revert is never applied unseen; what the guard has to say about it is shown beside. */
function waits(guards: Verdict): Verdict {
  const revert = { code: 'revert', message: 'A revert waits until somebody has looked at it.' } as const;
  return { ...holdAll(revert), reasons: [revert, ...guards.reasons] };
}
