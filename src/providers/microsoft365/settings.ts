import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { InputError } from '#core/errors.ts';
import { mappingRules } from '#core/mapping-rules.ts';
import { DEFAULT_MATCHING, MATCH_ATTRIBUTES } from '#core/match.ts';
import { filterProblem } from './user-filter.ts';

export const GROUP_TYPES = ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'] as const;
export type GroupType = (typeof GROUP_TYPES)[number];

const MAILBOX_TYPES = ['user', 'linked', 'shared', 'room', 'equipment', 'others'] as const;

/** Authorities for any tenant; an application's own permissions exist in one tenant only. */
const NO_TENANT = new Set(['common', 'organizations', 'consumers']);

const httpsOrigin = z
  .url({ protocol: /^https$/, error: 'expected an https origin: tokens are sent to nothing else' })
  .refine((text) => isOrigin(text), 'expected an origin only: no path, query or user name')
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

const leavePolicy = z.enum(['deactivate', 'delete', 'keep']);

const Scope = z.strictObject({
  mode: z.enum(['full', 'groups']).default('full'),
  groupIds: z.array(z.string()).default([]),
  nestedGroups: z.enum(['include', 'flatten', 'ignore']).default('include'),
  groupTypes: z.array(z.enum(GROUP_TYPES)).default(['security', 'mailEnabledSecurity', 'distribution']),
  dynamicMembership: z.enum(['include', 'exclude']).default('include'),
  filter: z
    .string()
    .default('')
    .superRefine((text, context) => {
      const problem = filterProblem(text);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    }),
  domains: z.array(domain).default([]),
  excludeOnMicrosoft: z.boolean().default(false),
  mailboxTypes: z.array(z.enum(MAILBOX_TYPES)).default(['user']),
  requireLicence: z.boolean().default(false),
  requireMailbox: z.boolean().default(false),
  onLeaveScope: leavePolicy.default('deactivate'),
  onSourceSoftDelete: leavePolicy.default('deactivate'),
  onSourceHardDelete: leavePolicy.default('delete'),
  deleteAfterDays: z.number().int().min(0).max(3650).nullable().default(30),
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

const Settings = z.strictObject({
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
  pathDisplay: z.strictObject({ rootGroupId: z.string().nullable().default(null) }).prefault({}),
  initialRun: z.enum(['auto', 'preview', 'manual']).default('preview'),
  matching: z
    .array(z.enum(MATCH_ATTRIBUTES))
    .max(MATCH_ATTRIBUTES.length)
    .default([...DEFAULT_MATCHING.matching]),
  adoptManual: z.enum(['never', 'ask', 'onMatch']).default(DEFAULT_MATCHING.adoptManual),
  notifications: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
  mapping: z.strictObject({ users: mappingRules }).prefault({}),
});

export type Microsoft365Settings = z.output<typeof Settings>;

/** Write-only parts of the settings. */
export const SECRET_PATHS = ['credential.secret', 'credential.privateKey'] as const;

/**
 * Whole settings with defaults filled in.
 * @throws {InputError} `settings-invalid` with every problem in `details.problems`, or `not-available-yet`
 */
export function parseSettings(value: unknown): Microsoft365Settings {
  const result = Settings.safeParse(value);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    const text = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
    throw new InputError(`The settings cannot be used: ${text.replace(/\.$/, '')}.`, {
      reason: 'settings-invalid',
      remedy: 'Correct the fields named.',
      details: { problems },
    });
  }
  refuseUnavailable(result.data);
  return result.data;
}

/** Settings that the contract knows and this release cannot honour are refused, never passed over in silence. */
function refuseUnavailable({ scope, pathDisplay }: Microsoft365Settings): void {
  const unavailable = [
    scope.mode === 'groups' && 'scope.mode "groups"',
    scope.groupIds.length > 0 && 'scope.groupIds',
    scope.nestedGroups !== 'include' && `scope.nestedGroups "${scope.nestedGroups}"`,
    !areMailboxTypesHonest(scope.mailboxTypes) && 'scope.mailboxTypes other than the default or all of them',
    pathDisplay.rootGroupId !== null && 'pathDisplay.rootGroupId',
  ].filter((text) => text !== false);
  if (unavailable.length === 0) return;
  throw new InputError(`This is not available yet: ${unavailable.join(', ')}.`, {
    reason: 'not-available-yet',
    remedy: 'Leave it out, or set it to its default.',
    details: { settings: unavailable },
  });
}

/** Types are not read yet and nobody is left out by one: only the default and the whole list mean just that. */
function areMailboxTypesHonest(types: Microsoft365Settings['scope']['mailboxTypes']): boolean {
  const distinct = new Set(types);
  return distinct.size === MAILBOX_TYPES.length || (distinct.size === 1 && distinct.has('user'));
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
