import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { crossCheck } from '#core/cross-check.ts';
import { leaveScope, parseKindSettings, runSettings } from '#core/kind-settings.ts';
import { isDn } from './dn.ts';
import { parseFilter } from './filter.ts';
import { PRESETS } from './presets.ts';

const MAX_SECONDS = 3600;

const ldapUrl = z
  .string()
  .refine(isLdapUrl, 'expected ldaps://host or ldap://host, with a port at most')
  .transform((text) => text.replace(/\/+$/, ''));

const dn = z.string().max(2000).refine(isDn, 'expected a distinguished name, such as ou=People,dc=example,dc=com');

const filter = z
  .string()
  .max(10_000)
  .superRefine((text, context) => {
    const problem = filterProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  // Others stand beside it in what is sent.
  .transform((text) => (text.startsWith('(') ? text : `(${text})`));

/** An attribute by its name; options such as `;binary` are not asked for. */
const attribute = z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,100}$/, 'expected the name of an attribute');

const Search = z.strictObject({
  base: dn,
  filter: filter.optional(),
  scope: z.enum(['sub', 'one', 'base']).default('sub'),
});

const ca = z
  .string()
  .max(100_000)
  .refine((text) => isCertificate(text), 'expected one or more certificates in PEM');

/** openapi.yaml has the same fields. */
export const Settings = z
  .strictObject({
    preset: z.enum(['activeDirectory', 'openldap']),
    url: ldapUrl,
    /** On ldap:// only: the connection is encrypted before anything else is said. */
    startTls: z.boolean().default(false),
    /** Lets passwords and people travel unencrypted, for a server on this very machine. */
    allowPlaintext: z.boolean().default(false),
    tls: z
      .strictObject({
        /** Authorities to trust instead of the usual ones. */
        ca: ca.optional(),
        /** The name that the certificate must have, where it is not that of the URL. */
        serverName: z.string().min(1).max(253).optional(),
      })
      .prefault({}),
    bind: z
      .strictObject({ dn: z.string().min(1).max(2000), password: z.string().min(1) })
      .nullable()
      .default(null),
    users: Search,
    groups: Search.nullable().default(null),
    /** What never changes about an entry, whatever else does. */
    anchor: attribute.optional(),
    /** Where a group keeps its members: a list of names, or of `uid`s where it is memberUid. */
    memberAttribute: attribute.optional(),
    incremental: z.enum(['auto', 'off']).default('auto'),
    limits: z
      .strictObject({
        pageSize: z.number().int().min(1).max(10_000).default(500),
        connectSeconds: z.number().int().min(1).max(MAX_SECONDS).default(10),
        /** For one page. */
        requestSeconds: z.number().int().min(1).max(MAX_SECONDS).default(120),
      })
      .prefault({}),
    scope: z.strictObject(leaveScope).prefault({}),
    ...runSettings,
  })
  .check(
    crossCheck<{ readonly url: string; readonly startTls: boolean; readonly allowPlaintext: boolean }>([
      {
        needs: ['url', 'startTls'],
        path: 'startTls',
        problem: ({ url, startTls }) =>
          isTls(url) && startTls ? 'is for ldap:// only; ldaps:// is encrypted' : undefined,
      },
      {
        needs: ['url', 'startTls', 'allowPlaintext'],
        path: 'url',
        problem: ({ url, startTls, allowPlaintext }) =>
          isTls(url) || startTls || allowPlaintext
            ? undefined
            : 'would send passwords unencrypted: use ldaps://, or set startTls, or allowPlaintext where you must',
      },
    ]),
  );

export type LdapSettings = z.output<typeof Settings>;

/** Write-only parts of the settings. */
export const SECRET_PATHS = ['bind.password'] as const;

/** The settings with what the preset says where they say nothing. */
export interface Plan {
  readonly userFilter: string;
  readonly groupFilter: string;
  readonly anchor: string;
  readonly memberAttribute: string;
}

export function planOf({ preset, users, groups, anchor, memberAttribute }: LdapSettings): Plan {
  const usual = PRESETS[preset];
  return {
    userFilter: users.filter ?? usual.userFilter,
    groupFilter: groups?.filter ?? usual.groupFilter,
    anchor: anchor ?? usual.anchor,
    memberAttribute: memberAttribute ?? usual.memberAttribute,
  };
}

/** @throws {InputError} `settings-invalid` with every problem in `details.problems` */
export function parseSettings(value: unknown): LdapSettings {
  return parseKindSettings(Settings, value);
}

/** The host of a checked URL, without the brackets of an IPv6 address. */
export function hostOf({ url }: Pick<LdapSettings, 'url'>): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

/** What the certificate must be for; undefined for an address, which is compared as it is. */
export function serverNameOf(settings: Pick<LdapSettings, 'url' | 'tls'>): string | undefined {
  const name = settings.tls.serverName ?? hostOf(settings);
  return isIP(name) === 0 ? name : undefined;
}

function isTls(url: string): boolean {
  return url.startsWith('ldaps:');
}

function isLdapUrl(text: string): boolean {
  if (!/^ldaps?:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { hostname, pathname, search, hash, username, password } = new URL(text);
  return hostname !== '' && (pathname === '' || pathname === '/') && `${search}${hash}${username}${password}` === '';
}

/** Source: RFC 4515. */
export function filterProblem(text: string): string | undefined {
  try {
    parseFilter(text);
    return undefined;
  } catch (error) {
    return `is no LDAP filter: ${error instanceof Error ? error.message.slice(0, 200) : 'it cannot be read'}`;
  }
}

function isCertificate(text: string): boolean {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.length > 0 && blocks.every((block) => new X509Certificate(block).subject !== undefined);
  } catch {
    return false;
  }
}

/** The server, and how it proves to be the one. */
export function destinationOf(settings: unknown): string {
  const { url, startTls, allowPlaintext, tls } = settings as Record<string, unknown>;
  const { ca, serverName } = (tls ?? {}) as Record<string, unknown>;
  const place = typeof url === 'string' ? url.replace(/\/+$/, '') : null;
  return JSON.stringify([place, startTls === true, allowPlaintext === true, ca ?? null, serverName ?? null]);
}
