// How a Graph user becomes a SCIM user, as rules: those by default say what to-scim.ts does, those of the settings go
// over it. A test holds the two together.
import type { ResourceSchema, ResourceSchemas } from '#core/attributes.ts';
import type { Document } from '#core/coerce.ts';
import { compileMapping, type Mapping, mergeRules, missingAttribute } from '#core/mapping.ts';
import { type MappingRule, mappingRules } from '#core/mapping-rules.ts';
import { resolveTarget } from '#core/mapping-target.ts';
import type { EffectiveRule, MappingTrace, Normalised } from '#core/provider.ts';
import { ENTERPRISE_SCHEMA, type Resource } from '#core/resource.ts';
import { mailboxOf } from '../read/mailbox-type.ts';
import { isLicensed } from '../scope/licence.ts';
import { propertiesOfField, spellingOf } from '../scope/user-filter.ts';
import type { Microsoft365Settings } from '../settings.ts';
import { primaryAddress } from './addresses.ts';
import type { GraphUser } from './records.ts';
import { type MappingOptions, toScimUser } from './to-scim.ts';

/** Lists that Graph has in several properties, put together as SCIM has them. */
const MADE: Readonly<Record<string, readonly string[]>> = {
  emails: ['mail', 'proxyAddresses'],
  phoneNumbers: ['businessPhones', 'mobilePhone', 'faxNumber'],
  addresses: ['streetAddress', 'city', 'state', 'postalCode', 'country'],
  locale: ['preferredLanguage'],
  // Shared mailboxes and rooms are active although nobody signs in to them, and have a type of their own.
  active: ['accountEnabled'],
  accountType: ['userType'],
};

/** Properties that a filter does not offer. Source: learn.microsoft.com/graph/api/resources/user, checked 2026-11. */
const MORE: ReadonlySet<string> = new Set([
  ...['ageGroup', 'consentProvidedForMinor', 'faxNumber', 'imAddresses', 'lastPasswordChangeDateTime'],
  ...['legalAgeGroupClassification', 'onPremisesDistinguishedName', 'onPremisesImmutableId'],
  ...['onPremisesLastSyncDateTime', 'onPremisesSecurityIdentifier', 'onPremisesUserPrincipalName'],
  ...['passwordPolicies', 'securityIdentifier', 'showInAddressList', 'employeeLeaveDateTime'],
]);

/** `extension_{application id without dashes}_{name}`. Source: learn.microsoft.com/graph/extensibility-overview, checked 2026-11. */
const DIRECTORY_EXTENSION = /^extension_[0-9a-fA-F]{32}_\w{1,200}$/;

/** What to-scim.ts does, in the words of a mapping. */
export const DEFAULT_RULES: readonly MappingRule[] = mappingRules.parse([
  { target: 'userName', source: 'userPrincipalName' },
  { target: 'active', source: 'active', defaultIfEmpty: true },
  { target: 'name.formatted', expression: 'first([givenName, surname]) == null ? none : displayName' },
  { target: 'name.givenName', source: 'givenName' },
  { target: 'name.familyName', source: 'surname' },
  { target: 'displayName', source: 'displayName' },
  { target: 'title', source: 'jobTitle' },
  { target: 'userType', source: 'accountType' },
  { target: 'preferredLanguage', source: 'preferredLanguage' },
  { target: 'locale', source: 'locale' },
  { target: 'emails', source: 'emails' },
  { target: 'phoneNumbers', source: 'phoneNumbers' },
  { target: 'addresses', source: 'addresses' },
  { target: `${ENTERPRISE_SCHEMA}:employeeNumber`, source: 'employeeId' },
  { target: `${ENTERPRISE_SCHEMA}:costCenter`, source: 'employeeOrgData.costCenter' },
  { target: `${ENTERPRISE_SCHEMA}:organization`, source: 'companyName' },
  { target: `${ENTERPRISE_SCHEMA}:division`, source: 'employeeOrgData.division' },
  { target: `${ENTERPRISE_SCHEMA}:department`, source: 'department' },
  { target: `${ENTERPRISE_SCHEMA}:manager.value`, source: 'manager.id' },
]);

export interface UserMapping {
  /** Graph properties that the rules of the settings need. */
  readonly properties: readonly string[];
  /** The rules of the settings alone. */
  readonly own: Mapping;
  /** Pure: the user through the defaults and the rules of the settings. */
  map(user: GraphUser): Normalised;
  /** Pure: by attribute, what the rules in force saw of a user, and which they are. */
  explain(user: GraphUser): ReadonlyMap<string, AttributeRules>;
}

export interface AttributeRules {
  readonly source: Readonly<Record<string, unknown>>;
  readonly rules: readonly MappingRule[];
  /** Whether one of them is from the settings. */
  readonly isOwn: boolean;
}

