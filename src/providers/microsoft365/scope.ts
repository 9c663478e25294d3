import { type Filter, matches, parseFilter } from '#core/filter.ts';
import { foldCase } from '#core/search.ts';
import type { GraphGroup, GraphUser } from './records.ts';
import type { GroupType, Microsoft365Settings } from './settings.ts';
import { isLicensed, isOnMicrosoft, primaryAddress } from './to-scim.ts';

/** Why a record is out of scope: a code of core/reasons.ts; undefined when it is in. */
export interface ScopeDecider {
  user(user: GraphUser): { readonly reason: string; readonly detail?: string } | undefined;
  group(group: GraphGroup): { readonly reason: string; readonly detail?: string } | undefined;
}

/** Compiles the scope of the settings. The first clause that fails is the reason. Pure. */
export function makeScope({ scope }: Pick<Microsoft365Settings, 'scope'>): ScopeDecider {
  const filter: Filter | undefined = scope.filter.trim() === '' ? undefined : parseFilter(scope.filter);
  const domains = scope.domains.map((domain) => foldCase(domain.replace(/^@/, '')));
  const types = new Set<GroupType>(scope.groupTypes);
  return {
    user(user) {
      if (filter !== undefined && !matches(filter, filterable(user)))
        return { reason: 'ScopeFilterFalse', detail: scope.filter };
      if (scope.excludeOnMicrosoft && isOnMicrosoft(primaryAddress(user) ?? user.userPrincipalName ?? ''))
        return { reason: 'OnMicrosoftDomain' };
      if (domains.length > 0) {
        const address = primaryAddress(user);
        if (address === undefined) return { reason: 'MailNotProvisioned' };
        if (!domains.includes(foldCase(address.slice(address.lastIndexOf('@') + 1))))
          return { reason: 'DomainNotAccepted', detail: address.slice(address.lastIndexOf('@') + 1) };
      }
      if (scope.requireLicence && !isLicensed(user)) return { reason: 'Unlicensed' };
      return undefined;
    },
    group(group) {
      const type = groupType(group);
      if (type === undefined || !types.has(type)) return { reason: 'GroupTypeExcluded', detail: type ?? 'unknown' };
      if (scope.dynamicMembership === 'exclude' && (group.groupTypes ?? []).includes('DynamicMembership'))
        return { reason: 'DynamicMembershipExcluded' };
      return undefined;
    },
  };
}

/** Source: learn.microsoft.com/graph/api/resources/groups-overview, checked 2026-11. */
export function groupType(group: GraphGroup): GroupType | undefined {
  if ((group.groupTypes ?? []).includes('Unified')) return 'microsoft365';
  if (group.mailEnabled === true) return group.securityEnabled === true ? 'mailEnabledSecurity' : 'distribution';
  return group.securityEnabled === true ? 'security' : undefined;
}

/** A user as the filter sees it: `proxyAddress` goes by both of its names, and everybody has mail or not. */
function filterable(user: GraphUser): object {
  return { ...user, proxyAddress: user.proxyAddresses, mailEnabled: primaryAddress(user) !== undefined };
}
