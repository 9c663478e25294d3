// Entries as the mirror keeps them: attributes by the name that they were asked for, values as text.
import type { RawEntry } from './connection.ts';
import { escapeBytes, escapeFilter } from './filter.ts';

export interface LdapRecord {
  readonly externalId: string;
  readonly dn: string;
  readonly attributes: Readonly<Record<string, string | readonly string[]>>;
  /** The external id of the manager, where the manager is among the users. */
  readonly managerId?: string;
}

/** Longer ones would not fit into an index of the database. */
const ID_MAX = 300;
/** Where Active Directory keeps GUIDs with their first three parts the other way round. */
const GUIDS = new Set(['objectguid']);

/**
 * The values of an attribute, whatever the server's spelling of it; values of its options (`cn;lang-de`) do not count,
 * but for `;binary`.
 */
export function bytesOf({ attributes }: RawEntry, name: string): readonly Buffer[] {
  const wanted = name.toLowerCase();
  return attributes.flatMap(({ type, values }) => {
    const [base, ...options] = type.toLowerCase().split(';');
    return base === wanted && options.every((option) => option === 'binary') ? values : [];
  });
}

export function textsOf(entry: RawEntry, name: string): readonly string[] {
  return bytesOf(entry, name).map((value) => value.toString('utf8'));
}

/**
 * The stable id of an entry; undefined for one that has none. A GUID is written as one, other bytes that are no text in
 * hex. Source: MS-DTYP section 2.3.4.2 for the order of bytes, RFC 4530 for entryUUID.
 */
export function anchorOf(entry: RawEntry, anchor: string): string | undefined {
  const value = bytesOf(entry, anchor)[0];
  if (value === undefined || value.length === 0) return undefined;
  const id = GUIDS.has(anchor.toLowerCase()) && value.length === 16 ? guidText(value) : plainText(value);
  return id.length > ID_MAX ? undefined : id;
}

function guidText(bytes: Buffer): string {
  return turned(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function turned(guid: Buffer): Buffer {
  const bytes = Buffer.from(guid);
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

/** Finds the entries of these ids. An id that was written in hex because it is no text is not found by it. */
export function anchorFilter(anchor: string, ids: readonly string[]): string {
  return `(|${ids.map((id) => `(${anchor}=${anchorValue(anchor, id)})`).join('')})`;
}

function anchorValue(anchor: string, id: string): string {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  return GUIDS.has(anchor.toLowerCase()) && bytes.length === 16 ? escapeBytes(turned(bytes)) : escapeFilter(id);
}

function plainText(value: Buffer): string {
  const text = value.toString('utf8');
  return Buffer.from(text).equals(value) && !/\p{Cc}/u.test(text) ? text.trim() : value.toString('hex');
}

/** The attributes asked for that have a value; several values as a list, in one order whatever the server's. */
export function recordOf(entry: RawEntry, externalId: string, wanted: readonly string[]): LdapRecord {
  const attributes = wanted.flatMap((name): [string, string | readonly string[]][] => {
    const values = textsOf(entry, name);
    const [first] = values;
    if (first === undefined) return [];
    return [[name, values.length === 1 ? first : values.toSorted()]];
  });
  return { externalId, dn: entry.dn, attributes: Object.fromEntries(attributes) };
}

export function valuesOf({ attributes }: LdapRecord, name: string): readonly string[] {
  const value: unknown = attributes?.[name];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** Source: learn.microsoft.com, "UserAccountControl property flags", checked 2026-11. */
const ACCOUNT_DISABLED = 0x2;
/** Locked until somebody unlocks it. Source: draft-behera-ldap-password-policy, section 5.3.3. */
const LOCKED_FOR_EVER = '000001010000Z';

/**
 * Whether the account may sign in, as Active Directory says it, OpenLDAP, or 389 Directory Server; undefined where the entry
 * does not tell. Source of nsAccountLock: Red Hat Directory Server 11, Deployment Guide, section 9.5, checked 2026-11.
 */
export function isEnabled(record: LdapRecord): boolean | undefined {
  const [control] = valuesOf(record, 'userAccountControl');
  if (control !== undefined && /^-?\d+$/.test(control)) return (Number(control) & ACCOUNT_DISABLED) === 0;
  const [locked] = valuesOf(record, 'pwdAccountLockedTime');
  const [lock] = valuesOf(record, 'nsAccountLock');
  if (locked === undefined && lock === undefined) return undefined;
  return locked !== LOCKED_FOR_EVER && lock?.trim().toLowerCase() !== 'true';
}

export interface MailAddress {
  readonly value: string;
  readonly type: 'work' | 'other';
  readonly primary?: true;
}

/**
 * Mail addresses, the primary one first: that of `SMTP:`, else the first of `mail`. Others are aliases. Addresses of
 * other kinds (`X500:`, `SIP:`) are no mail. Source: learn.microsoft.com, "proxyAddresses attribute", checked 2026-11.
 */
export function addressesOf(record: LdapRecord): readonly MailAddress[] {
  const proxies = valuesOf(record, 'proxyAddresses').flatMap((text) => {
    const found = /^(smtp):(.+)$/i.exec(text);
    return found === null ? [] : [{ value: found[2] ?? '', primary: found[1] === 'SMTP' }];
  });
  const mails = valuesOf(record, 'mail');
  const primary = proxies.find((one) => one.primary)?.value ?? mails[0];
  const all = [...(primary === undefined ? [] : [primary]), ...mails, ...proxies.map(({ value }) => value)];
  const distinct = new Map<string, string>();
  for (const text of all) {
    const key = text.toLowerCase();
    if (text.includes('@') && !distinct.has(key)) distinct.set(key, text);
  }
  return [...distinct.values()].map((value, index) =>
    index === 0 ? { value, type: 'work', primary: true } : { value, type: 'other' },
  );
}

/** An entry as rules and filters see it: its attributes, and what is made of several of them. */
export function fieldsOf(record: LdapRecord): Readonly<Record<string, unknown>> {
  const { attributes, dn, managerId } = record;
  const given = typeof attributes === 'object' && attributes !== null ? attributes : {};
  return { ...given, dn, managerId, enabled: isEnabled(record), emails: addressesOf(record) };
}
