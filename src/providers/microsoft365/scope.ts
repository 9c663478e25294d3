import { type Filter, matches } from '#core/filter.ts';
import type { ReasonCode } from '#core/reasons.ts';
import { allAddresses, domainOf, isOnMicrosoft, primaryAddress } from './addresses.ts';
import { hasMailbox, isLicensed } from './licence.ts';
import { type GraphGroup, type GraphUser, listOf } from './records.ts';
import type { GroupType, Microsoft365Settings } from './settings.ts';
import { describeFilter, parseUserFilter } from './user-filter.ts';

/** Why a record is out of scope: a code of core/reasons.ts. */
export interface OutOfScope {
  readonly reason: ReasonCode;
  readonly detail?: string;
}

/** Decides from the record alone; undefined when it is in. Pure. */
export interface Scope {
  user(user: GraphUser): OutOfScope | undefined;
  group(group: GraphGroup): OutOfScope | undefined;
}

/** Compiles the scope of the settings. The first clause that fails is the reason. */
export function makeScope({ scope }: Pick<Microsoft365Settings, 'scope'>): Scope {
  const filter = parseUserFilter(scope.filter);
  const clauses = filter === undefined ? [] : filter.kind === 'and' ? filter.terms : [filter];
  const types = new Set<GroupType>(scope.groupTypes);
  return {
    user: (user) =>
      filterReason(clauses, user) ??
      (scope.excludeOnMicrosoft ? onMicrosoftReason(user) : undefined) ??
      (scope.domains.length > 0 ? domainReason(scope.domains, user) : undefined) ??
      (scope.requireLicence && isLicensed(user) !== true ? { reason: 'Unlicensed' } : undefined) ??
      (scope.requireMailbox && !hasMailbox(user) ? { reason: 'MailNotProvisioned', detail: 'mailbox' } : undefined),
    group(group) {
      const type = groupType(group);
      if (type === undefined || !types.has(type)) return { reason: 'GroupTypeExcluded', detail: type ?? 'unknown' };
      if (scope.dynamicMembership === 'exclude' && isDynamic(group)) return { reason: 'DynamicMembershipExcluded' };
      return undefined;
    },
  };
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

function filterReason(clauses: readonly Filter[], user: GraphUser): OutOfScope | undefined {
  if (clauses.length === 0) return undefined;
  const seen = filterable(user);
  const failed = clauses.find((clause) => !matches(clause, seen));
  return failed === undefined ? undefined : { reason: 'ScopeFilterFalse', detail: describeFilter(failed) };
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
