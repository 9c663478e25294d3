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
  readonly employeeType?: string | null;
  readonly employeeOrgData?: { readonly division?: string | null; readonly costCenter?: string | null } | null;
  readonly preferredLanguage?: string | null;
  readonly streetAddress?: string | null;
  readonly city?: string | null;
  readonly state?: string | null;
  readonly postalCode?: string | null;
  readonly country?: string | null;
  readonly usageLocation?: string | null;
  readonly assignedLicenses?: readonly unknown[] | null;
  readonly assignedPlans?:
    | readonly { readonly service?: string | null; readonly capabilityStatus?: string | null }[]
    | null;
  readonly onPremisesSyncEnabled?: boolean | null;
  readonly manager?: { readonly id?: string | null } | null;
}

export interface GraphGroup {
  readonly id: string;
  readonly displayName?: string | null;
  readonly mail?: string | null;
  readonly mailNickname?: string | null;
  readonly mailEnabled?: boolean | null;
  readonly securityEnabled?: boolean | null;
  readonly groupTypes?: readonly string[] | null;
}

export interface GraphMember {
  readonly '@odata.type'?: string | null;
  readonly id: string;
  readonly displayName?: string | null;
}

/** Exactly what mapping and scope read. `manager` comes by `$expand`. */
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
  'employeeType',
  'employeeOrgData',
  'preferredLanguage',
  'streetAddress',
  'city',
  'state',
  'postalCode',
  'country',
  'usageLocation',
  'assignedLicenses',
  'assignedPlans',
  'onPremisesSyncEnabled',
] as const;

export const GROUP_SELECT = [
  'id',
  'displayName',
  'mail',
  'mailNickname',
  'mailEnabled',
  'securityEnabled',
  'groupTypes',
] as const;
