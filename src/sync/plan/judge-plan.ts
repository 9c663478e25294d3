import type { CountsByType } from '#core/counts.ts';
import { type Base, type Figures, type GuardSettings, judge, type Situation, type Verdict } from '#core/guard.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Db } from '#store/database.ts';
import {
  countClasses,
  countItems,
  countLane,
  dropUnchanged,
  findHeldRemovals,
  findProtected,
  type ItemCounts,
  noteAttributes,
  readAttributeShifts,
  readBase,
  readGroupLosses,
} from '#store/plan/plan-figures.ts';
import { sealPlan } from '#store/plan/plan-seal.ts';
import type { Planning } from '#store/plan/planning.ts';
import { holdItems } from '#store/plan/plans.ts';
import { readGuard } from '#store/source/settings.ts';
import { compileProtect, type ResourceSchemas } from './protect.ts';

export interface Judged {
  readonly verdict: Verdict;
  /** How many items would change something. */
  readonly size: number;
}

/**
 * Closes a plan whose items are all there, judges it, and holds what the verdict says.
 * @param decide a verdict of its own in place of the guard's, given the guard's; not asked about a plan that changes nothing
 */
export async function judgePlan(
  tx: Db,
  planning: Planning,
  schemas: ResourceSchemas,
  situation: Situation,
  decide: (guards: Verdict) => Verdict = (guards) => guards,
): Promise<Judged> {
  await noteAttributes(tx, planning);
  await dropUnchanged(tx, planning.planId);
  const { counts, byType } = await countItems(tx, planning.planId);
  const base = await readBase(tx, planning.provider);
  const guard = await readGuard(tx);
  const waiting = await findHeldRemovals(tx, planning);
  const figures = await readFigures(tx, planning, { counts, byType, guard, schemas, freshRemovals: waiting?.fresh });
  const size = counts.create + counts.update + counts.link + counts.deactivate + counts.delete + counts.membership;
  const guards = judge(figures, base, guard, situation);
  const verdict = size === 0 ? guards : decide(guards);
  await sealPlan(tx, planning.planId, { counts, byType, base: { ...base } satisfies Base, verdict });
  await holdItems(tx, planning.planId, verdict, waiting?.planId);
  return { verdict, size };
}

interface Reading {
  readonly counts: ItemCounts;
  readonly byType: CountsByType;
  readonly guard: GuardSettings;
  readonly schemas: ResourceSchemas;
  readonly freshRemovals: number | undefined;
}

async function readFigures(
  tx: Db,
  planning: Planning,
  { counts, byType, guard, schemas, freshRemovals }: Reading,
): Promise<Figures> {
  const { planId, provider } = planning;
  const { update, returning, links, disabling, groupsRemoved, leftBefore } = await countClasses(tx, planId);
  const absent = counts.deactivate + counts.delete;
  return {
    create: counts.create,
    update,
    returning,
    links,
    remove: absent + disabling,
    absent,
    groupsIn: {
      create: byType.Group['create'] ?? 0,
      update: byType.Group['update'] ?? 0,
      remove: (byType.Group['deactivate'] ?? 0) + (byType.Group['delete'] ?? 0),
    },
    groupsRemoved,
    leftBefore,
    membershipsRemoved: counts.membershipsRemoved,
    // With more leavers than that all of them wait.
    groups: await readGroupLosses(tx, planning, { limits: guard, leavers: absent <= guard.maxDeletes }),
    attributes: await readAttributeShifts(tx, planning, guard.minObjects),
    protectedItems: guard.protect === null ? [] : await readProtected(tx, planId, guard.protect, schemas),
    freshRemovals,
    lanePassed: freshRemovals === undefined ? 0 : await countLane(tx, provider, guard.leaverLane.hours),
  };
}

async function readProtected(tx: Db, planId: string, protect: string, schemas: ResourceSchemas): Promise<string[]> {
  const seqs: string[] = [];
  const clauses: Iterable<[ResourceType, Parameters<typeof findProtected>[3]]> = compileProtect(protect, schemas);
  for (const [type, where] of clauses) seqs.push(...(await findProtected(tx, planId, type, where)));
  return seqs;
}
