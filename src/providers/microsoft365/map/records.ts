// What Graph sends, as far as we read it. Every property may be absent or null: both mean unset.

export interface GraphUser {
  readonly id: string;
  readonly userPrincipalName?: string | null;
  readonly displayName?: string | null;
  readonly givenName?: string | null;
  readonly surname?: string | null;
  readonly accountEnabled?: boolean | null;
  readonly userType?: string | null;
  readonly mail?: string | null;
  readonly proxyAddresses?: readonly string[] | null;
  readonly businessPhones?: readonly string[] | null;
  readonly mobilePhone?: string | null;
  readonly faxNumber?: string | null;
  readonly jobTitle?: string | null;
  readonly department?: string | null;
  readonly companyName?: string | null;
  readonly employeeId?: string | null;
  readonly employeeOrgData?: { readonly division?: string | null; readonly costCenter?: string | null } | null;
  readonly preferredLanguage?: string | null;
  readonly streetAddress?: string | null;
  readonly city?: string | null;
  readonly state?: string | null;
  readonly postalCode?: string | null;
  readonly country?: string | null;
  readonly assignedLicenses?: readonly { readonly skuId?: string | null }[] | null;
  readonly assignedPlans?: readonly AssignedPlan[] | null;
  readonly onPremisesExtensionAttributes?: object | null;
  readonly onPremisesImmutableId?: string | null;
  readonly onPremisesSecurityIdentifier?: string | null;
  /** Not of the list: what is known of the mailbox (mailboxes.ts); a null purpose says that there is none. */
  readonly mailboxSettings?: { readonly userPurpose?: string | null } | null;
  readonly manager?: { readonly id?: string | null } | null;
}

export interface AssignedPlan {
  /** `exchange`, `SharePoint`, … */
  readonly service?: string | null;
  /** `Enabled`, `Warning`, `Suspended`, `Deleted`, `LockedOut`. */
  readonly capabilityStatus?: string | null;
}

export interface GraphGroup {
  readonly id: string;
  readonly displayName?: string | null;
  readonly mail?: string | null;
  readonly mailNickname?: string | null;
  readonly mailEnabled?: boolean | null;
  readonly securityEnabled?: boolean | null;
  readonly groupTypes?: readonly string[] | null;
  /** `HiddenMembership`: only the members see each other, and applications with Member.Read.Hidden. */
  readonly visibility?: string | null;
  /** Not of the list: how many direct members it has, of a group that is shown and not entered (group-read.ts). */
  readonly memberCount?: number;
}

/** A member: nothing but type and id is promised. */
export interface GraphMember extends GraphGroup {
  readonly '@odata.type'?: string | null;
  readonly userPrincipalName?: string | null;
}

/** What the mapping and matching read; a scope filter may add to it. `manager` comes by `$expand`. */
export const USER_SELECT = [
  'id',
  'userPrincipalName',
  'displayName',
  'givenName',
  'surname',
  'accountEnabled',
  'userType',
  'mail',
  'proxyAddresses',
  'businessPhones',
  'mobilePhone',
  'faxNumber',
  'jobTitle',
  'department',
  'companyName',
  'employeeId',
  'employeeOrgData',
  'preferredLanguage',
  'streetAddress',
  'city',
  'state',
  'postalCode',
  'country',
  'assignedLicenses',
  'assignedPlans',
  'onPremisesImmutableId',
  'onPremisesSecurityIdentifier',
] as const;

export const GROUP_SELECT = [
  'id',
  'displayName',
  'mail',
  'mailNickname',
  'mailEnabled',
  'securityEnabled',
  'groupTypes',
  'visibility',
] as const;

/** Kinds that are users too, and in every list of them. Source: learn.microsoft.com/graph/api/resources/agentuser, checked 2026-11. */
const USERS: ReadonlySet<string> = new Set(['user', 'agentUser']);

/** The kind of a member: `user`, `group`, `device`; undefined when Graph does not say, and nothing that it has does. */
export function memberKind(member: GraphMember): string | undefined {
  const { '@odata.type': type } = member;
  const kind = typeof type === 'string' ? type.replace(/^#?microsoft\.graph\./i, '') : '';
  if (USERS.has(kind)) return 'user';
  if (kind !== '' && kind !== 'directoryObject') return kind;
  if (typeof member.userPrincipalName === 'string') return 'user';
  return typeof member.securityEnabled === 'boolean' ? 'group' : undefined;
}

/** Source: learn.microsoft.com/graph/api/resources/group, property `visibility`, checked 2026-11. */
export function hidesMembers({ visibility }: GraphGroup): boolean {
  return visibility?.toLowerCase() === 'hiddenmembership';
}

/** The elements of a list that may be absent, null, or hold nulls. */
export function listOf<Item>(value: readonly Item[] | null | undefined): readonly NonNullable<Item>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is NonNullable<Item> => item !== null && item !== undefined);
}
