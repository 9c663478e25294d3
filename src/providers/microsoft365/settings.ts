import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { InputError } from '#core/errors.ts';
import { parseFilter } from '#core/filter.ts';

export const GROUP_TYPES = ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'] as const;
export type GroupType = (typeof GROUP_TYPES)[number];

const MAILBOX_TYPES = ['user', 'linked', 'shared', 'room', 'equipment', 'others'] as const;

const httpsOrigin = z
  .url({ protocol: /^https$/, message: 'expected an https origin: tokens are sent to nothing else' })
  .transform((text) => new URL(text).origin);

const ClientSecret = z.strictObject({ kind: z.literal('clientSecret'), secret: z.string().min(1) });
const Certificate = z
  .strictObject({ kind: z.literal('certificate'), certificate: z.string().min(1), privateKey: z.string().min(1) })
  .superRefine(({ certificate, privateKey }, context) => {
    const problem = certificateProblem(certificate, privateKey);
    if (problem !== undefined) context.addIssue({ code: 'custom', path: [problem.field], message: problem.message });
  });

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
  domains: z.array(z.string().min(1)).default([]),
  excludeOnMicrosoft: z.boolean().default(false),
  mailboxTypes: z.array(z.enum(MAILBOX_TYPES)).default(['user']),
  requireLicence: z.boolean().default(false),
  requireMailbox: z.boolean().default(false),
  onLeaveScope: z.enum(['deactivate', 'delete', 'keep']).default('deactivate'),
  deleteAfterDays: z.number().int().min(0).max(3650).nullable().default(30),
});

const Settings = z.strictObject({
  tenantId: z.string().regex(/^[A-Za-z0-9.-]+$/, 'expected a tenant id or a verified domain of the tenant'),
  clientId: z.string().min(1),
  credential: z.discriminatedUnion('kind', [
    ClientSecret,
    Certificate,
    z.strictObject({ kind: z.literal('managedIdentity'), clientId: z.string().optional() }),
    z.strictObject({ kind: z.literal('federated'), tokenFile: z.string().min(1) }),
  ]),
  cloud: z.enum(['global', 'usgov', 'usgovdod', 'china']).default('global'),
  endpoints: z.strictObject({ graph: httpsOrigin, login: httpsOrigin }).optional(),
  scope: Scope.prefault({}),
  pathDisplay: z.strictObject({ rootGroupId: z.string().nullable().default(null) }).prefault({}),
  initialRun: z.enum(['auto', 'preview', 'manual']).default('preview'),
  notifications: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
});

export type Microsoft365Settings = z.output<typeof Settings>;

/** Write-only parts of the settings. */
export const SECRET_PATHS = ['credential.secret', 'credential.privateKey'] as const;

/** @throws {InputError} `settings-invalid` with every problem in `details.problems`, or `not-available-yet` */
export function parseSettings(value: unknown): Microsoft365Settings {
  const result = Settings.safeParse(value);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    throw new InputError(
      `The settings cannot be used: ${problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')}.`,
      { reason: 'settings-invalid', remedy: 'Correct the fields named.', details: { problems } },
    );
  }
  refuseUnavailable(result.data);
  return result.data;
}

/** Settings that the contract knows and this release cannot honour are refused, never passed over in silence. */
function refuseUnavailable(settings: Microsoft365Settings): void {
  const { scope, credential, pathDisplay } = settings;
  const unavailable = [
    scope.mode === 'groups' && 'scope.mode "groups"',
    scope.groupIds.length > 0 && 'scope.groupIds',
    scope.nestedGroups !== 'include' && `scope.nestedGroups "${scope.nestedGroups}"`,
    scope.requireMailbox && 'scope.requireMailbox',
    pathDisplay.rootGroupId !== null && 'pathDisplay.rootGroupId',
    (credential.kind === 'managedIdentity' || credential.kind === 'federated') &&
      `credential.kind "${credential.kind}"`,
  ].filter((text) => text !== false);
  if (unavailable.length === 0) return;
  throw new InputError(`This is not available yet: ${unavailable.join(', ')}.`, {
    reason: 'not-available-yet',
    remedy: 'Leave it out, or set it to its default.',
    details: { settings: unavailable },
  });
}

function filterProblem(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  try {
    parseFilter(text);
    return undefined;
  } catch (error) {
    return error instanceof InputError ? error.message : 'cannot be read';
  }
}

function certificateProblem(certificate: string, privateKey: string): { field: string; message: string } | undefined {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(certificate);
  } catch {
    return { field: 'certificate', message: 'expected a certificate in PEM' };
  }
  try {
    return x509.checkPrivateKey(createPrivateKey(privateKey))
      ? undefined
      : { field: 'privateKey', message: 'does not belong to the certificate' };
  } catch {
    return { field: 'privateKey', message: 'expected an unencrypted private key in PEM' };
  }
}

export interface Endpoints {
  readonly graph: string;
  readonly login: string;
  /** Endpoints of somebody's own: MSAL must not ask the public cloud about them. */
  readonly custom: boolean;
}

/** Source: learn.microsoft.com/graph/deployments, checked 2026-11. */
const CLOUDS: Readonly<Record<Microsoft365Settings['cloud'], { graph: string; login: string }>> = {
  global: { graph: 'https://graph.microsoft.com', login: 'https://login.microsoftonline.com' },
  usgov: { graph: 'https://graph.microsoft.us', login: 'https://login.microsoftonline.us' },
  usgovdod: { graph: 'https://dod-graph.microsoft.us', login: 'https://login.microsoftonline.us' },
  china: { graph: 'https://microsoftgraph.chinacloudapi.cn', login: 'https://login.chinacloudapi.cn' },
};

export function endpointsOf({ cloud, endpoints }: Microsoft365Settings): Endpoints {
  return endpoints === undefined ? { ...CLOUDS[cloud], custom: false } : { ...endpoints, custom: true };
}
