// The scope filter: SCIM filter syntax over the properties of a Graph user. Only properties in the table may be named,
// since a name that no user has would put everybody out of scope in silence.
import { InputError } from '#core/errors.ts';
import { type AttributePath, type Filter, parseFilter } from '#core/filter.ts';
import { foldCase } from '#core/search.ts';
import { type FieldType, fieldsFrom, OPERATORS_OF, type SourceField } from '#core/source.ts';

interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly example: string;
  /** The Graph properties it needs. */
  readonly reads: readonly string[];
  readonly subs?: readonly string[];
}

const text = (name: string, example: string, reads: readonly string[] = [name]): Field => ({
  name,
  type: 'string',
  example,
  reads,
});
const flag = (name: string, reads?: readonly string[]): Field => ({ ...text(name, 'true', reads), type: 'boolean' });
const many = (name: string, example: string, reads?: readonly string[]): Field => ({
  ...text(name, example, reads),
  type: 'strings',
});

/** What may be filtered by. `memberOf` is about memberships, which a user's record does not have (memberships.ts). */
const FIELDS: readonly Field[] = [
  flag('accountEnabled'),
  { ...many('assignedLicenses', '05e9a617-0261-4cee-bb44-138d3ef5d965'), subs: ['skuId'] },
  { ...many('assignedPlans', 'exchange'), subs: ['service', 'capabilityStatus', 'servicePlanId'] },
  many('businessPhones', '+49 30 1234567'),
  text('city', 'Seoul'),
  text('companyName', 'Contoso'),
  text('country', 'Germany'),
  { ...text('createdDateTime', '2026-01-31T00:00:00Z'), type: 'dateTime' },
  text('creationType', 'Invitation'),
  text('department', 'Sales'),
  text('displayName', 'Ada Lovelace'),
  { ...text('employeeHireDate', '2026-01-31T00:00:00Z'), type: 'dateTime' },
  text('employeeId', '1042'),
  { ...text('employeeOrgData', 'EMEA'), subs: ['division', 'costCenter'] },
  text('employeeType', 'Employee'),
  ...Array.from({ length: 15 }, (_, index) =>
    text(`extensionAttribute${index + 1}`, 'A', ['onPremisesExtensionAttributes']),
  ),
  text('externalUserState', 'Accepted'),
  text('givenName', 'Ada'),
  text('id', '6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0'),
  text('jobTitle', 'Engineer'),
  flag('licensed', ['assignedLicenses', 'assignedPlans']),
  text('mail', 'ada@contoso.com'),
  flag('mailEnabled', ['mail', 'proxyAddresses']),
  text('mailboxType', 'shared', ['accountEnabled', 'assignedLicenses', 'assignedPlans', 'proxyAddresses', 'userType']),
  text('mailNickname', 'ada'),
  { ...many('memberOf', 'All staff', []), type: 'groups' },
  text('mobilePhone', '+49 170 1234567'),
  text('officeLocation', '4/1.12'),
  text('onPremisesDomainName', 'corp.contoso.com'),
  text('onPremisesSamAccountName', 'ada'),
  flag('onPremisesSyncEnabled'),
  many('otherMails', 'ada@example.com'),
  text('postalCode', '10115'),
  text('preferredLanguage', 'en-GB'),
  many('proxyAddress', 'smtp:ada@contoso.com', ['proxyAddresses']),
  many('proxyAddresses', 'smtp:ada@contoso.com'),
  text('state', 'Berlin'),
  text('streetAddress', '1 Main Street'),
  text('surname', 'Lovelace'),
  text('usageLocation', 'GB'),
  text('userPrincipalName', 'ada@contoso.com'),
  text('userType', 'Member'),
];

const BY_NAME: ReadonlyMap<string, Field> = new Map(FIELDS.map((field) => [foldCase(field.name), field]));

/** The Graph properties that a field of the table needs; undefined for what is no field, spelled just so. */
export function propertiesOfField(name: string): readonly string[] | undefined {
  const field = BY_NAME.get(foldCase(name));
  return field?.name === name ? field.reads : undefined;
}

/** The spelling of a field that differs in case only. */
export function spellingOf(name: string): string | undefined {
  return BY_NAME.get(foldCase(name))?.name;
}

export function findFields(prefix: string): readonly SourceField[] {
  const shown = FIELDS.map((field) => ({
    name: field.name,
    type: field.type,
    operators: OPERATORS_OF[field.type],
    example: exampleOf(field),
  }));
  return fieldsFrom(shown, prefix);
}

function exampleOf({ name, type, example, subs }: Field): string {
  const path = subs === undefined ? name : `${name}.${subs[0]}`;
  if (type === 'boolean') return `${path} eq ${example}`;
  return `${path} ${type === 'dateTime' ? 'ge' : 'eq'} ${JSON.stringify(example)}`;
}

/**
 * The scope filter as a tree; undefined for an empty text. Values may stand in single quotes too, as in OData.
 * @throws {InputError} `invalidFilter`: not a filter, or it names what a Graph user does not have
 */
export function parseUserFilter(text: string): Filter | undefined {
  if (text.trim() === '') return undefined;
  const filter = parseFilter(withDoubleQuotes(text));
  checkNames(filter);
  return filter;
}

/** Why the text cannot be a scope filter, in words; undefined when it can. */
export function filterProblem(text: string): string | undefined {
  try {
    parseUserFilter(text);
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

/** Graph properties that the filter reads, each once. */
export function propertiesOf(filter: Filter): readonly string[] {
  return [...new Set(pathsOf(filter).flatMap(({ attribute }) => BY_NAME.get(foldCase(attribute))?.reads ?? []))];
}

/** `'O''Neil'` becomes `"O'Neil"`; what stands in double quotes stays. */
function withDoubleQuotes(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|'((?:[^']|'')*)'/g, (whole, single: string | undefined) =>
    single === undefined ? whole : JSON.stringify(single.replaceAll("''", "'")),
  );
}

