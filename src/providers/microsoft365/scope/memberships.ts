// What of a scope is decided by memberships: the selected groups, and the terms of the filter that name groups. For
// each person the filter is worked out for every combination of answers beforehand, so that nothing but a look-up is
// left once the memberships are known.
import { type Filter, matches } from '#core/filter.ts';
import { describeFilter } from '#core/filter-text.ts';
import type { MembershipCondition, MembershipScope } from '#core/membership-scope.ts';
import { foldCase } from '#core/search.ts';
import type { GraphGroup } from '../map/records.ts';
import type { Microsoft365Settings } from '../settings.ts';
import { groupHandles } from './handles.ts';
import { type GroupTerm, groupTermKey, groupTermsOf, isMemberOf, parseUserFilter } from './user-filter.ts';

/** The filter in two parts: the terms that a user's record decides by itself, and those that need its groups. */
export interface SplitFilter {
  readonly own: readonly Filter[];
  /** Undefined when the filter names no group. */
  readonly grouped: GroupedFilter | undefined;
}

export interface GroupedFilter {
  readonly filter: Filter;
  readonly text: string;
  /** One character for each combination of the conditions, `1` where the filter is true. Pure. */
  table(seen: object): string;
}

/** What all filters together ask about groups; the place of a condition is its place in the list. */
export interface GroupQuestions {
  readonly conditions: readonly MembershipCondition[];
  readonly places: ReadonlyMap<string, number>;
}

/** Each combination of answers is worked out beforehand: 2 to this power for each person and filter. */
export const GROUP_QUESTIONS_MAX = 8;

export function groupQuestions({
  scope,
  destination,
}: Pick<Microsoft365Settings, 'scope' | 'destination'>): GroupQuestions {
  const texts = [scope.filter, ...destination.rules.map(({ filter }) => filter)];
  const terms = texts.flatMap((text) => {
    const filter = parseUserFilter(text);
    return filter === undefined ? [] : groupTermsOf(filter);
  });
  const byKey = new Map(terms.map((term) => [groupTermKey(term), term]));
  return {
    conditions: [...byKey.values()].map(conditionOf),
    places: new Map([...byKey.keys()].map((key, place) => [key, place])),
  };
}

export function splitFilter(text: string, questions: GroupQuestions): SplitFilter {
  const filter = parseUserFilter(text);
  if (filter === undefined) return { own: [], grouped: undefined };
  const terms = filter.kind === 'and' ? filter.terms : [filter];
  const grouped = terms.filter((term) => groupTermsOf(term).length > 0);
  return { own: terms.filter((term) => groupTermsOf(term).length === 0), grouped: groupedOf(grouped, questions) };
}

function groupedOf(terms: readonly Filter[], { places }: GroupQuestions): GroupedFilter | undefined {
  const [only] = terms;
  if (only === undefined) return undefined;
  const filter: Filter = terms.length === 1 ? only : { kind: 'and', terms };
  const combinations = Array.from({ length: 2 ** places.size }, (_, answers) => answers);
  return {
    filter,
    text: describeFilter(filter),
    table: (seen) => combinations.map((answers) => (holds(filter, { seen, places, answers }) ? '1' : '0')).join(''),
  };
}

/** For which groups a filter is true of somebody: `1` or `0` where groups do not matter, else a table. Pure. */
export type Router = (seen: object) => string;

/** One for each routing rule, in order. */
export function makeRouters(destination: Microsoft365Settings['destination'], questions: GroupQuestions): Router[] {
  return destination.rules.map(({ filter }) => {
    const { own, grouped } = splitFilter(filter, questions);
    return (seen) => {
      if (!own.every((term) => matches(term, seen))) return '0';
      const table = grouped?.table(seen) ?? '1';
      return table.includes('0') ? (table.includes('1') ? table : '0') : '1';
    };
  });
}

function conditionOf(term: GroupTerm): MembershipCondition {
  if (term.kind === 'present') return { operator: 'pr', value: '' };
  const operator = term.operator === 'co' || term.operator === 'sw' || term.operator === 'ew' ? term.operator : 'eq';
  return { operator, value: String(term.value) };
}

interface Answers {
  readonly seen: object;
  readonly places: ReadonlyMap<string, number>;
  readonly answers: number;
}

function holds(filter: Filter, given: Answers): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.terms.every((term) => holds(term, given));
    case 'or':
      return filter.terms.some((term) => holds(term, given));
    case 'not':
      return !holds(filter.term, given);
    case 'compare':
    case 'present': {
      if (!isMemberOf(filter)) return matches(filter, given.seen);
      const place = given.places.get(groupTermKey(filter)) ?? 0;
      const member = (given.answers >> place) % 2 === 1;
      return filter.kind === 'compare' && filter.operator === 'ne' ? !member : member;
    }
    case 'element':
      return matches(filter, given.seen);
  }
}

/** Undefined when every record decides for itself. */
export function membershipScope({
  scope,
  pathDisplay,
  destination,
}: Microsoft365Settings): MembershipScope | undefined {
  const questions = groupQuestions({ scope, destination });
  const { grouped } = splitFilter(scope.filter, questions);
  const selected = scope.mode === 'groups' ? scope.groupIds : null;
  const roots = selected ?? (pathDisplay.rootGroupId === null ? [] : [pathDisplay.rootGroupId]);
  const routing = routingOf(destination);
  const plain = selected === null && scope.nestedGroups === 'include' && roots.length === 0 && routing === null;
  if (plain && questions.conditions.length === 0) return undefined;
  return {
    selected,
    nested: scope.nestedGroups,
    maxDepth: scope.maxDepth,
    conditions: questions.conditions,
    conditionsText: grouped?.text ?? '',
    pathRoots: roots,
    routing,
  };
}

function routingOf({
  rules,
  match,
  default: fallback,
}: Microsoft365Settings['destination']): MembershipScope['routing'] {
  if (rules.length === 0 && fallback === null) return null;
  return { groups: rules.map(({ destinationGroup }) => destinationGroup), match, default: fallback };
}

/** Whether a group fulfils a condition, as `store/mirror/membership-scope.ts` decides. */
export function namesGroup({ operator, value }: MembershipCondition, group: GraphGroup): boolean {
  if (operator === 'pr') return true;
  const { names, addresses } = groupHandles(group);
  const texts = [group.id, ...names, ...addresses].map(foldCase);
  const wanted = foldCase(value);
  if (operator === 'eq') return texts.includes(wanted);
  if (operator === 'co') return texts.some((text) => text.includes(wanted));
  return texts.some((text) => (operator === 'sw' ? text.startsWith(wanted) : text.endsWith(wanted)));
}
