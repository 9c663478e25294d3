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
import { isBillable, mailboxOf, unmannedType } from '../read/mailbox-type.ts';
import { isLicensed } from '../scope/licence.ts';
import { emailsOf } from './addresses.ts';
import { type GraphGroup, type GraphUser, listOf } from './records.ts';
import { textOf } from './text.ts';

export interface MappingOptions {
  /** Leaves out addresses of the tenant's first domain (`…onmicrosoft.com`). */
  readonly dropOnMicrosoft: boolean;
}

/**
 * A Graph user as a SCIM user; `manager.value` is the manager's Entra object id. Pure.
 * Source: learn.microsoft.com/graph/api/resources/user, checked 2026-11.
 */
export function toScimUser(user: GraphUser, options: MappingOptions): Normalised {
  const userName = textOf(user.userPrincipalName);
  if (userName === undefined) return { skip: 'MandatoryFieldMissing', detail: 'userPrincipalName' };
  // A name that had to be mended might be somebody else's.
  if (userName !== user.userPrincipalName) return { skip: 'SchemaViolation', detail: 'userPrincipalName' };
  const enterprise = enterpriseOf(user);
  const mailbox = mailboxOf(user);
  const unmanned = unmannedType(mailbox);
  const resource: UserResource = {
    schemas: [USER_SCHEMA, ...(enterprise === undefined ? [] : [ENTERPRISE_SCHEMA]), GATEWAY_SCHEMA],
    externalId: user.id,
    userName,
    // Nobody signs in to a shared mailbox or a room; its account is disabled by design.
    active: user.accountEnabled !== false || unmanned !== undefined,
    ...defined({
      name: nameOf(user),
      displayName: textOf(user.displayName),
      title: textOf(user.jobTitle),
      userType: unmanned ?? textOf(user.userType),
      preferredLanguage: textOf(user.preferredLanguage),
      locale: localeOf(user),
      emails: nonEmpty(emailsOf(user, options)),
      phoneNumbers: nonEmpty(phonesOf(user)),
      addresses: nonEmpty(addressesOf(user)),
    }),
    ...(enterprise === undefined ? {} : { [ENTERPRISE_SCHEMA]: enterprise }),
    [GATEWAY_SCHEMA]: {
      origin: 'microsoft365',
      source: 'microsoft365',
      ...defined({ licensed: isLicensed(user), mailboxType: mailbox.type, billable: isBillable(user) }),
    },
  };
  return { resource };
}

/** A Graph group as a SCIM group. A group without a display name goes by its mail name, at last by its id. */
export function toScimGroup(group: GraphGroup): Normalised {
  const displayName = textOf(group.displayName) ?? textOf(group.mailNickname) ?? textOf(group.mail) ?? group.id;
  const resource: GroupResource = { schemas: [GROUP_SCHEMA], externalId: group.id, displayName };
  return { resource };
}

function phonesOf(user: GraphUser): MultiValue[] {
  const work = listOf(user.businessPhones).flatMap((value) => textOf(value) ?? []);
  const mobile = textOf(user.mobilePhone);
  const fax = textOf(user.faxNumber);
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
    streetAddress: textOf(user.streetAddress),
    locality: textOf(user.city),
    region: textOf(user.state),
    postalCode: textOf(user.postalCode),
    country: countryOf(user),
  });
  return Object.keys(address).length === 0 ? [] : [{ type: 'work', ...address, primary: true }];
}

/** RFC 7643 section 4.1.2 wants ISO 3166-1 alpha-2. Entra holds free text: a code is spelled as one, a name stays. */
function countryOf(user: GraphUser): string | undefined {
  const country = textOf(user.country);
  return country !== undefined && /^[a-z]{2}$/i.test(country) ? country.toUpperCase() : country;
}

function nameOf(user: GraphUser): PersonName | undefined {
  const givenName = textOf(user.givenName);
  const familyName = textOf(user.surname);
  if (givenName === undefined && familyName === undefined) return undefined;
  return defined({ formatted: textOf(user.displayName), givenName, familyName });
}

/** A language with a region is a locale as it stands; a bare language says nothing of number and date formats. */
function localeOf(user: GraphUser): string | undefined {
  const language = textOf(user.preferredLanguage);
  return language !== undefined && /^[A-Za-z]{2,3}-[A-Za-z]{2,4}/.test(language) ? language : undefined;
}

function enterpriseOf(user: GraphUser): EnterpriseUser | undefined {
  const manager = textOf(user.manager?.id);
  const enterprise: EnterpriseUser = defined({
    employeeNumber: textOf(user.employeeId),
    costCenter: textOf(user.employeeOrgData?.costCenter),
    organization: textOf(user.companyName),
    division: textOf(user.employeeOrgData?.division),
    department: textOf(user.department),
    manager: manager === undefined ? undefined : { value: manager },
  });
  return Object.keys(enterprise).length === 0 ? undefined : enterprise;
}

function nonEmpty<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}

type Defined<Shape> = { [Key in keyof Shape]?: Exclude<Shape[Key], undefined> };

/** The same without what is undefined. */
function defined<Shape extends object>(shape: Shape): Defined<Shape> {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as Defined<Shape>;
}
