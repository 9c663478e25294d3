import { type Filter, matches } from '#core/filter.ts';
import type { ReasonCode } from '#core/reasons.ts';
import { allAddresses, domainOf, isOnMicrosoft, primaryAddress } from './addresses.ts';
import { hasMailbox, isLicensed } from './licence.ts';
import { type GraphGroup, type GraphUser, listOf } from './records.ts';
import type { GroupType, Microsoft365Settings } from './settings.ts';
import { describeFilter, parseUserFilter, propertiesOf } from './user-filter.ts';

/** Why a record is out of scope: a code of core/reasons.ts. */
export interface OutOfScope {
  readonly reason: ReasonCode;
  readonly detail?: string;
}

/** One thing that a scope demands. Pure. */
export interface ScopeClause<Item> {
  /** The setting that it comes from. */
  readonly setting: string;
  readonly demands: string;
  /** Undefined when the record fulfils it. */
  fails(record: Item): OutOfScope | undefined;
  /** Properties that it looks at. */
  readonly reads: readonly string[];
}

/** Decides from the record alone; undefined when it is in. Pure. */
export interface Scope {
  user(user: GraphUser): OutOfScope | undefined;
  group(group: GraphGroup): OutOfScope | undefined;
  /** All that is demanded, in the order in which it is asked: the first clause that fails is the reason. */
  readonly userClauses: readonly ScopeClause<GraphUser>[];
  readonly groupClauses: readonly ScopeClause<GraphGroup>[];
}

/** Compiles the scope of the settings. */
export function makeScope({ scope }: Pick<Microsoft365Settings, 'scope'>): Scope {
  const userClauses = [...filterClauses(scope.filter), ...settingClauses(scope)];
  const groupClauses = clausesOfGroups(scope);
  return {
    user: (user) => firstFailure(userClauses, user),
    group: (group) => firstFailure(groupClauses, group),
    userClauses,
    groupClauses,
  };
}

function firstFailure<Item>(clauses: readonly ScopeClause<Item>[], record: Item): OutOfScope | undefined {
  for (const clause of clauses) {
    const failure = clause.fails(record);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** One clause for each term of the filter that must be true by itself. */
function filterClauses(text: string): ScopeClause<GraphUser>[] {
  const filter = parseUserFilter(text);
  if (filter === undefined) return [];
  // The same user comes to every clause in turn, and is made filterable once.
  let last: { readonly user: GraphUser; readonly seen: object } | undefined;
  const seenOf = (user: GraphUser): object => {
    if (last?.user !== user) last = { user, seen: filterable(user) };
    return last.seen;
  };
  return (filter.kind === 'and' ? filter.terms : [filter]).map((term: Filter) => {
    const demands = describeFilter(term);
    return {
      setting: 'scope.filter',
      demands,
      fails: (user) => (matches(term, seenOf(user)) ? undefined : { reason: 'ScopeFilterFalse', detail: demands }),
      reads: propertiesOf(term),
    };
  });
}

const MAIL = ['mail', 'proxyAddresses'];
const LICENCES = ['assignedPlans', 'assignedLicenses'];

function settingClauses(scope: Microsoft365Settings['scope']): ScopeClause<GraphUser>[] {
  const { excludeOnMicrosoft, domains, requireLicence, requireMailbox } = scope;
  const clauses: (ScopeClause<GraphUser> | false)[] = [
    excludeOnMicrosoft && {
      setting: 'scope.excludeOnMicrosoft',
      demands: 'an address that does not end in onmicrosoft.com',
      fails: onMicrosoftReason,
      reads: [...MAIL, 'userPrincipalName'],
    },
    domains.length > 0 && {
      setting: 'scope.domains',
      demands: `a primary address in ${domains.join(', ')}`,
      fails: (user) => domainReason(domains, user),
      reads: MAIL,
    },
    requireLicence && {
      setting: 'scope.requireLicence',
      demands: 'a licence with a mailbox',
      fails: (user) => (isLicensed(user) === true ? undefined : { reason: 'Unlicensed' }),
      reads: LICENCES,
    },
    requireMailbox && {
      setting: 'scope.requireMailbox',
      demands: 'a mailbox',
      fails: (user) => (hasMailbox(user) ? undefined : { reason: 'MailNotProvisioned', detail: 'mailbox' }),
      reads: [...LICENCES, 'proxyAddresses', 'userType'],
    },
  ];
  return clauses.filter((clause) => clause !== false);
}

function clausesOfGroups(scope: Microsoft365Settings['scope']): ScopeClause<GraphGroup>[] {
  const types = new Set<GroupType>(scope.groupTypes);
  const byType: ScopeClause<GraphGroup> = {
    setting: 'scope.groupTypes',
    demands: `one of the types ${scope.groupTypes.join(', ')}`,
    fails(group) {
      const type = groupType(group);
      if (type !== undefined && types.has(type)) return undefined;
      return { reason: 'GroupTypeExcluded', detail: type ?? 'unknown' };
    },
    reads: ['groupTypes', 'mailEnabled', 'securityEnabled'],
  };
  if (scope.dynamicMembership === 'include') return [byType];
  const byMembership: ScopeClause<GraphGroup> = {
    setting: 'scope.dynamicMembership',
    demands: 'members that are assigned',
    fails: (group) => (isDynamic(group) ? { reason: 'DynamicMembershipExcluded' } : undefined),
    reads: ['groupTypes'],
  };
  return [byType, byMembership];
}

/** Source: learn.microsoft.com/graph/api/resources/groups-overview, checked 2026-11. */
export function groupType(group: GraphGroup): GroupType | undefined {
  if (listOf(group.groupTypes).includes('Unified')) return 'microsoft365';
  if (group.mailEnabled === true) return group.securityEnabled === true ? 'mailEnabledSecurity' : 'distribution';
  return group.securityEnabled === true ? 'security' : undefined;
}

function isDynamic(group: GraphGroup): boolean {
  return listOf(group.groupTypes).includes('DynamicMembership');
}

/** Somebody with another address stays, without that one (S4.20). Without any address the sign-in name decides. */
function onMicrosoftReason(user: GraphUser): OutOfScope | undefined {
  const addresses = allAddresses(user);
  const judged = addresses.length > 0 ? addresses : [user.userPrincipalName ?? ''];
  return judged.every(isOnMicrosoft) ? { reason: 'OnMicrosoftDomain' } : undefined;
}

function domainReason(domains: readonly string[], user: GraphUser): OutOfScope | undefined {
  const address = primaryAddress(user);
  if (address === undefined) return { reason: 'MailNotProvisioned' };
  const domain = domainOf(address);
  return domains.includes(domain) ? undefined : { reason: 'DomainNotAccepted', detail: domain };
}

/** A user as the filter sees it: the record, and the names that Graph does not have (user-filter.ts). */
function filterable(user: GraphUser): object {
  return {
    ...user.onPremisesExtensionAttributes,
    ...user,
    assignedLicenses: listOf(user.assignedLicenses).map((licence) => ({ ...licence, value: licence.skuId })),
    assignedPlans: listOf(user.assignedPlans).map((plan) => ({ ...plan, value: plan.service })),
    proxyAddress: user.proxyAddresses,
    mailEnabled: primaryAddress(user) !== undefined,
    licensed: isLicensed(user) === true,
  };
}
