/**
 * What a plan may do without a person. The guard counts, compares and says why; it changes nothing. Strictly more
 * than a limit is held, exactly the limit passes; what is held is the class over its limit, or the single items that
 * break a rule of their own, and only those.
 */
import {
  attributeChanged,
  attributeEmptied,
  burstExceeded,
  deletionsExceeded,
  groupMembershipsExceeded,
  groupsEmptied,
  groupsExceeded,
  type HoldCode,
  type HoldReason,
  membershipsExceeded,
  OPERATION_CLASSES,
  type OperationClass,
  protectedHeld,
  type Sum,
  shareExceeded,
} from './guard-reasons.ts';

export interface GuardSettings {
  readonly enabled: boolean;
  /** Largest share of the users, and of users and groups together, that one class of operations may touch, 0 to 100. */
  readonly percent: number;
  /** Shares of their own for single classes; a class without one has `percent`. */
  readonly perOperation: Readonly<Partial<Record<'create' | 'update' | 'remove', number>>>;
  /** Up to this many operations of a class always pass, so that a tiny tenant can live. */
  readonly minObjects: number;
  /** Most deactivations and deletions of one plan, whatever the share. */
  readonly maxDeletes: number;
  /** Largest share of all memberships that one plan may take away, 0 to 100. */
  readonly membershipPercent: number;
  /** Largest share of one group's memberships that one plan may take away, 0 to 100. */
  readonly groupMembershipPercent: number;
  /** A group with at least this many members never loses all of them by itself; null lets it. */
  readonly emptiedGroupFrom: number | null;
  /** Largest share of the people in which one plan may change one attribute, or of its holders empty it, 0 to 100. */
  readonly attributePercent: number;
  /** SCIM filter: what matches is never deactivated, deleted or emptied of its members without approval. */
  readonly protect: string | null;
  /** While a mass of removals waits, up to `max` further ones pass within `hours`. */
  readonly leaverLane: LeaverLane;
  /** `class` holds what is over its limit, `plan` holds everything as soon as one thing is. */
  readonly holds: 'class' | 'plan';
}

export interface LeaverLane {
  readonly max: number;
  readonly hours: number;
}

export const DEFAULT_GUARD: GuardSettings = {
  enabled: true,
  percent: 10,
  perOperation: {},
  minObjects: 10,
  maxDeletes: 500,
  membershipPercent: 10,
  groupMembershipPercent: 50,
  emptiedGroupFrom: 2,
  attributePercent: 30,
  protect: null,
  leaverLane: { max: 5, hours: 24 },
  holds: 'class',
};

/** What a plan would do, in figures. */
export interface Figures {
  readonly create: number;
  readonly update: number;
  /** Users among these who had left and come back: none of those who are here. */
  readonly returning: number;
  /** Updates that only join a record to an account that is here; no rule but that of the first run counts them. */
  readonly links: number;
  /** Deactivations, deletions, and updates that set `active` to false. */
  readonly remove: number;
  /** Those of them that rest on the provider no longer showing somebody. */
  readonly absent: number;
  /** How many of these are groups; the others are users. */
  readonly groupsIn: Readonly<Record<'create' | 'update' | 'remove', number>>;
  /** Accounts that left before, and that would go for good; `remove` has them, too, and nobody's access changes. */
  readonly leftBefore: number;
  /** Groups that would be deleted; `remove` has them, too. */
  readonly groupsRemoved: number;
  /** Memberships that groups would lose by themselves. Those of somebody who leaves go with the leaver. */
  readonly membershipsRemoved: number;
  /** One for each group that would lose too many members and stays; whoever leaves the scope since a group lost them is among its losses. */
  readonly groups: readonly GroupLoss[];
  /** One for each attribute of people that updates change. */
  readonly attributes: readonly AttributeShift[];
  /** Items that would remove, or empty, what `protect` names. */
  readonly protectedItems: readonly string[];
  /** Removals that an earlier plan does not already hold; undefined while no mass of them waits. */
  readonly freshRemovals: number | undefined;
  /** How many removals have passed in the leaver lane within its hours. */
  readonly lanePassed: number;
}

export interface GroupLoss {
  /** The items by which it loses them: its memberships, and people who leave. */
  readonly seqs: readonly string[];
  readonly label: string;
  readonly members: number;
  readonly added: number;
  readonly removed: number;
}

export interface AttributeShift {
  readonly path: string;
  readonly changed: number;
  readonly emptied: number;
  /** People who have the attribute before the plan. */
  readonly holders: number;
}

/** How things stood before the plan. */
export interface Base {
  /** Users and groups that this provider owns, those who left and are kept included. */
  readonly managed: number;
  /** Users who have not left: what shares are taken of. */
  readonly users: number;
  readonly groups: number;
  /** Memberships of those groups. */
  readonly memberships: number;
  /** Users that the provider shows and that are in scope. */
  readonly usersInSource: number;
  readonly groupsInSource: number;
}

