/** Why a plan is held, in figures and in the sentences that people read. */
import { numberOf } from './number-of.ts';

/** Classes of operations that are judged apart. `remove` is everything that takes somebody's access away. */
export const OPERATION_CLASSES = ['create', 'update', 'remove', 'membership'] as const;
export type OperationClass = (typeof OPERATION_CLASSES)[number];

export type HoldCode =
  | 'first-run'
  | 'revert'
  | 'account-mapping-reset'
  | 'source-empty'
  | 'source-incomplete'
  | 'groups-empty'
  | 'groups-exceeded'
  | 'share-exceeded'
  | 'deletions-exceeded'
  | 'memberships-exceeded'
  | 'group-memberships-exceeded'
  | 'group-emptied'
  | 'attribute-changed'
  | 'attribute-emptied'
  | 'burst-exceeded'
  | 'protected';

/** So many, of so many. */
export interface Part {
  readonly count: number;
  readonly total: number;
}

/** Why something is held, in figures and in a sentence. `class` is absent when everything is held. */
export interface HoldReason {
  readonly code: HoldCode;
  readonly class?: OperationClass;
  readonly message: string;
  readonly count?: number;
  readonly limit?: number;
  readonly total?: number;
  /** The count, and the total where there is one, of users and of groups apart. */
  readonly users?: Part;
  readonly groups?: Part;
  /** How many of the users counted had left, and come back; absent when there are none. */
  readonly returning?: number;
  /** Path of the attribute, when the rule is about one. */
  readonly attribute?: string;
}

const CLASS_WORDS = { update: 'updated', remove: 'deactivated or deleted' } as const;

/** What a rule counts together, and users and groups apart, as people are told. */
export interface Sum extends Part {
  readonly users: Part;
  readonly groups: Part;
}

/** `85 of 400 users and 2 of 24 groups`; what is none of is left out. */
function inWords({ users, groups }: Sum): string {
  const parts = [
    ...(users.count === 0 ? [] : [`${users.count} of ${numberOf(users.total, 'user')}`]),
    ...(groups.count === 0 ? [] : [`${groups.count} of ${numberOf(groups.total, 'group')}`]),
  ];
  return parts.join(' and ');
}

/** What is created is none of those that are here. */
function newOnes({ users, groups }: Sum): string {
  const both = (user: number, group: number): string => `${numberOf(user, 'user')} and ${numberOf(group, 'group')}`;
  return `${both(users.count, groups.count)} would be created beside ${both(users.total, groups.total)}`;
}

/** Who comes back is none of those that are here either. */
function withReturning(sum: Sum, returning: number): string {
  const staying = { ...sum, users: { ...sum.users, count: sum.users.count - returning } };
  const updated = inWords(staying);
  const back = `${numberOf(returning, 'user')} who had left would come back`;
  const beside = ` beside ${numberOf(sum.users.total, 'user')}`;
  return updated === '' ? `${back}${beside}` : `${updated} would be updated, and ${back}`;
}

/**
 * @param sum its count and total are those of the users where they alone are too many
 * @param returning how many of the users updated had left
 */
export function shareExceeded(
  of: 'create' | 'update' | 'remove',
  sum: Sum,
  limit: number,
  returning: number,
): HoldReason {
  const base = sum.total === sum.users.total ? 'the users' : 'users and groups together';
  const what =
    of === 'create'
      ? newOnes(sum)
      : returning > 0
        ? withReturning(sum, returning)
        : `${inWords(sum)} would be ${CLASS_WORDS[of]}`;
  const message = `${what}; the limit is ${limit} % of ${base}.`;
  return { code: 'share-exceeded', class: of, message, ...sum, ...(returning > 0 ? { returning } : {}), limit };
}

export function deletionsExceeded(sum: Sum, limit: number): HoldReason {
  const message = `${inWords(sum)} would be ${CLASS_WORDS.remove}; the limit is ${limit} at once.`;
  return { code: 'deletions-exceeded', class: 'remove', message, ...sum, limit };
}

export function groupsExceeded(part: Part): HoldReason {
  const message = `${part.count} of ${part.total} groups would be deleted.`;
  return { code: 'groups-exceeded', class: 'remove', message, ...part };
}

export function membershipsExceeded(part: Part, limit: number): HoldReason {
  const message = `${part.count} of ${part.total} memberships would be taken away; the limit is ${limit} %.`;
  return { code: 'memberships-exceeded', class: 'membership', message, ...part, limit };
}

/** @param example the name of one of them */
export function groupsEmptied(count: number, example: string): HoldReason {
  const message = `${numberOf(count, 'group')} would lose all members, such as "${example}".`;
  return { code: 'group-emptied', class: 'membership', message, count };
}

/** @param example one of them, with how many members it loses of how many */
export function groupMembershipsExceeded(count: number, limit: number, example: Part & { label: string }): HoldReason {
  const such = `such as "${example.label}" (${example.count} of ${example.total})`;
  const message = `${numberOf(count, 'group')} would lose more than ${limit} % of the members, ${such}.`;
  return { code: 'group-memberships-exceeded', class: 'membership', message, count, limit };
}

/** Those who come back are among the count, and none of the total. */
export function attributeChanged(attribute: string, part: Part, limit: number): HoldReason {
  const message =
    part.count > part.total
      ? `"${attribute}" would change for ${part.count} people, those who come back included; the limit is ${limit} % of the ${part.total} who are here.`
      : `"${attribute}" would change for ${part.count} of ${part.total} people; the limit is ${limit} %.`;
  return { code: 'attribute-changed', class: 'update', message, ...part, limit, attribute };
}

export function attributeEmptied(attribute: string, part: Part, limit: number): HoldReason {
  const message = `${part.count} of the ${part.total} people who have "${attribute}" would lose it; the limit is ${limit} %.`;
  return { code: 'attribute-emptied', class: 'update', message, ...part, limit, attribute };
}

export function burstExceeded(of: 'remove' | 'membership', part: Part, limit: number, minutes: number): HoldReason {
  const what = of === 'remove' ? 'objects would be deactivated or deleted' : 'memberships would be taken away';
  const message = `${part.count} of ${part.total} ${what} within ${minutes} minutes, which is more than the guard lets pass.`;
  return { code: 'burst-exceeded', class: of, message, ...part, limit };
}

export function protectedHeld(count: number): HoldReason {
  const message = `${numberOf(count, 'protected object')} would be deactivated, deleted or emptied.`;
  return { code: 'protected', message, count };
}
