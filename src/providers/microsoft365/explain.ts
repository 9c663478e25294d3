// Why a record is in scope or out, and what each attribute was made of. It asks the very clauses and the mapping that
// decide in a run, so it cannot say anything else.
import type { Clause, Evidence, MappedAttribute, RecordExplanation } from '#core/explanation.ts';
import type { MembershipFacts } from '#core/membership-scope.ts';
import type { Normalised } from '#core/provider.ts';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, type Resource, type ResourceType } from '#core/resource.ts';
import { allAddresses, domainOf, primaryAddress } from './map/addresses.ts';
import type { AttributeRules } from './map/mapping.ts';
import type { GraphGroup, GraphUser } from './map/records.ts';
import { mailboxOf } from './read/mailbox-type.ts';
import { isLicensed } from './scope/licence.ts';
import type { MembershipClause, OutOfScope, ScopeClause } from './scope/scope.ts';

type GraphRecord = GraphUser & GraphGroup;

export interface Explaining {
  readonly clauses: readonly ScopeClause<GraphRecord>[];
  /** The record through the mapping, whatever the scope says. */
  readonly mapped: Normalised;
  readonly memberships: readonly MembershipClause<GraphRecord>[];
  /** Its place among the groups; undefined when nobody has looked. */
  readonly facts: MembershipFacts | undefined;
  /** By attribute, the rules of the mapping and what they saw. */
  readonly rules?: ReadonlyMap<string, AttributeRules>;
}

/** Graph properties by the attribute that is made of them. A test takes each away and looks. */
export const SOURCES: Readonly<Record<ResourceType, Readonly<Record<string, readonly string[]>>>> = {
  User: {
    externalId: ['id'],
    userName: ['userPrincipalName'],
    active: ['accountEnabled', 'mailboxSettings'],
    name: ['givenName', 'surname', 'displayName'],
    displayName: ['displayName'],
    title: ['jobTitle'],
    userType: ['userType', 'mailboxSettings'],
    preferredLanguage: ['preferredLanguage'],
    locale: ['preferredLanguage'],
    emails: ['mail', 'proxyAddresses'],
    phoneNumbers: ['businessPhones', 'mobilePhone', 'faxNumber'],
    addresses: ['streetAddress', 'city', 'state', 'postalCode', 'country'],
    [`${ENTERPRISE_SCHEMA}:employeeNumber`]: ['employeeId'],
    [`${ENTERPRISE_SCHEMA}:costCenter`]: ['employeeOrgData'],
    [`${ENTERPRISE_SCHEMA}:organization`]: ['companyName'],
    [`${ENTERPRISE_SCHEMA}:division`]: ['employeeOrgData'],
    [`${ENTERPRISE_SCHEMA}:department`]: ['department'],
    [`${ENTERPRISE_SCHEMA}:manager`]: ['manager'],
    [`${GATEWAY_SCHEMA}:licensed`]: ['assignedPlans', 'assignedLicenses'],
    [`${GATEWAY_SCHEMA}:mailboxType`]: ['mailboxSettings'],
    [`${GATEWAY_SCHEMA}:billable`]: ['assignedPlans', 'assignedLicenses', 'mailboxSettings'],
  },
  Group: { externalId: ['id'], displayName: ['displayName', 'mailNickname', 'mail', 'id'] },
};

export function explainRecord(
  record: GraphRecord,
  type: ResourceType,
  { clauses, mapped, memberships, facts, rules = new Map() }: Explaining,
): RecordExplanation {
  const byGroups = facts === undefined ? [] : memberships.map((clause) => membershipClause(clause, record, facts));
  return {
    clauses: [...clauses.map((clause) => explainClause(clause, record)), mappingClause(record, mapped), ...byGroups],
    evidence: type === 'User' ? evidenceOf(record) : [],
    attributes: 'resource' in mapped ? attributesOf(mapped.resource, record, type, rules) : [],
  };
}

function explainClause(clause: ScopeClause<GraphRecord>, record: GraphRecord): Clause {
  return outcomeOf(clause, clause.fails(record), valuesOf(record, clause.reads));
}

/** The way by which somebody came in stands beside the values. */
function membershipClause(clause: MembershipClause<GraphRecord>, record: GraphRecord, facts: MembershipFacts): Clause {
  return outcomeOf(clause, clause.fails(record, facts), { ...valuesOf(record, clause.reads), path: facts.path });
}

function outcomeOf(
  { setting, demands }: Pick<ScopeClause<never>, 'setting' | 'demands'>,
  failure: OutOfScope | undefined,
  seen: Clause['seen'],
): Clause {
  const { reason = null, detail = null } = failure ?? {};
  return { setting, demands, holds: failure === undefined, seen, reason, detail };
}

function mappingClause(record: GraphRecord, mapped: Normalised): Clause {
  const failure = 'skip' in mapped ? mapped : undefined;
  return {
    setting: 'mapping',
    demands: 'all that SCIM demands, in text that it can carry',
    holds: failure === undefined,
    seen: failure?.detail === undefined ? {} : valuesOf(record, [failure.detail]),
    reason: failure?.skip ?? null,
    detail: failure?.detail ?? null,
  };
}

const MAILBOX = [
  'mailboxSettings',
  'accountEnabled',
  'assignedPlans',
  'assignedLicenses',
  'proxyAddresses',
  'userType',
];

function evidenceOf(user: GraphUser): Evidence[] {
  const primary = primaryAddress(user);
  const mailbox = mailboxOf(user);
  return [
    {
      name: 'domain',
      value: primary === undefined ? null : domainOf(primary),
      seen: { primary: primary ?? null, addresses: allAddresses(user) },
    },
    { name: 'licence', value: isLicensed(user) ?? null, seen: valuesOf(user, ['assignedPlans', 'assignedLicenses']) },
    {
      name: 'mailbox',
      value: mailbox.type ?? null,
      seen: { confidence: mailbox.confidence, ...valuesOf(user, MAILBOX) },
    },
  ];
}

/** Where the settings have no rule for an attribute, its source are the Graph properties that it is made of. */
function attributesOf(
  resource: Resource,
  record: GraphRecord,
  type: ResourceType,
  rules: ReadonlyMap<string, AttributeRules>,
): MappedAttribute[] {
  const values = flattened(resource);
  const sources = SOURCES[type];
  return [...new Set([...Object.keys(sources), ...rules.keys()])].flatMap((attribute): MappedAttribute[] => {
    if (!values.has(attribute)) return [];
    const by = rules.get(attribute);
    const source = by?.isOwn === true ? by.source : valuesOf(record, sources[attribute] ?? []);
    return [{ attribute, value: values.get(attribute), source, ...(by === undefined ? {} : { rules: by.rules }) }];
  });
}

/** By attribute; those of an extension each for itself. */
function flattened(resource: Resource): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(resource))
    if (name !== ENTERPRISE_SCHEMA && name !== GATEWAY_SCHEMA) values.set(name, value);
    else for (const [inner, part] of Object.entries(value as object)) values.set(`${name}:${inner}`, part);
  return values;
}

function valuesOf(record: object, properties: readonly string[]): Record<string, unknown> {
  const given = record as Readonly<Record<string, unknown>>;
  return Object.fromEntries(properties.map((property) => [property, given[property] ?? null]));
}
