// What a User and a Group may hold, copied out of RFC 7643 sections 3.1, 4.1, 4.2 and 4.3, and the check of a resource against it.

export type Doc = Record<string, unknown>;
export type Kind = 'User' | 'Group';

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

export interface Attribute {
  readonly type: 'string' | 'boolean' | 'complex';
  readonly many?: boolean;
  readonly readOnly?: boolean;
  readonly sub?: Attributes;
}
export type Attributes = Readonly<Record<string, Attribute>>;

const text: Attribute = { type: 'string' };
const flag: Attribute = { type: 'boolean' };
const complex = (sub: Attributes, more: Partial<Attribute> = {}): Attribute => ({ type: 'complex', sub, ...more });
const texts = (...names: string[]): Attributes => Object.fromEntries(names.map((name) => [name, text]));
const PLURAL = { ...texts('value', 'display', 'type'), primary: flag };
const plural = complex(PLURAL, { many: true });
const ADDRESS = texts('formatted', 'streetAddress', 'locality', 'region', 'postalCode', 'country', 'type');

/** Attributes by the schema that defines them. */
export type SchemaTable = Readonly<Record<string, Attributes>>;

export const SCHEMAS: SchemaTable = {
  [USER]: {
    userName: text,
    name: complex(texts('formatted', 'familyName', 'givenName', 'middleName', 'honorificPrefix', 'honorificSuffix')),
    ...texts('displayName', 'nickName', 'profileUrl', 'title', 'userType', 'preferredLanguage', 'locale', 'timezone'),
    active: flag,
    password: text,
    emails: plural,
    phoneNumbers: plural,
    ims: plural,
    photos: plural,
    addresses: complex({ ...ADDRESS, primary: flag }, { many: true }),
    groups: complex(texts('value', '$ref', 'display', 'type'), { many: true, readOnly: true }),
    entitlements: plural,
    roles: plural,
    x509Certificates: plural,
  },
  [GROUP]: {
    displayName: text,
    members: complex(texts('value', '$ref', 'type', 'display'), { many: true }),
  },
  [ENTERPRISE]: {
    ...texts('employeeNumber', 'costCenter', 'organization', 'division', 'department'),
    manager: complex({ ...texts('value', '$ref'), displayName: { type: 'string', readOnly: true } }),
  },
};

const COMMON: Attributes = {
  schemas: { type: 'string', many: true },
  id: { type: 'string', readOnly: true },
  externalId: text,
  meta: complex({}, { readOnly: true }),
};

export function coreOf(kind: Kind): string {
  return kind === 'User' ? USER : GROUP;
}

/** The attribute of that name on the top level of a resource. */
export function attributeOf(table: SchemaTable, kind: Kind, name: string): Attribute | undefined {
  const known = { ...COMMON, ...table[coreOf(kind)] };
  if (Object.hasOwn(known, name)) return known[name];
  const extension = kind === 'User' && name.startsWith('urn:') && name !== USER ? table[name] : undefined;
  return extension && complex(extension);
}

/** What is wrong with a resource that a client sends, in words; undefined when nothing is. */
export function problemOf(table: SchemaTable, kind: Kind, doc: Doc): string | undefined {
  const schemas = doc['schemas'];
  if (!Array.isArray(schemas) || !schemas.includes(coreOf(kind))) return 'schemas does not name the core schema';
  const unknown = schemas.find((urn) => !Object.hasOwn(table, String(urn)));
  if (unknown !== undefined) return `schemas names "${unknown}", which this service does not have`;
  for (const [name, value] of Object.entries(doc)) {
    if (name.startsWith('urn:') && !schemas.includes(name)) return `"${name}" is not among its schemas`;
    const wrong = wrongValue(attributeOf(table, kind, name), value, name);
    if (wrong !== undefined) return wrong;
  }
  const needed = kind === 'User' ? 'userName' : 'displayName';
  return typeof doc[needed] === 'string' && doc[needed] !== '' ? undefined : `${needed} is required`;
}

/** One value, or list of them, against its definition. */
export function wrongValue(attribute: Attribute | undefined, value: unknown, path: string): string | undefined {
  if (attribute === undefined) return `unknown attribute "${path}"`;
  if (attribute.readOnly === true) return undefined;
  if (attribute.many === true) {
    if (!Array.isArray(value)) return `"${path}" is multi-valued`;
    const primary = value.filter((item) => (item as Doc | null)?.['primary'] === true);
    if (primary.length > 1) return `"${path}" has two primary values`;
    return value.map((item) => wrongSingle(attribute, item, path)).find((wrong) => wrong !== undefined);
  }
  return wrongSingle(attribute, value, path);
}

function wrongSingle({ type, sub }: Attribute, value: unknown, path: string): string | undefined {
  if (type !== 'complex')
    return typeof value === type ? undefined : `"${path}" is ${JSON.stringify(value)}, not a ${type}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `"${path}" is not complex`;
  for (const [name, item] of Object.entries(value)) {
    const wrong = wrongValue(sub?.[name], item, `${path}.${name}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** The table as `/Schemas` shows it (RFC 7643 section 7). */
export function schemaResources(table: SchemaTable): readonly Doc[] {
  const shown = (attributes: Attributes): Doc[] =>
    Object.entries(attributes).map(([name, { type, many = false, readOnly = false, sub }]) => ({
      name,
      type,
      multiValued: many,
      required: name === 'userName',
      caseExact: false,
      mutability: readOnly ? 'readOnly' : 'readWrite',
      returned: name === 'password' ? 'never' : 'default',
      uniqueness: name === 'userName' ? 'server' : 'none',
      ...(sub && { subAttributes: shown(sub) }),
    }));
  return Object.entries(table).map(([id, attributes]) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
    id,
    name: id.split(':').at(-1),
    attributes: shown(attributes),
  }));
}
