import { type Filter, matches } from '#core/filter.ts';
import { describeFilter } from '#core/filter-text.ts';
import type { MembershipFacts } from '#core/membership-scope.ts';
import type { ReasonCode } from '#core/reasons.ts';
import { allAddresses, domainOf, isOnMicrosoft, primaryAddress } from '../map/addresses.ts';
import { type GraphGroup, type GraphUser, listOf } from '../map/records.ts';
import { mailboxOf, unmannedType } from '../read/mailbox-type.ts';
import { type GroupType, MAILBOX_TYPES, type Microsoft365Settings } from '../settings.ts';
import { isLicensed } from './licence.ts';
import { type GroupedFilter, groupQuestions, makeRouters, splitFilter } from './memberships.ts';
import { propertiesOf } from './user-filter.ts';

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

/** A clause that is decided by memberships as well as by the record. */
export interface MembershipClause<Item> extends Omit<ScopeClause<Item>, 'fails'> {
  fails(record: Item, facts: MembershipFacts): OutOfScope | undefined;
}

/** Decides from the record alone; undefined when it is in, as far as the record tells. Pure. */
export interface Scope {
  user(user: GraphUser): OutOfScope | undefined;
  group(group: GraphGroup): OutOfScope | undefined;
  /** For which groups a user is in (`Normalised.memberships`); undefined when groups do not matter. */
  memberships(user: GraphUser): string | undefined;
  /** For which groups each routing rule is true of a user (`Normalised.routes`); undefined without rules. */
  routes(user: GraphUser): readonly string[] | undefined;
  /** All that is demanded, in the order in which it is asked: the first clause that fails is the reason. */
  readonly userClauses: readonly ScopeClause<GraphUser>[];
  readonly groupClauses: readonly ScopeClause<GraphGroup>[];
  /** Asked after those, by `store/mirror/membership-scope.ts` for all at once. */
  readonly userMemberships: readonly MembershipClause<GraphUser>[];
  readonly groupMemberships: readonly MembershipClause<GraphGroup>[];
}

/** Compiles the scope of the settings. */
export function makeScope({ scope, destination }: Pick<Microsoft365Settings, 'scope' | 'destination'>): Scope {
  const questions = groupQuestions({ scope, destination });
  const { own, grouped } = splitFilter(scope.filter, questions);
  const routers = makeRouters(destination, questions);
  const userClauses = [...filterClauses(own), ...settingClauses(scope), ...settledClause(grouped)];
  const groupClauses = clausesOfGroups(scope);
  const selection = scope.mode === 'groups' ? [selectionClause(scope)] : [];
  return {
    user: (user) => firstFailure(userClauses, user),
    group: (group) => firstFailure(groupClauses, group),
    memberships(user) {
      const table = grouped?.table(filterable(user));
      return table?.includes('0') === true ? table : undefined;
    },
    routes: (user) => (routers.length === 0 ? undefined : routers.map((route) => route(filterable(user)))),
    userClauses,
    groupClauses,
    userMemberships: [...selection, ...membershipClause(grouped)],
    groupMemberships: selection,
  };
}

/** The groups in a filter matter to nobody whom the rest of it leaves out whatever they are. */
function settledClause(grouped: GroupedFilter | undefined): ScopeClause<GraphUser>[] {
  if (grouped === undefined) return [];
  return [
    {
      setting: 'scope.filter',
      demands: `${grouped.text}, for some groups`,
      fails: (user) =>
        grouped.table(filterable(user)).includes('1')
          ? undefined
          : { reason: 'ScopeFilterFalse', detail: grouped.text },
      reads: propertiesOf(grouped.filter),
    },
  ];
}

function membershipClause(grouped: GroupedFilter | undefined): MembershipClause<GraphUser>[] {
  if (grouped === undefined) return [];
  return [
    {
      setting: 'scope.filter',
      demands: grouped.text,
      fails: (user, { conditions }) =>
        grouped.table(filterable(user))[conditions] === '1'
          ? undefined
          : { reason: 'ScopeFilterFalse', detail: grouped.text },
      reads: propertiesOf(grouped.filter),
    },
  ];
}

