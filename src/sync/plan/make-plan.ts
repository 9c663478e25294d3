import { holdForBurst, type Verdict } from '#core/guard.ts';
import { DEFAULT_MATCHING, holdForReset, type LinkReset } from '#core/match.ts';
import type { LeavePolicy, RunPolicy } from '#core/policy.ts';
import type { Db } from '#store/database.ts';
import { addComers, claimTouched, mustCompareAll } from '#store/mirror/touched.ts';
import { planLeftOvers } from '#store/plan/left-overs.ts';
import { planLinks } from '#store/plan/matching.ts';
import { skipPinned } from '#store/plan/pinned.ts';
import { planLostLinks } from '#store/plan/plan-lost-links.ts';
import { planMemberships } from '#store/plan/plan-memberships.ts';
import { findDuplicates } from '#store/plan/plan-names.ts';
import { planDestinations } from '#store/plan/plan-routes.ts';
import {
  lacksStatistics,
  noteLostMailboxes,
  type Planning,
  planReferences,
  planRemovals,
  planSkips,
  planUpserts,
  sampleCompared,
  sampleItems,
} from '#store/plan/planning.ts';
import { insertPlan } from '#store/plan/plans.ts';
import type { RunContext } from '../run.ts';
import { type Judged, judgePlan } from './judge-plan.ts';
import { settleNames } from './settle-names.ts';

/** After so many new rows the planner's picture of a table is too old to compare by. */
export const STATISTICS_AFTER = 500;

/** Numbers for a reference of each user and two memberships of each group: more than any directory has. */
const NUMBERS_FREE = 100_000_000;

export interface PlanRequest {
  readonly policy: RunPolicy;
  /** False after a read that stopped early: nothing is removed then. */
  readonly complete: boolean;
  /** How many records of the mirror the read has written. */
  readonly changed: number;
  /** It shows what writes wanted that the guard held: what they take away waits. */
  readonly burst?: boolean;
  /** It takes over from other providers: what becomes of those whom they brought and this one does not show. */
  readonly leftOvers?: LeavePolicy | undefined;
  /** Compares only what was touched since the last plan, where that is enough. */
  readonly incremental?: boolean;
  /** No first run was applied yet. */
  readonly initial: boolean;
  readonly allowLargeSync: boolean;
  /** Whose links are given up and made anew. */
  readonly reset?: LinkReset;
}

export interface MadePlan extends Judged {
  readonly id: string;
}

/** Compares mirror and directory, stores the plan, and judges it: one transaction, so that it sees one state. */
export async function makePlan(
  context: Pick<RunContext, 'write' | 'provider' | 'configVersion' | 'runId' | 'schemas'>,
  request: PlanRequest,
): Promise<MadePlan> {
  return context.write(async (tx) => {
    const { provider, configVersion, runId, schemas } = context;
    const planId = await insertPlan(tx, { runId, provider, configVersion, complete: request.complete });
    const { incremental = false, reset = false, policy } = request;
    const touched = incremental && reset === false && !(await mustCompareAll(tx, provider));
    const planning = { planId, provider, touched, half: touched && !request.complete };
    if (request.complete || touched)
      await claimTouched(tx, planning, { all: !touched, deleteAfterDays: policy.deleteAfterDays });
    // What was touched is proven record by record, by what the provider said of each, however far the read came.
    const complete = request.complete || touched;
    await fillPlan(tx, planning, { ...request, complete });
    const situation = {
      complete,
      initial: request.initial,
      initialAuto: request.policy.initialRun === 'auto',
      allowLargeSync: request.allowLargeSync,
    };
    return { id: planId, ...(await judgePlan(tx, planning, schemas, situation, verdictOf(request))) };
  });
}

/** A verdict of its own for plans that wait whatever the guard's limits say. */
function verdictOf({ reset = false, burst = false }: PlanRequest): ((guards: Verdict) => Verdict) | undefined {
  if (reset !== false) return holdForReset;
  return burst ? holdForBurst : undefined;
}

async function fillPlan(tx: Db, planning: Planning, request: PlanRequest): Promise<void> {
  const { policy, complete, changed, reset = false } = request;
  const matching = { ...DEFAULT_MATCHING, ...policy.matching, reset };
  if (changed > STATISTICS_AFTER || (await lacksStatistics(tx))) await sampleCompared(tx);
  const duplicates = await findDuplicates(tx, planning);
  let offset = await planUpserts(tx, planning, 'User', { offset: 0, duplicates });
  if (offset > STATISTICS_AFTER) await sampleItems(tx);
  offset += await planLinks(tx, planning, { ...matching, type: 'User', offset, duplicates });
  offset += await planUpserts(tx, planning, 'Group', { offset, duplicates: [] });
  offset += await planLinks(tx, planning, { ...matching, type: 'Group', offset, duplicates: [] });
  offset += await planDestinations(tx, planning, offset);
  // Removals are applied last and planned first: a leaver's memberships wait with the leaver. Numbers are kept free.
  const afterMemberships = offset + NUMBERS_FREE;
  const removals = complete ? await planRemovals(tx, planning, { offset: afterMemberships, policy }) : 0;
  let last = afterMemberships + removals;
  if (request.leftOvers !== undefined && complete)
    last += await planLeftOvers(tx, planning, { offset: last, policy: request.leftOvers });
  last += await planLostLinks(tx, planning, { offset: last, policy, complete });
  if (planning.touched === true) await addComers(tx, planning);
  offset += await planReferences(tx, planning, offset);
  // What becomes of each resource is settled before memberships are: nobody joins a group who does not come.
  await skipPinned(tx, planning);
  const names = await settleNames(tx, planning, { duplicates, offset: last });
  last += names.added;
  await noteLostMailboxes(tx, planning);
  await planMemberships(tx, planning, { offset, complete });
  const unplanned = duplicates.filter((id) => !names.planned.has(id));
  await planSkips(tx, planning, { offset: last, duplicates: unplanned });
}
