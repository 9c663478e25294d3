/** Users and groups in SCIM form: the subset of RFC 7643 that Sluice carries. Field names are the RFC's own. */

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const ENTERPRISE_SCHEMA = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const GATEWAY_SCHEMA = 'urn:sluice:params:scim:schemas:extension:gateway:2.0:User';

export type ResourceType = 'User' | 'Group';

/** Who owns a resource: an administrator or SCIM client by hand, or the provider of that kind. */
export type Origin = 'manual' | ProviderKindName;
export type ProviderKindName = 'microsoft365' | 'scim' | 'ldap' | 'csv';
export const PROVIDER_KINDS = ['microsoft365', 'scim', 'ldap', 'csv'] as const satisfies readonly ProviderKindName[];

/** All origins there are, as an SQL array: named in a look-up by external id, so that the index on origin serves. */
export const EVERY_ORIGIN = `{${['manual', ...PROVIDER_KINDS].join(',')}}`;

/** One value of emails, phoneNumbers and the like (RFC 7643 section 2.4). */
export interface MultiValue {
  readonly value: string;
  readonly type?: string;
  readonly display?: string;
  readonly primary?: boolean;
}

export interface Address {
  readonly type?: string;
  readonly formatted?: string;
  readonly streetAddress?: string;
  readonly locality?: string;
  readonly region?: string;
  readonly postalCode?: string;
  readonly country?: string;
  readonly primary?: boolean;
}

export interface PersonName {
  readonly formatted?: string;
  readonly familyName?: string;
  readonly givenName?: string;
  readonly middleName?: string;
  readonly honorificPrefix?: string;
  readonly honorificSuffix?: string;
}

/** In a provider's resource `manager.value` is the manager's *external* id; in the directory it is our id. */
export interface EnterpriseUser {
  readonly employeeNumber?: string;
  readonly costCenter?: string;
  readonly organization?: string;
  readonly division?: string;
  readonly department?: string;
  readonly manager?: { readonly value: string };
}

/** What SCIM core has no word for (contract, "SCIM resources"). */
export interface GatewayUser {
  readonly origin?: Origin;
  readonly affiliationPath?: string;
  readonly mailboxType?: string;
  readonly licensed?: boolean;
  readonly billable?: boolean;
  readonly source?: ProviderKindName;
}

/** A user without `id`, `meta` and `groups`, which belong to the directory. */
export interface UserResource {
  readonly schemas: readonly string[];
  readonly externalId: string;
  readonly userName: string;
  readonly active: boolean;
  readonly name?: PersonName;
  readonly displayName?: string;
  readonly nickName?: string;
  readonly profileUrl?: string;
  readonly title?: string;
  readonly userType?: string;
  readonly preferredLanguage?: string;
  readonly locale?: string;
  readonly timezone?: string;
  readonly emails?: readonly MultiValue[];
  readonly phoneNumbers?: readonly MultiValue[];
  readonly addresses?: readonly Address[];
  readonly [ENTERPRISE_SCHEMA]?: EnterpriseUser;
  readonly [GATEWAY_SCHEMA]?: GatewayUser;
}

/** A group without `id`, `meta` and `members`: memberships travel beside it, one row each. */
export interface GroupResource {
  readonly schemas: readonly string[];
  readonly externalId: string;
  readonly displayName: string;
}

export type Resource = UserResource | GroupResource;
