/**
 * Which stored resource a record means that is linked to none. The source anchor always comes first, and only who has
 * no link comes here: a record seen for the first time, somebody of another provider, or a link that was reset.
 */
import type { Verdict } from './guard.ts';
import { OPERATION_CLASSES } from './guard-reasons.ts';

/**
 * `anchors` are ids beside the source anchor, as far as a kind of provider knows any. `userName` is the display name of a
 * group; a group has no anchors, emails or employee number.
 */
export const MATCH_ATTRIBUTES = ['externalId', 'anchors', 'userName', 'emails', 'employeeNumber'] as const;
export type MatchAttribute = (typeof MATCH_ATTRIBUTES)[number];

/** Provider settings about matching. */
export interface MatchPolicy {
  /** The first attribute by which anything matches decides. */
  readonly matching: readonly MatchAttribute[];
  /**
   * What becomes of somebody made by hand whom the provider shows too: `never` leaves them alone, and only a user name
   * that both have is brought before a person; `ask` brings every match before a person; `onMatch` links at once.
   */
  readonly adoptManual: 'never' | 'ask' | 'onMatch';
}

export const DEFAULT_MATCHING = {
  matching: ['externalId', 'userName', 'emails'],
  adoptManual: 'never',
} as const satisfies MatchPolicy;

/** Whose links a run gives up, to correlate anew: nobody's, everybody's, or those of these resources. */
export type LinkReset = boolean | readonly string[];

/** Reasons of plan items that link; the attributes that come with the link are no attribute updates. */
export const LINK_REASONS = ['Linked', 'Relinked', 'Adopted'] as const;

/** One record or resource as matching sees it: keys folded. */
export interface Matchable {
  readonly id: string;
  readonly externalId: string | null;
  readonly name: string;
  readonly emails: readonly string[];
  readonly anchors: readonly string[];
  readonly employeeNumber: string | null;
  /** Of a resource whose record is gone from the provider: only its anchors say that another record means it. */
  readonly gone?: boolean;
}

export interface Correlation {
  /** Record to resource, with the attribute by which they matched. */
  readonly links: ReadonlyMap<string, { readonly resource: string; readonly attribute: MatchAttribute }>;
  /** Records that may mean several resources, or whose resource several may mean, with those resources in order. */
  readonly ambiguous: ReadonlyMap<string, readonly string[]>;
}

/**
 * Pure. An attribute is looked at only for those whom no earlier one linked or found ambiguous.
 *
 * At size `store/plan/matching.ts` states this rule in SQL; a property test holds the two together.
 */
export function correlate(
  records: readonly Matchable[],
  resources: readonly Matchable[],
  order: readonly MatchAttribute[],
): Correlation {
  const links = new Map<string, { resource: string; attribute: MatchAttribute }>();
  const ambiguous = new Map<string, readonly string[]>();
  let here = [...records];
  let there = [...resources];
  for (const attribute of order) {
    const found = new Map(here.map((record) => [record.id, there.filter((other) => same(record, other, attribute))]));
    const rivals = new Map<string, number>();
    for (const { id } of [...found.values()].flat()) rivals.set(id, (rivals.get(id) ?? 0) + 1);
    for (const [record, matches] of found) {
      const [first] = matches;
      if (first === undefined) continue;
      if (matches.length === 1 && rivals.get(first.id) === 1) links.set(record, { resource: first.id, attribute });
      else ambiguous.set(record, matches.map(({ id }) => id).sort());
    }
    here = here.filter(({ id }) => found.get(id)?.length === 0);
    there = there.filter(({ id }) => !rivals.has(id));
  }
  return { links, ambiguous };
}

function same(record: Matchable, resource: Matchable, attribute: MatchAttribute): boolean {
  if (resource.gone === true && attribute !== 'anchors') return false;
  switch (attribute) {
    case 'anchors':
      return record.anchors.some((anchor) => resource.anchors.includes(anchor));
    case 'externalId':
      return record.externalId !== null && record.externalId === resource.externalId;
    case 'userName':
      return record.name === resource.name;
    case 'emails':
      return record.emails.some((email) => resource.emails.includes(email));
    case 'employeeNumber':
      return record.employeeNumber !== null && record.employeeNumber === resource.employeeNumber;
  }
}

/** A plan that gives up links waits for a person, whatever the guard says and whatever was approved in advance. */
export function holdForReset(verdict: Verdict): Verdict {
  const reason = {
    code: 'account-mapping-reset',
    message: 'Links to the provider are given up and made anew; that waits until somebody has looked at it.',
  } as const;
  return { ...verdict, held: OPERATION_CLASSES, lane: false, reasons: [reason, ...verdict.reasons] };
}
