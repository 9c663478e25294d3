import { DEFAULT_GUARD, type GuardSettings, judge, type Verdict } from '#core/guard.ts';
import { DEFAULT_MATCHING, holdForReset, type LinkReset } from '#core/match.ts';
import { releasedName } from '#core/names.ts';
import type { RunPolicy } from '#core/provider.ts';
import type { Db } from '#store/database.ts';
import { holdEverything, planLinks } from '#store/matching.ts';
import { countUsersInScope } from '#store/mirror.ts';
import {
  changeAfter,
  countItems,
  findDuplicates,
  findNameClashes,
  lacksStatistics,
  type NameClash,
  type Planning,
  planMemberships,
  planNameRelease,
  planReferences,
  planRemovals,
  planSkips,
  planUpserts,
  readBase,
  refreshItemStatistics,
  refreshStatistics,
  skipItem,
} from '#store/planning.ts';
import { holdItems, insertPlan, sealPlan } from '#store/plans.ts';
import { readSetting } from '#store/settings.ts';
import type { RunContext } from './run.ts';

/** After so many new rows the planner's picture of a table is too old to compare by. */
export const STATISTICS_AFTER = 500;

export interface PlanRequest {
  readonly policy: RunPolicy;
  /** False after a read that stopped early: nothing is removed then. */
  readonly complete: boolean;
  /** How many records of the mirror the read has written. */
  readonly changed: number;
  /** No first run was applied yet. */
  readonly initial: boolean;
  readonly allowLargeSync: boolean;
  /** Whose links are given up and made anew. */
  readonly reset?: LinkReset;
}

export interface MadePlan {
  readonly id: string;
  readonly verdict: Verdict;
  /** How many items would change something. */
  readonly size: number;
}

/** Compares mirror and directory, stores the plan, and judges it: one transaction, so that it sees one state. */
export async function makePlan(context: RunContext, request: PlanRequest): Promise<MadePlan> {
  return context.write(async (tx) => {
    const { provider, configVersion, runId } = context;
    const planId = await insertPlan(tx, { runId, provider, configVersion, complete: request.complete });
    await fillPlan(tx, { planId, provider }, request);
    const counts = await countItems(tx, planId);
    const base = { ...(await readBase(tx, provider)), usersInSource: await countUsersInScope(tx, provider) };
    const guard = { ...DEFAULT_GUARD, ...(await readSetting<Partial<GuardSettings>>(tx, 'guard')) };
    const judged = judge(counts, base, guard, {
      initial: request.initial,
      initialAuto: request.policy.initialRun === 'auto',
      allowLargeSync: request.allowLargeSync,
    });
    const resets = (request.reset ?? false) !== false;
    const verdict = resets ? holdForReset(judged) : judged;
    await sealPlan(tx, planId, { counts, base, verdict });
    await holdItems(tx, planId, verdict.held);
    if (resets) await holdEverything(tx, planId);
    const size = counts.create + counts.update + counts.deactivate + counts.delete + counts.membership;
    return { id: planId, verdict, size };
  });
}

async function fillPlan(tx: Db, planning: Planning, request: PlanRequest): Promise<void> {
  const { policy, complete, changed, reset = false } = request;
  const matching = { ...DEFAULT_MATCHING, ...policy.matching, reset };
  if (changed > STATISTICS_AFTER || (await lacksStatistics(tx))) await refreshStatistics(tx);
  const duplicates = await findDuplicates(tx, planning.provider);
  let offset = await planUpserts(tx, planning, 'User', { offset: 0, duplicates });
  if (offset > STATISTICS_AFTER) await refreshItemStatistics(tx);
  offset += await planLinks(tx, planning, { ...matching, type: 'User', offset, duplicates });
  offset += await planReferences(tx, planning, offset);
  offset += await planUpserts(tx, planning, 'Group', { offset, duplicates: [] });
  offset += await planLinks(tx, planning, { ...matching, type: 'Group', offset, duplicates: [] });
  offset += await planMemberships(tx, planning, { offset, complete });
  const { onLeaveScope, deleteAfterDays } = policy;
  if (complete && onLeaveScope !== 'keep')
    offset += await planRemovals(tx, planning, { offset, onLeaveScope, deleteAfterDays });
  offset += await planSkips(tx, planning, { offset, duplicates });
  for (const clash of await findNameClashes(tx, planning)) offset += await settleClash(tx, planning, clash, offset);
}

/** Somebody planned wants a user name that somebody else has. Answers how many items it added. */
async function settleClash(tx: Db, planning: Planning, clash: NameClash, offset: number): Promise<number> {
  const { planId, provider } = planning;
  if (clash.holder_origin !== provider) {
    const reason = clash.holder_origin === 'manual' ? 'ManualOrigin' : 'DuplicateTargetEntries';
    await skipItem(tx, planId, clash.seq, reason);
    return 0;
  }
  if (clash.holder_action === 'update' || clash.holder_action === 'delete') return 0;
  const leaving = clash.holder_action === 'deactivate' || clash.holder_left;
  if (!leaving) {
    await skipItem(tx, planId, clash.seq, 'DuplicateTargetEntries');
    return 0;
  }
  const body = JSON.parse(clash.holder_body);
  const label = releasedName(clash.holder_external_id ?? clash.holder_id, body.userName);
  const after = JSON.stringify({ ...body, userName: label, active: false });
  if (clash.holder_seq === null) {
    await planNameRelease(tx, planning, { offset, clash, after, label });
    return 1;
  }
  await changeAfter(tx, planId, clash.holder_seq, after);
  return 0;
}
