import type { Normalised } from '#core/provider.ts';
import {
  type Address,
  ENTERPRISE_SCHEMA,
  type EnterpriseUser,
  GATEWAY_SCHEMA,
  GROUP_SCHEMA,
  type GroupResource,
  type MultiValue,
  type PersonName,
  USER_SCHEMA,
  type UserResource,
} from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import type { GraphGroup, GraphUser } from './records.ts';

/** Whether addresses of the tenant's first domain (`…onmicrosoft.com`) are carried. */
export interface MappingOptions {
  readonly dropOnMicrosoft: boolean;
}

/**
 * A Graph user as a SCIM user; `manager.value` is the manager's Entra object id. Pure.
 * Source: learn.microsoft.com/graph/api/resources/user, checked 2026-11.
 */
export function toScimUser(user: GraphUser, options: MappingOptions): Normalised {
  const userName = text(user.userPrincipalName);
  if (userName === undefined) return { skip: 'MandatoryFieldMissing', detail: 'userPrincipalName' };
  const enterprise = enterpriseOf(user);
  const resource: UserResource = {
    schemas: [USER_SCHEMA, ...(enterprise === undefined ? [] : [ENTERPRISE_SCHEMA]), GATEWAY_SCHEMA],
    externalId: user.id,
    userName,
    active: user.accountEnabled !== false,
    ...defined({
      name: nameOf(user),
      displayName: text(user.displayName),
      title: text(user.jobTitle),
      userType: text(user.userType),
      preferredLanguage: text(user.preferredLanguage),
      locale: localeOf(user),
      emails: nonEmpty(emailsOf(user, options)),
      phoneNumbers: nonEmpty(phonesOf(user)),
      addresses: nonEmpty(addressesOf(user)),
    }),
    ...(enterprise === undefined ? {} : { [ENTERPRISE_SCHEMA]: enterprise }),
    [GATEWAY_SCHEMA]: { origin: 'microsoft365', source: 'microsoft365', licensed: isLicensed(user) },
  };
  return { resource };
}

/** A Graph group as a SCIM group. A group without a display name goes by its mail name, at last by its id. */
export function toScimGroup(group: GraphGroup): Normalised {
  const displayName = text(group.displayName) ?? text(group.mailNickname) ?? text(group.mail) ?? group.id;
  const resource: GroupResource = { schemas: [GROUP_SCHEMA], externalId: group.id, displayName };
  return { resource };
}

/** True for any assigned licence, or an enabled service plan where licences were not read (S1.18). */
export function isLicensed(user: GraphUser): boolean {
  if ((user.assignedLicenses ?? []).length > 0) return true;
  return (user.assignedPlans ?? []).some((plan) => plan.capabilityStatus === 'Enabled');
}

/** The primary address: `mail`, else the `SMTP:` proxy address. */
export function primaryAddress(user: GraphUser): string | undefined {
  return text(user.mail) ?? proxies(user, 'SMTP:')[0];
}

export function isOnMicrosoft(address: string): boolean {
  return foldCase(address).endsWith('.onmicrosoft.com');
}

/** Primary first, then each alias once, compared without case. */
function emailsOf(user: GraphUser, { dropOnMicrosoft }: MappingOptions): MultiValue[] {
  const primary = primaryAddress(user);
  const addresses = [...(primary === undefined ? [] : [primary]), ...proxies(user, 'SMTP:'), ...proxies(user, 'smtp:')];
  const seen = new Set<string>();
  const emails: MultiValue[] = [];
  for (const value of addresses) {
    if (seen.has(foldCase(value)) || (dropOnMicrosoft && isOnMicrosoft(value))) continue;
    seen.add(foldCase(value));
    emails.push(value === primary ? { value, type: 'work', primary: true } : { value, type: 'other' });
  }
  return emails;
}

/** Addresses of one protocol, without its prefix: `SMTP:` is the primary, `smtp:` an alias; X500 and SIP are no mail. */
function proxies(user: GraphUser, prefix: 'SMTP:' | 'smtp:'): string[] {
  return (user.proxyAddresses ?? []).flatMap((address) =>
    typeof address === 'string' && address.startsWith(prefix) ? (text(address.slice(prefix.length)) ?? []) : [],
  );
}

function phonesOf(user: GraphUser): MultiValue[] {
  const work = (user.businessPhones ?? []).flatMap((value) => text(value) ?? []);
  const mobile = text(user.mobilePhone);
  const fax = text(user.faxNumber);
  return [
    ...work.map((value, index): MultiValue => ({ value, type: 'work', ...(index === 0 ? { primary: true } : {}) })),
    ...(mobile === undefined
      ? []
      : [{ value: mobile, type: 'mobile', ...(work.length === 0 ? { primary: true } : {}) }]),
    ...(fax === undefined ? [] : [{ value: fax, type: 'fax' }]),
  ];
}

function addressesOf(user: GraphUser): Address[] {
  const address: Omit<Address, 'type' | 'primary'> = defined({
    streetAddress: text(user.streetAddress),
    locality: text(user.city),
    region: text(user.state),
    postalCode: text(user.postalCode),
    country: text(user.country),
  });
  return Object.keys(address).length === 0 ? [] : [{ type: 'work', ...address, primary: true }];
}

function nameOf(user: GraphUser): PersonName | undefined {
  const givenName = text(user.givenName);
  const familyName = text(user.surname);
  if (givenName === undefined && familyName === undefined) return undefined;
  return defined({ formatted: text(user.displayName), givenName, familyName });
}

/** A language with a region is a locale as it stands; a bare language says nothing of number and date formats. */
function localeOf(user: GraphUser): string | undefined {
  const language = text(user.preferredLanguage);
  return language !== undefined && /^[A-Za-z]{2,3}-[A-Za-z]{2,4}/.test(language) ? language : undefined;
}

function enterpriseOf(user: GraphUser): EnterpriseUser | undefined {
  const manager = text(user.manager?.id);
  const enterprise: EnterpriseUser = defined({
    employeeNumber: text(user.employeeId),
    costCenter: text(user.employeeOrgData?.costCenter),
    organization: text(user.companyName),
    division: text(user.employeeOrgData?.division),
    department: text(user.department),
    manager: manager === undefined ? undefined : { value: manager },
  });
  return Object.keys(enterprise).length === 0 ? undefined : enterprise;
}

/** A text that JSON and PostgreSQL can carry, without outer space; undefined when nothing is left. */
function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const clean = value.toWellFormed().replaceAll('\0', '').trim();
  return clean === '' ? undefined : clean;
}

function nonEmpty<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}

type Defined<Shape> = { [Key in keyof Shape]?: Exclude<Shape[Key], undefined> };

/** The same without what is undefined. */
function defined<Shape extends object>(shape: Shape): Defined<Shape> {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as Defined<Shape>;
}