function selectionClause({
  groupIds,
  nestedGroups,
  maxDepth,
}: Microsoft365Settings['scope']): MembershipClause<object> {
  const depth = maxDepth === null ? '' : `, at most ${maxDepth} groups below`;
  const nested = nestedGroups === 'ignore' ? ', themselves and not by a group in them' : depth;
  return {
    setting: 'scope.groupIds',
    demands: `one of the groups ${groupIds.join(', ')}${nested}`,
    fails: (_record, { selected, below }) => (selected ? undefined : { reason: below ?? 'NotInSelectedGroup' }),
    reads: [],
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
function filterClauses(terms: readonly Filter[]): ScopeClause<GraphUser>[] {
  // The same user comes to every clause in turn, and is made filterable once.
  let last: { readonly user: GraphUser; readonly seen: object } | undefined;
  const seenOf = (user: GraphUser): object => {
    if (last?.user !== user) last = { user, seen: filterable(user) };
    return last.seen;
  };
  return terms.map((term) => {
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
const MAILBOX = ['mailboxSettings', 'accountEnabled', ...LICENCES, 'proxyAddresses', 'userType'];

function settingClauses(scope: Microsoft365Settings['scope']): ScopeClause<GraphUser>[] {
  const { excludeOnMicrosoft, domains, domainMatch, guests, requireLicence, requireMailbox } = scope;
  const clauses: (ScopeClause<GraphUser> | false)[] = [
    guests === 'exclude' && {
      setting: 'scope.guests',
      demands: 'no guest',
      fails: ({ userType }) => (userType === 'Guest' ? { reason: 'GuestExcluded' } : undefined),
      reads: ['userType'],
    },
    excludeOnMicrosoft && {
      setting: 'scope.excludeOnMicrosoft',
      demands: 'an address that does not end in onmicrosoft.com',
      fails: onMicrosoftReason,
      reads: [...MAIL, 'userPrincipalName'],
    },
    domains.length > 0 && {
      setting: 'scope.domains',
      demands: `${domainMatch === 'any' ? 'an address' : 'a primary address'} in ${domains.join(', ')}`,
      fails: (user) => domainReason(user, scope),
      reads: MAIL,
    },
    requireLicence && {
      setting: 'scope.requireLicence',
      // Shared mailboxes, rooms and equipment need none.
      demands: 'a licence with a mailbox, or a mailbox that needs none',
      fails: (user) =>
        isLicensed(user) === true || unmannedType(mailboxOf(user)) !== undefined ? undefined : { reason: 'Unlicensed' },
      reads: MAILBOX,
    },
    requireMailbox && {
      setting: 'scope.requireMailbox',
      demands: 'a mailbox',
      fails: (user) => (lacksMailbox(user) ? NO_MAILBOX : undefined),
      reads: MAILBOX,
    },
    ...mailboxClause(scope.mailboxTypes),
  ];
  return clauses.filter((clause) => clause !== false);
}

const MAILBOX_WORDS = {
  user: 'of people',
  linked: 'linked to another forest',
  shared: 'shared',
  room: 'of rooms',
  equipment: 'of equipment',
  others: 'of other kinds',
} as const satisfies Record<(typeof MAILBOX_TYPES)[number], string>;

const GROUP_WORDS = {
  security: 'security groups',
  mailEnabledSecurity: 'mail-enabled security groups',
  distribution: 'distribution lists',
  microsoft365: 'Microsoft 365 groups',
} as const satisfies Record<GroupType, string>;

/** Types as people say them. */
function listed<Type extends string>(types: readonly Type[], words: Readonly<Record<Type, string>>): string {
  return types.map((type) => words[type]).join(', ') || 'none';
}

/** Whoever has no mailbox has none of the wrong type; nor is anybody left out by what is only assumed. */
function mailboxClause(wanted: Microsoft365Settings['scope']['mailboxTypes']): ScopeClause<GraphUser>[] {
  const types = new Set<string>(wanted);
  if (MAILBOX_TYPES.every((type) => types.has(type))) return [];
  return [
    {
      setting: 'scope.mailboxTypes',
      demands: wanted.length === 0 ? 'no mailbox' : `no mailbox, or one of these: ${listed(wanted, MAILBOX_WORDS)}`,
      fails(user) {
        const { type, confidence } = mailboxOf(user);
        if (type === undefined || confidence === 'assumed' || types.has(type)) return undefined;
        return { reason: 'MailboxTypeExcluded', detail: type };
      },
      reads: MAILBOX,
    },
  ];
}

function clausesOfGroups(scope: Microsoft365Settings['scope']): ScopeClause<GraphGroup>[] {
  const types = new Set<GroupType>(scope.groupTypes);
  const byType: ScopeClause<GraphGroup> = {
    setting: 'scope.groupTypes',
    demands: `one of these types: ${listed(scope.groupTypes, GROUP_WORDS)}`,
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

/** Somebody with another address stays, without that one. Without any address the sign-in name decides. */
function onMicrosoftReason(user: GraphUser): OutOfScope | undefined {
  const addresses = allAddresses(user);
  const judged = addresses.length > 0 ? addresses : [user.userPrincipalName ?? ''];
  return judged.every(isOnMicrosoft) ? { reason: 'OnMicrosoftDomain' } : undefined;
}

/** By the detail a run tells whose mailbox was removed from who never had one; the address mostly goes with it. */
const NO_MAILBOX: OutOfScope = { reason: 'MailNotProvisioned', detail: 'mailbox' };

function lacksMailbox(user: GraphUser): boolean {
  return mailboxOf(user).type === undefined;
}

/** The primary address decides, or where the settings say so, whichever address is accepted. */
function domainReason(
  user: GraphUser,
  { domains, domainMatch, requireMailbox }: Microsoft365Settings['scope'],
): OutOfScope | undefined {
  const judged = (domainMatch === 'any' ? allAddresses(user) : [primaryAddress(user)]).flatMap((address) =>
    address === undefined ? [] : [domainOf(address)],
  );
  const [first] = judged;
  if (first === undefined) return requireMailbox && lacksMailbox(user) ? NO_MAILBOX : { reason: 'MailNotProvisioned' };
  return judged.some((domain) => domains.includes(domain)) ? undefined : { reason: 'DomainNotAccepted', detail: first };
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
    mailboxType: mailboxOf(user).type,
  };
}
