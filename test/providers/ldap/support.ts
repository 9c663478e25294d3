// The LDAP provider in front of a slapd of the test.
import { ldap } from '#providers/ldap/index.ts';
import type { LdapRecord } from '#providers/ldap/records.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { ADMIN_DN, ADMIN_PASSWORD, type Slapd, SUFFIX } from '../../support/slapd.ts';

export const kind = ldap({ schemas: RESOURCE_SCHEMAS });

export function settingsFor(slapd: Pick<Slapd, 'secureUrl' | 'ca'>, changes: Record<string, unknown> = {}) {
  return {
    preset: 'openldap',
    url: slapd.secureUrl,
    tls: { ca: slapd.ca },
    bind: { dn: ADMIN_DN, password: ADMIN_PASSWORD },
    users: { base: `ou=People,${SUFFIX}` },
    groups: { base: `ou=Groups,${SUFFIX}` },
    limits: { pageSize: 2, connectSeconds: 5, requestSeconds: 20 },
    ...changes,
  };
}

export function openLdap(settings: Record<string, unknown>) {
  return kind.open(kind.parseSettings(settings));
}

/** Records by what people call them. */
export async function readRecords(settings: Record<string, unknown>) {
  const provider = openLdap(settings);
  const found = new Map<string, LdapRecord>();
  for await (const page of provider.pages(new AbortController().signal))
    if (page.type === 'records')
      for (const record of page.records as LdapRecord[]) found.set(record.dn.split(/(?<!\\),/)[0] ?? '', record);
  return { provider, found };
}

export function person(uid: string, more = ''): string {
  const text = `dn: uid=${uid},ou=People,${SUFFIX}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\n`;
  return `${text}${more}\n`;
}

/** An id that a test knows beforehand: slapadd keeps it. */
export function uuidOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}