export interface Situation {
  /** The read behind the plan reached its end. */
  readonly complete: boolean;
  /** No first run was applied yet. */
  readonly initial: boolean;
  /** The first run may go without a look (`initialRun: "auto"`). */
  readonly initialAuto: boolean;
  /** Approval given in advance for this run (`allowLargeSync`). It covers neither a provider that shows nobody nor what is protected. */
  readonly allowLargeSync: boolean;
}

/** Single items that break a rule of their own: by number, or all updates that change or empty an attribute. */
export type ItemHold =
  | { readonly code: HoldCode; readonly seqs: readonly string[] }
  | { readonly code: HoldCode; readonly attribute: string; readonly emptied: boolean };

export interface Verdict {
  readonly held: readonly OperationClass[];
  readonly items: readonly ItemHold[];
  /** Removals are held, and those that an earlier plan does not already hold pass all the same. */
  readonly lane: boolean;
  readonly reasons: readonly HoldReason[];
}

const PASS: Verdict = { held: [], items: [], lane: false, reasons: [] };

/** Judges a plan. Pure; the same figures give the same verdict. */
export function judge(figures: Figures, base: Base, settings: GuardSettings, situation: Situation): Verdict {
  const total = figures.create + figures.update + figures.links + figures.remove + figures.membershipsRemoved;
  if (base.managed > 0 && base.usersInSource === 0 && figures.remove > 0)
    return holdAll({ code: 'source-empty', message: 'The provider answered that it has nobody.', count: total });
  if (!situation.complete && figures.absent + figures.membershipsRemoved > 0)
    return holdAll({ code: 'source-incomplete', message: 'The provider was not read to the end.', count: total });
  if (situation.initial && !situation.initialAuto && !situation.allowLargeSync && total > 0)
    return holdAll({
      code: 'first-run',
      message: 'The first run waits until somebody has looked at it.',
      count: total,
    });
  if (!settings.enabled) return PASS;
  const shielded = protectedItems(figures);
  const { limits, single } = situation.allowLargeSync ? NO_RULES : rulesOf(figures, base, settings, situation);
  const items = [...single, ...shielded];
  const reasons = [...limits, ...items.map(({ reason }) => reason)];
  if (reasons.length === 0) return PASS;
  const whole = settings.holds === 'plan';
  const held = whole ? OPERATION_CLASSES : [...new Set(limits.flatMap((reason) => reason.class ?? []))];
  const lane = held.includes('remove') && mayPassLane(figures, settings.leaverLane);
  return { held, items: items.map(({ hold }) => hold), lane, reasons };
}

interface Rules {
  readonly limits: readonly HoldReason[];
  readonly single: readonly SingleHold[];
}

const NO_RULES: Rules = { limits: [], single: [] };

/**
 * A first run brings whoever there is, however many, and changes whom it finds. But it takes nobody away unseen: where
 * people are here already, settings were removed and came anew, or another provider brought them.
 */
function rulesOf(figures: Figures, base: Base, settings: GuardSettings, { initial }: Situation): Rules {
  const limits = [...classRules(figures, base, settings)];
  const losses = [...groupRules(figures.groups, settings)];
  if (initial)
    return { limits: limits.filter(({ class: of }) => of === 'remove' || of === 'membership'), single: losses };
  return { limits, single: [...losses, ...attributeRules(figures.attributes, base, settings)] };
}

/** Holds everything, for one reason. */
export function holdAll(reason: HoldReason): Verdict {
  return { held: OPERATION_CLASSES, items: [], lane: false, reasons: [reason] };
}

/** A few who left since the mass that waits; as many as would fill the lane beyond its limit wait all of them. */
function mayPassLane({ freshRemovals = 0, lanePassed }: Figures, { max }: LeaverLane): boolean {
  return freshRemovals > 0 && freshRemovals <= max - lanePassed;
}

/** What one pushed write would take away, with what the same provider took away lately by itself. */
export interface Burst {
  readonly class: 'remove' | 'membership';
  /** Within the window, this write included: of everything, and of its type (or of this group's memberships). */
  readonly taken: number;
  readonly takenSame: number;
  /** Before the window: everything, and all of its type (or this group's members). */
  readonly total: number;
  readonly totalSame: number;
  readonly minutes: number;
}

/** The limits of a plan, for writes that come one by one. Undefined when the write may pass. */
export function judgeBurst(burst: Burst, settings: GuardSettings): HoldReason | undefined {
  if (!settings.enabled) return undefined;
  const { taken, total, minutes, takenSame, totalSame } = burst;
  const removal = burst.class === 'remove';
  const limit = removal ? (settings.perOperation.remove ?? settings.percent) : settings.membershipPercent;
  const sameLimit = removal ? limit : settings.groupMembershipPercent;
  const over = isOver(taken, total, limit, settings.minObjects) || (removal && taken > settings.maxDeletes);
  const overSame = isOver(takenSame, totalSame, sameLimit, settings.minObjects);
  if (!over && !overSame) return undefined;
  return over
    ? burstExceeded(burst.class, { count: taken, total }, limit, minutes)
    : burstExceeded(burst.class, { count: takenSame, total: totalSame }, sameLimit, minutes);
}

