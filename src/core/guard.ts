/**
 * What a plan may do without a person. The guard counts, compares and says why; it changes nothing. Strictly more
 * than a limit is held, exactly the limit passes; what is held is the class over its limit, and only that.
 */
export interface GuardSettings {
  readonly enabled: boolean;
  /** Largest share of the managed objects that one class of operations may touch, 0 to 100. */
  readonly percent: number;
  /** Up to this many operations of a class always pass, so that a tiny tenant can live. */
  readonly minObjects: number;
  /** Most deactivations and deletions of one plan, whatever the share. */
  readonly maxDeletes: number;
  /** Largest share of all memberships that one plan may take away, 0 to 100. */
  readonly membershipPercent: number;
  /** `class` holds what is over its limit, `plan` holds everything as soon as one class is. */
  readonly holds: 'class' | 'plan';
}

export const DEFAULT_GUARD: GuardSettings = {
  enabled: true,
  percent: 10,
  minObjects: 10,
  maxDeletes: 500,
  membershipPercent: 10,
  holds: 'class',
};

/** Classes of operations that are judged apart. `remove` is deactivations and deletions together. */
export const OPERATION_CLASSES = ['create', 'update', 'remove', 'membership'] as const;
export type OperationClass = (typeof OPERATION_CLASSES)[number];

export interface PlanCounts {
  readonly create: number;
  readonly update: number;
  readonly deactivate: number;
  readonly delete: number;
  /** Memberships that would be taken away. */
  readonly membershipsRemoved: number;
}

/** How things stood before the plan. */
export interface Base {
  /** Live users and groups that this provider owns. */
  readonly managed: number;
  /** Memberships of those groups. */
  readonly memberships: number;
  /** Users that the provider shows and that are in scope. */
  readonly usersInSource: number;
}

export interface Situation {
  /** No first run was applied yet. */
  readonly initial: boolean;
  /** The first run may go without a look (`initialRun: "auto"`). */
  readonly initialAuto: boolean;
  /** Approval given in advance for this run (`allowLargeSync`). It does not cover a provider that shows nobody. */
  readonly allowLargeSync: boolean;
}

/** Why something is held, in figures and in a sentence. `class` is absent when everything is held. */
export interface HoldReason {
  readonly code:
    | 'first-run'
    | 'account-mapping-reset'
    | 'source-empty'
    | 'share-exceeded'
    | 'deletions-exceeded'
    | 'memberships-exceeded';
  readonly class?: OperationClass;
  readonly message: string;
  readonly count?: number;
  readonly limit?: number;
  readonly total?: number;
}

export interface Verdict {
  readonly held: readonly OperationClass[];
  readonly reasons: readonly HoldReason[];
}

/** Judges a plan. Pure; the same figures give the same verdict. */
export function judge(counts: PlanCounts, base: Base, settings: GuardSettings, situation: Situation): Verdict {
  const removals = counts.deactivate + counts.delete;
  const total = counts.create + counts.update + removals + counts.membershipsRemoved;
  if (base.managed > 0 && base.usersInSource === 0 && removals > 0)
    return holdAll({ code: 'source-empty', message: 'The provider answered that it has nobody.', count: removals });
  if (situation.allowLargeSync || total === 0) return { held: [], reasons: [] };
  if (situation.initial) {
    if (situation.initialAuto) return { held: [], reasons: [] };
    return holdAll({
      code: 'first-run',
      message: 'The first run waits until somebody has looked at it.',
      count: total,
    });
  }
  if (!settings.enabled) return { held: [], reasons: [] };
  const reasons = [
    share('create', counts.create, base.managed, settings),
    share('update', counts.update, base.managed, settings),
    share('remove', removals, base.managed, settings) ?? deletions(removals, settings),
    memberships(counts.membershipsRemoved, base.memberships, settings),
  ].filter((reason) => reason !== undefined);
  const held = reasons.flatMap((reason) => (reason.class === undefined ? [] : [reason.class]));
  return { held: settings.holds === 'plan' && held.length > 0 ? OPERATION_CLASSES : held, reasons };
}

function holdAll(reason: HoldReason): Verdict {
  return { held: OPERATION_CLASSES, reasons: [reason] };
}

const CLASS_WORDS = { create: 'created', update: 'updated', remove: 'deactivated or deleted' } as const;

function share(
  of: 'create' | 'update' | 'remove',
  count: number,
  total: number,
  settings: GuardSettings,
): HoldReason | undefined {
  if (count <= settings.minObjects || count * 100 <= total * settings.percent) return undefined;
  const message = `${count} of ${total} objects would be ${CLASS_WORDS[of]}; the limit is ${settings.percent} %.`;
  return { code: 'share-exceeded', class: of, message, count, total, limit: settings.percent };
}

function deletions(count: number, settings: GuardSettings): HoldReason | undefined {
  if (count <= settings.maxDeletes) return undefined;
  const message = `${count} objects would be ${CLASS_WORDS.remove}; the limit is ${settings.maxDeletes}.`;
  return { code: 'deletions-exceeded', class: 'remove', message, count, limit: settings.maxDeletes };
}

function memberships(count: number, total: number, settings: GuardSettings): HoldReason | undefined {
  if (count <= settings.minObjects || count * 100 <= total * settings.membershipPercent) return undefined;
  const message = `${count} of ${total} memberships would be taken away; the limit is ${settings.membershipPercent} %.`;
  return {
    code: 'memberships-exceeded',
    class: 'membership',
    message,
    count,
    total,
    limit: settings.membershipPercent,
  };
}
