// Headings that are understood without being told, and what each means for a person. A heading that is understood is
// read under its one name; every other column keeps its heading and can be named in a rule.
import { type MappingRule, mappingRules } from '#core/mapping-rules.ts';
import { ENTERPRISE_SCHEMA } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { unusable } from './failures.ts';

/** Folded headings by the name that they are read under. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  id: ['externalid', 'objectid', 'anchor'],
  userName: ['username', 'user', 'login', 'loginname', 'account', 'userprincipalname', 'upn', '계정', '사용자이름'],
  displayName: ['displayname', 'name', 'fullname', '이름', '성명', '표시이름'],
  givenName: ['givenname', 'firstname', 'forename', 'vorname'],
  familyName: ['familyname', 'lastname', 'surname', 'sn', 'nachname', '성'],
  email: ['email', 'mail', 'emailaddress', 'primaryemail', '이메일', '메일', '전자우편'],
  title: ['title', 'jobtitle', 'position', '직위', '직책', '직급'],
  department: ['department', 'dept', 'abteilung', '부서', '부서명'],
  division: ['division', '본부'],
  company: ['company', 'organization', 'organisation', 'companyname', '회사', '회사명'],
  costCenter: ['costcenter', 'costcentre', 'kostenstelle'],
  employeeNumber: ['employeenumber', 'employeeid', 'staffid', 'personnelnumber', '사번', '사원번호'],
  manager: ['manager', 'managerid', 'supervisor', '관리자', '상급자'],
  phone: ['phone', 'phonenumber', 'telephone', 'telephonenumber', 'workphone', '전화', '전화번호'],
  mobile: ['mobile', 'mobilephone', 'cell', 'cellphone', '휴대폰', '휴대전화'],
  active: ['active', 'enabled', 'accountenabled', '재직', '활성'],
  userType: ['usertype', 'employeetype', '고용형태'],
  preferredLanguage: ['preferredlanguage', 'language', '언어'],
  locale: ['locale'],
  timezone: ['timezone'],
  street: ['street', 'streetaddress', 'address'],
  city: ['city', 'locality', '도시'],
  region: ['region', 'state', 'province'],
  postalCode: ['postalcode', 'zip', 'zipcode', 'postcode', '우편번호'],
  country: ['country', 'countrycode', '국가'],
};

/** The names under which headings are read that are understood without being told. */
export const KNOWN_COLUMNS: readonly string[] = Object.keys(KNOWN);

const NAME_OF = new Map(
  Object.entries(KNOWN).flatMap(([name, headings]) => [name, ...headings].map((heading) => [folded(heading), name])),
);

/** What each known column means, as rules of a mapping. `manager` holds the id of another line. */
export const DEFAULT_RULES: readonly MappingRule[] = mappingRules.parse([
  { target: 'userName', expression: 'first([userName, email])' },
  { target: 'active', source: 'active', defaultIfEmpty: true },
  { target: 'name.givenName', source: 'givenName' },
  { target: 'name.familyName', source: 'familyName' },
  { target: 'displayName', source: 'displayName' },
  { target: 'title', source: 'title' },
  { target: 'userType', source: 'userType' },
  { target: 'preferredLanguage', source: 'preferredLanguage' },
  { target: 'locale', source: 'locale' },
  { target: 'timezone', source: 'timezone' },
  { target: 'emails[type eq "work" and primary eq true].value', source: 'email' },
  { target: 'phoneNumbers[type eq "work"].value', source: 'phone' },
  { target: 'phoneNumbers[type eq "mobile"].value', source: 'mobile' },
  { target: 'addresses[type eq "work"].streetAddress', source: 'street' },
  { target: 'addresses[type eq "work"].locality', source: 'city' },
  { target: 'addresses[type eq "work"].region', source: 'region' },
  { target: 'addresses[type eq "work"].postalCode', source: 'postalCode' },
  { target: 'addresses[type eq "work"].country', source: 'country' },
  { target: `${ENTERPRISE_SCHEMA}:employeeNumber`, source: 'employeeNumber' },
  { target: `${ENTERPRISE_SCHEMA}:costCenter`, source: 'costCenter' },
  { target: `${ENTERPRISE_SCHEMA}:organization`, source: 'company' },
  { target: `${ENTERPRISE_SCHEMA}:division`, source: 'division' },
  { target: `${ENTERPRISE_SCHEMA}:department`, source: 'department' },
  { target: `${ENTERPRISE_SCHEMA}:manager.value`, source: 'manager' },
]);

/** More columns than this come from a wrong delimiter, or from no table at all. */
const COLUMNS_MAX = 500;

/** `E-Mail address` and `email_address` are one heading. */
function folded(heading: string): string {
  return foldCase(heading.normalize('NFC')).replaceAll(/[\s_.\-/()]/g, '');
}

/** The name under which a heading is read. */
export function nameOfHeading(heading: string): string {
  return NAME_OF.get(folded(heading)) ?? heading.trim();
}

/**
 * The names of the columns, in their order; undefined for a column without a heading, which is not read. Of two columns
 * that mean the same, the first has the name and the other keeps its heading.
 * @throws {ConfigError} `header-invalid`: no heading at all, the same twice, or too many
 */
export function readHeader(cells: readonly string[], file: string): readonly (string | undefined)[] {
  if (cells.length > COLUMNS_MAX) throw headerInvalid(file, `more than ${COLUMNS_MAX} columns`);
  const taken = new Set<string>();
  const names = cells.map((cell) => {
    const heading = cell.trim();
    if (heading === '') return undefined;
    const known = nameOfHeading(heading);
    const name = taken.has(known) ? heading : known;
    if (taken.has(name)) throw headerInvalid(file, `the heading "${heading.slice(0, 60)}" twice`);
    taken.add(name);
    return name;
  });
  if (taken.size === 0) throw headerInvalid(file, 'no headings in its first line');
  return names;
}

function headerInvalid(file: string, what: string): Error {
  return unusable(`${file} has ${what}.`, {
    reason: 'header-invalid',
    remedy: 'Give each column one heading of its own in the first line, and check the delimiter.',
  });
}

/**
 * The place of a column that must be there, by its heading or its name.
 * @throws {ConfigError} `column-missing`, naming the columns that are there
 */
export function needColumn(names: readonly (string | undefined)[], wanted: string, file: string, why: string): number {
  const at = findColumn(names, wanted);
  if (at !== undefined) return at;
  const there = names.filter((name) => name !== undefined).slice(0, 30);
  throw unusable(`${file} has no column "${wanted}", which ${why}.`, {
    reason: 'column-missing',
    remedy: `Name one of its columns in the settings under columns: ${there.join(', ')}.`,
  });
}

export function findColumn(names: readonly (string | undefined)[], wanted: string): number | undefined {
  const exact = names.indexOf(wanted);
  const at = exact >= 0 ? exact : names.indexOf(nameOfHeading(wanted));
  return at < 0 ? undefined : at;
}

const TRUE = new Set(['true', '1', 'yes', 'y', 'enabled', 'active', 'on', 'ja', '재직', '예', '사용', '활성']);
const FALSE = new Set(
  ['false', '0', 'no', 'n', 'disabled', 'inactive', 'off', 'left', 'terminated', 'nein'].concat([
    ...['퇴직', '퇴사', '휴직', '아니오', '미사용', '비활성'],
  ]),
);

/** What a word in the column `active` says; undefined for a word that is not known. */
export function flagOf(word: string): boolean | undefined {
  const text = foldCase(word.trim());
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}
