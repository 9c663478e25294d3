// What a scope demands of somebody's groups.

/** True of a person who is a direct member of a group whose id, name or address fulfils it. */
export interface MembershipCondition {
  readonly operator: 'eq' | 'co' | 'sw' | 'ew' | 'pr';
  readonly value: string;
}

/** What a scope demands beyond each record by itself. It is decided on the mirror, after reading and before planning. */
export interface MembershipScope {
  /** External ids of the selected groups: only they, the groups that count below them, and their people come in. Null: everybody does. */
  readonly selected: readonly string[] | null;
  /** `flatten`: the people below a group are its own members; `ignore`: groups in groups count for nothing. */
  readonly nested: 'include' | 'flatten' | 'ignore';
  /** Levels of groups below a selected one, or one that is flattened, that count; null: all. */
  readonly maxDepth: number | null;
  /** What the digits of `Normalised.memberships` are about: condition `i` has the value 2 to the power of `i`. */
  readonly conditions: readonly MembershipCondition[];
  /** The part of the filter that they are of, as text. */
  readonly conditionsText: string;
  /** Groups that affiliation paths begin at; none: no paths. */
  readonly pathRoots: readonly string[];
  /** Groups of the directory, made by hand, into which people are placed; null: nobody is. */
  readonly routing: Routing | null;
}

export interface Routing {
  /** The display name of the group of each rule, in the order of `Normalised.routes`. */
  readonly groups: readonly string[];
  /** Whether the first rule that is true decides, or all of them do. */
  readonly match: 'first' | 'all';
  /** The group of those of whom no rule is true; null: none. */
  readonly default: string | null;
}

/** What the mirror knows of somebody's place among the groups, by the last run. */
export interface MembershipFacts {
  /** The groups from a selected one, or from the path-display group, down to it; null when there is no such way. */
  readonly path: string | null;
  /** Whether it is under, or is, a selected group. */
  readonly selected: boolean;
  /** Whether it is left out because groups in groups do not count. */
  readonly below: 'NestedGroupIgnored' | 'NestedGroupFlattened' | null;
  /** The sum of the values of the conditions that hold. */
  readonly conditions: number;
}
