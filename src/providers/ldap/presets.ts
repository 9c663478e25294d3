// What is usual for a kind of server: filters, the anchor, and how attributes become those of SCIM.
// Sources: MS-ADA1 to MS-ADA3 (learn.microsoft.com), RFC 2798 (inetOrgPerson), RFC 4519, RFC 4530, checked 2026-11.
import { type MappingRule, mappingRules } from '#core/mapping-rules.ts';
import { ENTERPRISE_SCHEMA } from '#core/resource.ts';

export interface Preset {
  readonly userFilter: string;
  readonly groupFilter: string;
  readonly anchor: string;
  readonly memberAttribute: string;
  readonly rules: readonly MappingRule[];
}

/** Alike in both. `enabled`, `emails` and `managerId` are made of several attributes (records.ts). */
const COMMON = [
  { target: 'active', source: 'enabled', defaultIfEmpty: true },
  { target: 'name.givenName', source: 'givenName' },
  { target: 'name.familyName', source: 'sn' },
  { target: 'displayName', expression: 'first([displayName, cn])' },
  { target: 'title', source: 'title' },
  { target: 'userType', source: 'employeeType' },
  { target: 'preferredLanguage', source: 'preferredLanguage' },
  { target: 'emails', source: 'emails' },
  { target: 'phoneNumbers[type eq "work"].value', source: 'telephoneNumber' },
  { target: 'phoneNumbers[type eq "mobile"].value', source: 'mobile' },
  { target: 'phoneNumbers[type eq "fax"].value', source: 'facsimileTelephoneNumber' },
  { target: 'addresses[type eq "work"].locality', source: 'l' },
  { target: 'addresses[type eq "work"].region', source: 'st' },
  { target: 'addresses[type eq "work"].postalCode', source: 'postalCode' },
  { target: 'addresses[type eq "work"].country', source: 'c' },
  { target: `${ENTERPRISE_SCHEMA}:manager.value`, source: 'managerId' },
];

export const PRESETS: Readonly<Record<'activeDirectory' | 'openldap', Preset>> = {
  activeDirectory: {
    userFilter: '(&(objectCategory=person)(objectClass=user))',
    groupFilter: '(objectCategory=group)',
    anchor: 'objectGUID',
    memberAttribute: 'member',
    rules: mappingRules.parse([
      ...COMMON,
      { target: 'userName', expression: 'first([userPrincipalName, sAMAccountName])' },
      { target: 'addresses[type eq "work"].streetAddress', source: 'streetAddress' },
      { target: `${ENTERPRISE_SCHEMA}:employeeNumber`, expression: 'first([employeeID, employeeNumber])' },
      { target: `${ENTERPRISE_SCHEMA}:organization`, source: 'company' },
      { target: `${ENTERPRISE_SCHEMA}:division`, source: 'division' },
      { target: `${ENTERPRISE_SCHEMA}:department`, source: 'department' },
    ]),
  },
  openldap: {
    userFilter: '(objectClass=inetOrgPerson)',
    groupFilter: '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))',
    anchor: 'entryUUID',
    memberAttribute: 'member',
    rules: mappingRules.parse([
      ...COMMON,
      { target: 'userName', expression: 'first([uid, mail])' },
      { target: 'addresses[type eq "work"].streetAddress', source: 'street' },
      { target: `${ENTERPRISE_SCHEMA}:employeeNumber`, source: 'employeeNumber' },
      { target: `${ENTERPRISE_SCHEMA}:organization`, source: 'o' },
      { target: `${ENTERPRISE_SCHEMA}:department`, expression: 'first([departmentNumber, ou])' },
    ]),
  },
};

/** Attributes that fields of a rule are made of. */
export const MADE: Readonly<Record<string, readonly string[]>> = {
  enabled: ['userAccountControl', 'pwdAccountLockedTime', 'nsAccountLock'],
  emails: ['mail', 'proxyAddresses'],
  managerId: ['manager'],
  dn: [],
};

/** Asked for whatever the rules say: what people call an entry. */
export const NAMES = ['cn', 'displayName', 'uid', 'sAMAccountName', 'userPrincipalName', 'mail', 'proxyAddresses'];
