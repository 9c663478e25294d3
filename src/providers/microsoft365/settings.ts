import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { crossCheck } from '#core/cross-check.ts';
import { isUuid } from '#core/ids.ts';
import { parseKindSettings } from '#core/kind-settings.ts';
import { mappingRules } from '#core/mapping-rules.ts';
import { DEFAULT_MATCHING, MATCH_ATTRIBUTES } from '#core/match.ts';
import { isNowhereAddress } from '#platform/addresses.ts';
import { GROUP_QUESTIONS_MAX, groupQuestions } from './scope/memberships.ts';
import { filterProblem } from './scope/user-filter.ts';

export const GROUP_TYPES = ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'] as const;
export type GroupType = (typeof GROUP_TYPES)[number];

export const MAILBOX_TYPES = ['user', 'linked', 'shared', 'room', 'equipment', 'others'] as const;

/** Authorities for any tenant; an application's own permissions exist in one tenant only. */
const NO_TENANT = new Set(['common', 'organizations', 'consumers']);

const httpsOrigin = z
  .url({ protocol: /^https$/, error: 'expected an https origin: tokens are sent to nothing else' })
  .refine((text) => isOrigin(text), 'expected an origin only: no path, query or user name')
  .refine((text) => !isNowhereAddress(hostOf(text)), 'leads to an address that no server has')
  .transform((text) => new URL(text).origin);

const ClientSecret = z.strictObject({
  kind: z.literal('clientSecret'),
  secret: z.string().min(1),
  /** When Microsoft stops taking it, where the application may not read that itself. */
  expiresAt: z.iso.date().optional(),
});
const Certificate = z
  .strictObject({ kind: z.literal('certificate'), certificate: z.string().min(1), privateKey: z.string().min(1) })
  .superRefine(({ certificate, privateKey }, context) => {
    const problem = certificateProblem(certificate, privateKey);
    if (problem !== undefined) context.addIssue({ code: 'custom', path: [problem.field], message: problem.message });
  });

const domain = z
  .string()
  .transform((text) => text.trim().replace(/^@/, '').toLowerCase())
  .refine((text) => /^[^\s@.]+(\.[^\s@.]+)+$/.test(text), 'expected a domain, such as contoso.com');

/** More than that are better selected by one group above them. */
const GROUPS_MAX = 1_000;
/** More rules than that are better said by groups of the provider. */
const RULES_MAX = 100;
/** As schedules: more often would hammer a source that is away, less often than daily is the daily run. */
const SWEEP_MINUTES_MIN = 5;
const SWEEP_MINUTES_MAX = 1_440;
/** Deeper than any nesting that somebody keeps an overview of. */
const DEPTH_MAX = 100;

/** Entra spells its ids in small letters. Whether there is such a group, the connection test says. */
const objectId = z
  .string()
  .transform((text) => (isUuid(text.trim()) ? text.trim().toLowerCase() : text.trim()))
  .refine((text) => text !== '', 'expected the object id of a group');

const leavePolicy = z.enum(['deactivate', 'delete', 'keep']);