function checkNames(filter: Filter): void {
  for (const { attribute, sub, schema } of pathsOf(filter)) {
    const field = schema === undefined ? BY_NAME.get(foldCase(attribute)) : undefined;
    if (field === undefined) throw unknownField(attribute);
    if (sub !== undefined && !field.subs?.some((name) => foldCase(name) === foldCase(sub)))
      throw wrong(`"${field.name}" has no part "${sub.slice(0, 40)}"`);
  }
  checkLiterals(filter);
  checkGroups(filter);
}

function unknownField(name: string): InputError {
  return wrong(`users have no property "${name.slice(0, 40)}" that a filter can use`);
}

/** What can never be true of anybody would put everybody out of scope. */
function checkLiterals(filter: Filter): void {
  for (const { path, operator, value } of comparisonsOf(filter)) {
    const field = BY_NAME.get(foldCase(path.attribute));
    if (field === undefined) continue;
    // Licences and plans by themselves are compared by their id and their service.
    if (field.type === 'string' && field.subs !== undefined && path.sub === undefined)
      throw wrong(
        `"${field.name}" has parts: compare ${field.subs.map((sub) => `"${field.name}.${sub}"`).join(' or ')}`,
      );
    if (value === null) continue;
    if (field.type === 'boolean' && typeof value !== 'boolean')
      throw wrong(`"${field.name}" is true or false, without quotes`);
    if (field.type !== 'boolean' && typeof value !== 'string') throw wrong(`"${field.name}" is text and needs quotes`);
    if (['boolean', 'dateTime'].includes(field.type) && !OPERATORS_OF[field.type].includes(operator))
      throw wrong(`"${field.name}" takes ${OPERATORS_OF[field.type].join(', ')}, and not "${operator}"`);
    if (field.type === 'dateTime' && !isTime(String(value)))
      throw wrong(`"${field.name}" is a time, as in ${JSON.stringify(field.example)}`);
  }
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\d(T|$)/.test(text) && !Number.isNaN(Date.parse(text));
}

/** Who is in a group is looked up in the mirror, for a bounded number of questions about single groups. */
function checkGroups(filter: Filter): void {
  for (const term of leavesOf(filter)) {
    if (!isMemberOf(term)) continue;
    if (term.kind === 'element') throw wrong('"memberOf" has no parts: compare it with an id, a name or an address');
    if (term.kind === 'present') continue;
    if (term.value === null)
      throw wrong('"memberOf" is compared with an id, a name or an address, or asked for by "pr"');
    if (!OPERATORS_OF.groups.includes(term.operator)) throw wrong(`"memberOf" has no order for "${term.operator}"`);
  }
  if (new Set(groupTermsOf(filter).map(groupTermKey)).size > GROUP_TERMS_MAX)
    throw wrong(`it asks for more than ${GROUP_TERMS_MAX} groups by "memberOf"`);
}

/** A term about the groups that somebody is a direct member of. */
export type GroupTerm = Extract<Filter, { kind: 'compare' | 'present' }>;

/** Each combination of answers is worked out beforehand: 2 to this power for each person. */
const GROUP_TERMS_MAX = 8;

/** Everything in the filter that is about groups. */
export function groupTermsOf(filter: Filter): readonly GroupTerm[] {
  return leavesOf(filter).filter((term): term is GroupTerm => isMemberOf(term));
}

/** Terms with the same key ask the same of the groups; `ne` asks for the opposite of `eq`. */
export function groupTermKey(term: GroupTerm): string {
  if (term.kind === 'present') return 'pr';
  return `${term.operator === 'ne' ? 'eq' : term.operator} ${foldCase(String(term.value))}`;
}

export function isMemberOf(filter: Filter): boolean {
  return 'path' in filter && foldCase(filter.path.attribute) === 'memberof';
}

type Leaf = Extract<Filter, { kind: 'compare' | 'present' | 'element' }>;

function leavesOf(filter: Filter): readonly Leaf[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.terms.flatMap(leavesOf);
    case 'not':
      return leavesOf(filter.term);
    case 'compare':
    case 'present':
    case 'element':
      return [filter];
  }
}

function comparisonsOf(filter: Filter): readonly Extract<Filter, { kind: 'compare' }>[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.terms.flatMap(comparisonsOf);
    case 'not':
      return comparisonsOf(filter.term);
    case 'compare':
      return [filter];
    case 'present':
    case 'element':
      return [];
  }
}

function wrong(what: string): InputError {
  return new InputError(`The filter cannot be used: ${what}.`, {
    scimType: 'invalidFilter',
    reason: 'invalid-filter',
    remedy: 'GET /api/v1/providers/microsoft365/source/fields lists what a filter may name.',
  });
}

/** Paths at the top of the record; those inside `assignedLicenses[…]` belong to its elements. */
function pathsOf(filter: Filter): readonly AttributePath[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.terms.flatMap(pathsOf);
    case 'not':
      return pathsOf(filter.term);
    case 'element':
      return [filter.path, ...pathsOf(filter.filter).map((inner) => partOf(filter.path, inner))];
    case 'present':
    case 'compare':
      return [filter.path];
  }
}

function partOf({ attribute }: AttributePath, inner: AttributePath): AttributePath {
  return { attribute, sub: inner.attribute };
}