/** A plan of writes that were held: what they take away waits, however little of it is left. */
export function holdForBurst(verdict: Verdict): Verdict {
  const reason = {
    code: 'burst-exceeded',
    message:
      'The identity provider takes away more at a time than the guard lets pass; that waits until somebody has looked at it.',
  } as const;
  const held = [...new Set<OperationClass>([...verdict.held, 'remove', 'membership'])];
  return {
    ...verdict,
    held,
    lane: false,
    reasons: [...verdict.reasons, { ...reason, class: 'remove' }, { ...reason, class: 'membership' }],
  };
}

function* classRules(figures: Figures, base: Base, settings: GuardSettings): Generator<HoldReason> {
  for (const kind of ['create', 'update', 'remove'] as const) {
    const left = kind === 'remove' ? figures.leftBefore : 0;
    const sum = sumOf(figures[kind] - left, figures.groupsIn[kind], base);
    const limit = settings.perOperation[kind] ?? settings.percent;
    // Users alone first: many groups beside them are no reason to let more people go.
    const over = [{ ...sum, ...sum.users }, sum].find(({ count, total }) =>
      isOver(count, total, limit, settings.minObjects),
    );
    if (over !== undefined) yield shareExceeded(kind, over, limit, kind === 'update' ? figures.returning : 0);
    else if (kind === 'remove' && figures.remove > settings.maxDeletes)
      yield deletionsExceeded(sumOf(figures.remove, figures.groupsIn.remove, base), settings.maxDeletes);
  }
  // Groups are few beside people: all of them would hardly be a tenth of everything.
  if (isOver(figures.groupsRemoved, base.groups, settings.perOperation.remove ?? settings.percent, settings.minObjects))
    yield groupsExceeded({ count: figures.groupsRemoved, total: base.groups });
  if (base.groups >= 2 && base.groupsInSource === 0 && figures.absent > 0)
    yield { code: 'groups-empty', class: 'remove', message: 'The provider answered that it has no groups.' };
  const { membershipsRemoved } = figures;
  if (isOver(membershipsRemoved, base.memberships, settings.membershipPercent, settings.minObjects))
    yield membershipsExceeded({ count: membershipsRemoved, total: base.memberships }, settings.membershipPercent);
}

interface SingleHold {
  readonly hold: ItemHold;
  readonly reason: HoldReason;
}

function* groupRules(groups: readonly GroupLoss[], settings: GuardSettings): Generator<SingleHold> {
  const { groupMembershipPercent, emptiedGroupFrom, minObjects } = settings;
  const emptied = groups.filter(
    ({ members, added, removed }) =>
      emptiedGroupFrom !== null && members >= Math.max(1, emptiedGroupFrom) && added === 0 && removed >= members,
  );
  if (emptied[0] !== undefined)
    yield {
      hold: { code: 'group-emptied', seqs: seqsOf(emptied) },
      reason: groupsEmptied(emptied.length, emptied[0].label),
    };
  const losing = groups.filter(({ members, removed }) => isOver(removed, members, groupMembershipPercent, minObjects));
  const first = losing[0];
  if (first !== undefined)
    yield {
      hold: { code: 'group-memberships-exceeded', seqs: seqsOf(losing) },
      reason: groupMembershipsExceeded(losing.length, groupMembershipPercent, {
        label: first.label,
        count: first.removed,
        total: first.members,
      }),
    };
}

/** Each once: somebody may leave several of them. */
function seqsOf(groups: readonly GroupLoss[]): readonly string[] {
  return [...new Set(groups.flatMap(({ seqs }) => seqs))];
}

function* attributeRules(
  shifts: readonly AttributeShift[],
  { users }: Base,
  { attributePercent: limit, minObjects }: GuardSettings,
): Generator<SingleHold> {
  for (const { path, changed, emptied, holders } of shifts) {
    if (isOver(changed, users, limit, minObjects))
      yield {
        hold: { code: 'attribute-changed', attribute: path, emptied: false },
        reason: attributeChanged(path, { count: changed, total: users }, limit),
      };
    else if (isOver(emptied, holders, limit, minObjects))
      yield {
        hold: { code: 'attribute-emptied', attribute: path, emptied: true },
        reason: attributeEmptied(path, { count: emptied, total: holders }, limit),
      };
  }
}

function protectedItems({ protectedItems: seqs }: Figures): readonly SingleHold[] {
  if (seqs.length === 0) return [];
  return [{ hold: { code: 'protected', seqs }, reason: protectedHeld(seqs.length) }];
}

function sumOf(count: number, groups: number, base: Base): Sum {
  return {
    count,
    total: base.users + base.groups,
    users: { count: count - groups, total: base.users },
    groups: { count: groups, total: base.groups },
  };
}

/** Strictly more than the share, and more than the floor. */
function isOver(count: number, total: number, percent: number, floor: number): boolean {
  return count > floor && count * 100 > total * percent;
}