const userFilter = z.string().superRefine((text, context) => {
  const problem = filterProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const Scope = z.strictObject({
  mode: z.enum(['full', 'groups']).default('full'),
  groupIds: z
    .array(objectId)
    .max(GROUPS_MAX)
    .transform((ids) => [...new Set(ids)])
    .default([]),
  nestedGroups: z.enum(['include', 'flatten', 'ignore']).default('include'),
  maxDepth: z.number().int().min(0).max(DEPTH_MAX).nullable().default(null),
  groupTypes: z.array(z.enum(GROUP_TYPES)).default(['security', 'mailEnabledSecurity', 'distribution']),
  dynamicMembership: z.enum(['include', 'exclude']).default('include'),
  filter: userFilter.default(''),
  domains: z.array(domain).default([]),
  domainMatch: z.enum(['primary', 'any']).default('primary'),
  excludeOnMicrosoft: z.boolean().default(false),
  mailboxTypes: z.array(z.enum(MAILBOX_TYPES)).default(['user']),
  guests: z.enum(['include', 'exclude']).default('include'),
  requireLicence: z.boolean().default(false),
  requireMailbox: z.boolean().default(false),
  onLeaveScope: leavePolicy.default('deactivate'),
  onSourceSoftDelete: leavePolicy.default('deactivate'),
  onSourceHardDelete: leavePolicy.default('delete'),
  deleteAfterDays: z.number().int().min(0).max(3650).nullable().default(30),
});

const groupName = z
  .string()
  .trim()
  .min(1, 'expected the display name of a group')
  .max(256, 'expected a display name of at most 256 characters');

const Destination = z.strictObject({
  rules: z
    .array(z.strictObject({ filter: userFilter, destinationGroup: groupName }))
    .max(RULES_MAX)
    .default([]),
  match: z.enum(['first', 'all']).default('first'),
  default: groupName.nullable().default(null),
});
const tenantId = z
  .string()
  .regex(/^[A-Za-z0-9.-]+$/, 'expected a tenant id or a verified domain of the tenant')
  .refine((text) => !NO_TENANT.has(text.toLowerCase()), 'expected one tenant: its id, or a verified domain of it');
const clientId = z.string().regex(/^\S+$/, 'expected the application (client) id');
const cloud = z.enum(['global', 'usgov', 'usgovdod', 'china']).default('global');
const endpoints = z.strictObject({ graph: httpsOrigin, login: httpsOrigin }).optional();

/** What says where an administrator consents, before there are whole settings. Without a tenant, in their own. */
export const ConnectTarget = z.strictObject({ tenantId: tenantId.optional(), clientId, cloud, endpoints });

const Fields = z.strictObject({
  tenantId,
  clientId,
  credential: z.discriminatedUnion('kind', [
    ClientSecret,
    Certificate,
    z.strictObject({ kind: z.literal('managedIdentity'), clientId: z.string().regex(/^\S+$/).optional() }),
    z.strictObject({
      kind: z.literal('federated'),
      tokenFile: z.string().startsWith('/', 'expected an absolute path'),
    }),
  ]),
  cloud,
  endpoints,
  scope: Scope.prefault({}),
  pathDisplay: z.strictObject({ rootGroupId: objectId.nullable().default(null) }).prefault({}),
  destination: Destination.prefault({}),
  initialRun: z.enum(['auto', 'preview', 'manual']).default('preview'),
  matching: z
    .array(z.enum(MATCH_ATTRIBUTES))
    .max(MATCH_ATTRIBUTES.length)
    .default(['externalId', 'anchors', 'userName', 'emails']),
  adoptManual: z.enum(['never', 'ask', 'onMatch']).default(DEFAULT_MATCHING.adoptManual),
  notifications: z
    .strictObject({
      enabled: z.boolean().default(true),
      sweepMinutes: z.number().int().min(SWEEP_MINUTES_MIN).max(SWEEP_MINUTES_MAX).default(60),
    })
    .prefault({}),
  mapping: z.strictObject({ users: mappingRules }).prefault({}),
});

export type Microsoft365Settings = z.output<typeof Fields>;

/** openapi.yaml has the same fields. The checks are for what means nothing, or nobody, beside each other. */
export const Settings = Fields.check(
  crossCheck<Microsoft365Settings>([
    {
      needs: ['scope.mode', 'scope.groupIds'],
      path: 'scope.groupIds',
      problem: ({ scope: { mode, groupIds } }) =>
        mode === 'groups' && groupIds.length === 0
          ? 'mode "groups" needs at least one group'
          : mode !== 'groups' && groupIds.length > 0
            ? 'groups are selected by mode "groups" only'
            : undefined,
    },
    {
      needs: ['scope.mode', 'pathDisplay.rootGroupId'],
      path: 'pathDisplay.rootGroupId',
      problem: ({ scope, pathDisplay }) =>
        scope.mode === 'groups' && pathDisplay.rootGroupId !== null
          ? 'in mode "groups" paths begin at the selected groups, so leave it out'
          : undefined,
    },
    {
      needs: ['scope.filter', 'destination.rules'],
      path: 'destination.rules',
      problem: (settings) =>
        groupQuestions(settings).conditions.length > GROUP_QUESTIONS_MAX
          ? `all filters together ask for more than ${GROUP_QUESTIONS_MAX} groups by "memberOf"`
          : undefined,
    },
  ]),
);

/** Write-only parts of the settings. */
export const SECRET_PATHS = ['credential.secret', 'credential.privateKey'] as const;

/**
 * Whole settings with defaults filled in.
 * @throws {InputError} `settings-invalid` with every problem in `details.problems`
 */
export function parseSettings(value: unknown): Microsoft365Settings {
  return parseKindSettings(Settings, value);
}

/** Where the credential is sent, and whose access the tokens it brings give: another tenant, cloud or host is another place. */
export function destinationOf(settings: unknown): string {
  const { tenantId, cloud = 'global', endpoints } = settings as Record<string, unknown>;
  const { graph, login } = (endpoints ?? {}) as Record<string, unknown>;
  const originOf = (text: unknown): unknown =>
    typeof text === 'string' && URL.canParse(text) ? new URL(text).origin : (text ?? null);
  const tenant = typeof tenantId === 'string' ? tenantId.toLowerCase() : null;
  return JSON.stringify([tenant, cloud, originOf(graph), originOf(login)]);
}

/** Credentials that are the machine's or a file's on it: whoever names a host gets what is made of them. */
export function isAmbient(settings: unknown): boolean {
  const { credential } = settings as { readonly credential?: { readonly kind?: unknown } };
  return credential?.kind === 'managedIdentity' || credential?.kind === 'federated';
}

/** Without the brackets of an IPv6 address; empty for what is no URL. */
function hostOf(text: string): string {
  return (URL.parse(text)?.hostname ?? '').replace(/^\[|\]$/g, '');
}

/** True for an origin; also for what is no URL at all, of which another rule speaks. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { pathname, search, hash, username, password } = new URL(text);
  return pathname === '/' && `${search}${hash}${username}${password}` === '';
}

/** Microsoft takes RSA keys only. Source: learn.microsoft.com/entra/identity-platform/certificate-credentials, checked 2026-11. */
function certificateProblem(certificate: string, privateKey: string): { field: string; message: string } | undefined {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(certificate);
  } catch {
    return { field: 'certificate', message: 'expected a certificate in PEM' };
  }
  try {
    const key = createPrivateKey(privateKey);
    if (key.asymmetricKeyType !== 'rsa') return { field: 'privateKey', message: 'expected an RSA key' };
    if (!x509.checkPrivateKey(key)) return { field: 'privateKey', message: 'does not belong to the certificate' };
    return undefined;
  } catch {
    return { field: 'privateKey', message: 'expected an unencrypted private key in PEM' };
  }
}
