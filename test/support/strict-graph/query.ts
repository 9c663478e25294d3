// What Graph takes in a query, and with which words it refuses the rest. Sources: learn.microsoft.com/graph/query-parameters,
// aad-advanced-queries, known-issues, api/user-list, group-list, group-list-members, user-delta and group-delta.
import type { ListName } from './directory.ts';

/** An answer of Graph before it is sent. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by whatever finds a request wrong. */
export class Refusal extends Error {
  readonly answer: Answer;
  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.answer = { status, headers, body: { error: { code, message, innerError: INNER } } };
  }
}

const INNER = { date: '2026-11-26T00:00:00', 'request-id': 'strict', 'client-request-id': 'strict' };

export const badRequest = (message: string): Refusal => new Refusal(400, 'Request_BadRequest', message);
export const unsupported = (message: string): Refusal => new Refusal(400, 'Request_UnsupportedQuery', message);
export const notFound = (id: string): Refusal =>
  new Refusal(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );

/** What a list shows without `$select`. */
const DEFAULTS: Readonly<Record<ListName, readonly string[]>> = {
  users: [
    'businessPhones',
    'displayName',
    'givenName',
    'id',
    'jobTitle',
    'mail',
    'mobilePhone',
    'officeLocation',
    'preferredLanguage',
    'surname',
    'userPrincipalName',
  ],
  groups: [
    'id',
    'createdDateTime',
    'description',
    'displayName',
    'groupTypes',
    'mail',
    'mailEnabled',
    'mailNickname',
    'proxyAddresses',
    'securityEnabled',
    'visibility',
  ],
};
const PROPERTIES: Readonly<Record<ListName, ReadonlySet<string>>> = {
  users: new Set([
    ...DEFAULTS.users,
    ...[
      'accountEnabled',
      'ageGroup',
      'assignedLicenses',
      'assignedPlans',
      'city',
      'companyName',
      'country',
      'createdDateTime',
      'creationType',
    ],
    ...[
      'department',
      'employeeHireDate',
      'employeeId',
      'employeeOrgData',
      'employeeType',
      'externalUserState',
      'faxNumber',
      'identities',
      'imAddresses',
    ],
    ...[
      'mailNickname',
      'onPremisesDistinguishedName',
      'onPremisesDomainName',
      'onPremisesExtensionAttributes',
      'onPremisesImmutableId',
    ],
    ...[
      'onPremisesLastSyncDateTime',
      'onPremisesSamAccountName',
      'onPremisesSecurityIdentifier',
      'onPremisesSyncEnabled',
    ],
    ...[
      'onPremisesUserPrincipalName',
      'otherMails',
      'postalCode',
      'proxyAddresses',
      'securityIdentifier',
      'showInAddressList',
      'state',
    ],
    ...['streetAddress', 'usageLocation', 'userType'],
  ]),
  groups: new Set([
    ...DEFAULTS.groups,
    'classification',
    'isAssignableToRole',
    'membershipRule',
    'onPremisesSyncEnabled',
    'securityIdentifier',
    'uniqueName',
  ]),
};
/** Read one by one only: in a list they are not implemented. */
const SINGLE_ONLY = new Set([
  'aboutMe',
  'birthday',
  'hireDate',
  'interests',
  'mailboxSettings',
  'mySite',
  'pastProjects',
  'preferredName',
  'responsibilities',
  'schools',
  'skills',
]);

export interface Query {
  readonly select: readonly string[];
  readonly top: number;
  readonly expandsManager: boolean;
  readonly filter: string | undefined;
  readonly search: string | undefined;
  readonly count: boolean;
}

export interface QueryRules {
  readonly list: ListName;
  readonly allowed: readonly string[];
  /** Whether the request has `ConsistencyLevel: eventual`. */
  readonly eventual: boolean;
}

/** @throws {Refusal} whatever Graph would not take */
export function readQuery(parameters: URLSearchParams, { list, allowed, eventual }: QueryRules): Query {
  for (const name of parameters.keys()) {
    if (!allowed.includes(name))
      throw badRequest(`The query specified in the URI is not valid. '${name}' is not allowed here.`);
    if (parameters.getAll(name).length > 1) throw badRequest(`Query option '${name}' was specified more than once.`);
  }
  const search = parameters.get('$search') ?? undefined;
  const filter = parameters.get('$filter') ?? undefined;
  if (search !== undefined && !eventual)
    throw new Refusal(
      400,
      'Request_UnsupportedQuery',
      "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
    );
  if (search !== undefined && !/^"\w+:[^"]*"( (AND|OR) "\w+:[^"]*")*$/.test(search))
    throw badRequest('Syntax error in $search.');
  const count = eventual && parameters.get('$count') === 'true';
  if (filter !== undefined) checkFilter(filter, count);
  if (parameters.has('$orderby') && filter !== undefined && !count)
    throw unsupported('Sorting not supported for current query.');
  const expandsManager = readExpand(parameters.get('$expand'), list);
  if (expandsManager && (search !== undefined || count))
    throw unsupported('$expand is not supported with advanced query capabilities.');
  return {
    select: readSelect(parameters.get('$select'), list),
    top: readTop(parameters.get('$top')),
    ...{ expandsManager, filter, search, count },
  };
}

export function readTop(text: string | null, most = 999): number {
  if (text === null) return 100;
  const top = /^\d+$/.test(text) ? Number(text) : 0;
  if (top < 1 || top > most)
    throw badRequest(`Invalid page size specified: '${text}'. Must be between 1 and ${most} inclusive.`);
  return top;
}

export function readSelect(text: string | null, list: ListName, links: readonly string[] = []): readonly string[] {
  if (text === null) return DEFAULTS[list];
  const names = text.split(',');
  for (const name of names) {
    if (SINGLE_ONLY.has(name))
      throw new Refusal(501, 'NotImplemented', `This operation target is not yet supported: ${name}.`);
    if (!PROPERTIES[list].has(name) && !links.includes(name))
      throw badRequest(`Could not find a property named '${name}' on type 'microsoft.graph.${list.slice(0, -1)}'.`);
  }
  return names;
}

function readExpand(text: string | null, list: ListName): boolean {
  if (text === null) return false;
  if (list !== 'users' || !/^manager(\(\$select=[\w,]+\))?$/.test(text))
    throw badRequest(`Parsing OData Select and Expand failed: '${text}'.`);
  return true;
}

/** `eq`, `startswith` and `in` are for everybody; the rest needs an advanced query. */
function checkFilter(filter: string, advanced: boolean): void {
  const plain = /^(\w+ eq (true|false|'([^']|'')*')|startswith\(\w+,'([^']|'')*'\)|\w+ in \(.*\))$/;
  if (filter.split(/ (?:and|or) /).every((term) => plain.test(term))) return;
  if (!/^[\w\s()'.,:/@-]+$/.test(filter)) throw badRequest('Invalid filter clause');
  if (!advanced) throw unsupported('Unsupported Query.');
}

/** The properties that were ever set, of those that are asked for; in a list whatever was not is null. */
export function project(
  properties: Readonly<Record<string, unknown>>,
  select: readonly string[],
  empty: 'null' | 'absent',
): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const name of new Set(['id', ...select])) {
    const value = properties[name];
    if (value !== undefined) shown[name] = value;
    else if (empty === 'null' && PROPERTIES.users.has(name)) shown[name] = LISTS.has(name) ? [] : null;
  }
  return shown;
}

const LISTS = new Set([
  'businessPhones',
  'proxyAddresses',
  'assignedLicenses',
  'assignedPlans',
  'otherMails',
  'groupTypes',
  'imAddresses',
  'identities',
]);