/** @throws {InputError} `settings-invalid`: a rule of the settings that cannot be */
export function makeUserMapping(
  { mapping, scope }: Pick<Microsoft365Settings, 'mapping' | 'scope'>,
  { User: schema }: ResourceSchemas,
): UserMapping {
  const options: MappingOptions = { dropOnMicrosoft: scope.excludeOnMicrosoft };
  const own = compileMapping(mapping.users, { schema, fieldProblem });
  return {
    own,
    properties: [...new Set(own.reads.flatMap(propertiesFor))],
    map(user) {
      const usual = toScimUser(user, options);
      if (mapping.users.length === 0 || !('resource' in usual)) return usual;
      const mapped = own.apply({ ...usual.resource }, recordOf(user, usual.resource));
      const missing = missingAttribute(mapped, schema);
      if (missing !== undefined) return { skip: 'MandatoryFieldMissing', detail: missing };
      return { resource: mapped as unknown as Resource };
    },
    explain: (user) => byAttribute(traceUser({ mapping, scope }, schema, user), schema),
  };
}

function byAttribute(results: MappingTrace['results'], schema: ResourceSchema): ReadonlyMap<string, AttributeRules> {
  const found = new Map<string, AttributeRules>();
  for (const { rule, source, byDefault } of results) {
    const { whole } = resolveTarget(rule.target, schema);
    const before = found.get(whole);
    found.set(whole, {
      source: { ...before?.source, ...source },
      rules: [...(before?.rules ?? []), rule],
      isOwn: before?.isOwn === true || !byDefault,
    });
  }
  return found;
}

/** The rules in force, with what each attribute takes. @throws {InputError} as `makeUserMapping` */
export function effectiveRules(
  { mapping }: Pick<Microsoft365Settings, 'mapping'>,
  schema: ResourceSchema,
): readonly EffectiveRule[] {
  return mergeRules(DEFAULT_RULES, mapping.users, { schema, fieldProblem }).map((rule) => {
    const { path, attribute } = resolveTarget(rule.target, schema);
    return { ...rule, target: path, type: attribute.type, multiValued: attribute.multiValued };
  });
}

/** Each rule in force on one record, whatever the scope says of it. */
export function traceUser(
  settings: Pick<Microsoft365Settings, 'mapping' | 'scope'>,
  schema: ResourceSchema,
  user: GraphUser,
): MappingTrace['results'] {
  const rules = effectiveRules(settings, schema);
  const usual = toScimUser(user, { dropOnMicrosoft: settings.scope.excludeOnMicrosoft });
  const record = recordOf(user, 'resource' in usual ? usual.resource : undefined);
  const mapping = compileMapping(
    rules.map(({ byDefault: _default, type: _type, multiValued: _many, ...rule }) => rule),
    { schema },
  );
  return mapping.trace(record).map((result, index) => ({ ...result, byDefault: rules[index]?.byDefault === true }));
}

/** A user as rules see it: its own properties, those of Exchange under their own names, and the lists put together. */
export function recordOf(user: GraphUser, usual: Resource | undefined): Readonly<Record<string, unknown>> {
  const made: Document = { ...usual };
  made['accountType'] = made['userType'];
  return {
    ...user.onPremisesExtensionAttributes,
    ...user,
    proxyAddress: user.proxyAddresses,
    mailEnabled: primaryAddress(user) !== undefined,
    licensed: isLicensed(user) === true,
    mailboxType: mailboxOf(user).type,
    ...Object.fromEntries(Object.keys(MADE).map((name) => [name, made[name]])),
  };
}

/** Why a Graph user has no such field, in words. */
function fieldProblem(name: string): string | undefined {
  const [head = '', ...rest] = name.split('.');
  if (propertiesFor(head).length > 0) {
    const parts = PARTS[head];
    if (rest.length === 0 || parts === undefined || parts.includes(rest.join('.'))) return undefined;
    return `"${head}" has no part "${rest.join('.').slice(0, 40)}"; use ${parts.join(' or ')}.`;
  }
  const meant = spellingOf(head);
  if (meant !== undefined) return `There is no field "${head.slice(0, 60)}"; "${meant}" is spelled so.`;
  return `Microsoft 365 has no field "${head.slice(0, 60)}"; GET /api/v1/providers/microsoft365/source/fields lists most, and a directory extension is named extension_{application id}_{name}.`;
}

const PARTS: Readonly<Record<string, readonly string[]>> = {
  manager: ['id'],
  employeeOrgData: ['costCenter', 'division'],
};

/** The Graph properties that a field needs; none for what is no field. Managers and mailboxes are always read. */
function propertiesFor(field: string): readonly string[] {
  const head = field.split('.')[0] ?? '';
  const made = MADE[head];
  if (made !== undefined) return made;
  if (MORE.has(head) || DIRECTORY_EXTENSION.test(head)) return [head];
  if (head === 'manager' || head === 'mailboxType') return ['id'];
  return propertiesOfField(head) ?? [];
}
