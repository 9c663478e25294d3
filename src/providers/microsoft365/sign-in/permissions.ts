// Which permissions the settings need, and what a token grants. The least set: nothing is asked for that no setting uses.

import type { Finding } from '#core/check.ts';
import type { Permission } from '#core/connect.ts';
import { UpstreamError } from '#core/errors.ts';
import type { PermissionReview } from '#core/source.ts';
import type { Graph } from '../graph/client.ts';
import type { Microsoft365Settings } from '../settings.ts';

/** What decides. */
export type PermissionSettings = Pick<Microsoft365Settings, 'scope' | 'credential' | 'notifications' | 'mapping'>;

export interface NeededPermissions {
  /** Without one of these a sync does not do what the settings say. */
  readonly required: readonly Permission[];
  /** A sync goes on without, and knows less. */
  readonly optional: readonly Permission[];
}

/** Permissions that include another. Source: learn.microsoft.com/graph/permissions-reference, checked 2026-11. */
const INCLUDED_IN: Readonly<Record<string, readonly string[]>> = {
  'User.Read.All': ['User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
  'GroupMember.Read.All': [
    'GroupMember.ReadWrite.All',
    'Group.Read.All',
    'Group.ReadWrite.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ],
  'Group.Read.All': ['Group.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
  'MailboxSettings.Read': ['MailboxSettings.ReadWrite'],
  'User-LifeCycleInfo.Read.All': ['User-LifeCycleInfo.ReadWrite.All'],
  'Organization.Read.All': ['Organization.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
  'Application.Read.All': ['Application.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
};

/** A field that Graph shows with a permission of its own only. Source: learn.microsoft.com/graph/api/user-get, checked 2026-11. */
const LEAVE = { field: 'employeeLeaveDateTime', name: 'User-LifeCycleInfo.Read.All', feature: 'when people leave' };

/** The least set for these settings; for those that are not made yet, the least that any need. */
export function neededPermissions(settings: PermissionSettings | undefined): NeededPermissions {
  const { scope, credential, notifications, mapping } = settings ?? {};
  const types = new Set(scope?.mailboxTypes ?? ['user']);
  const byType = types.size > 1 || !types.has('user');
  const mailboxes = { name: 'MailboxSettings.Read', feature: 'which mailboxes are shared, rooms or equipment' };
  const bin = 'whether groups that are deleted can be restored';
  const groups = notifications?.enabled === false ? bin : `notifications about groups, and ${bin}`;
  const leaves = JSON.stringify(mapping?.users ?? []).includes(LEAVE.field);
  const secretEnds = credential?.kind === 'clientSecret' && credential.expiresAt === undefined;
  return {
    required: [
      { name: 'User.Read.All', feature: 'users and their managers' },
      { name: 'GroupMember.Read.All', feature: 'groups and their members' },
      ...(byType ? [mailboxes] : []),
      ...(leaves ? [{ name: LEAVE.name, feature: LEAVE.feature }] : []),
    ],
    optional: [
      { name: 'Organization.Read.All', feature: "the tenant's name and domains, and whether it is hybrid" },
      { name: 'Member.Read.Hidden', feature: 'members of groups that hide them' },
      ...(byType ? [] : [mailboxes]),
      { name: 'Group.Read.All', feature: groups },
      ...(secretEnds ? [{ name: 'Application.Read.All', feature: 'a warning before the client secret expires' }] : []),
    ],
  };
}

/**
 * What the token grants beside what the settings need. A permission is superfluous when nothing needs it.
 * @throws {UpstreamError} `permissions-unknown`: the token does not say; and what `TokenSource.token` throws
 */
export async function reviewPermissions(
  graph: Graph,
  settings: Microsoft365Settings,
  signal: AbortSignal,
): Promise<PermissionReview> {
  const claims = readClaims(await graph.tokens.token(signal));
  if (claims === undefined)
    throw new UpstreamError('The access token does not say what it grants.', {
      failure: 'server',
      reason: 'permissions-unknown',
      remedy: 'Look under "API permissions" of the app registration.',
    });
  const { roles } = claims;
  const { required, optional } = neededPermissions(settings);
  const all = [...required, ...optional];
  const unserved = missingFrom(roles, all).length;
  const isNeeded = (name: string): boolean =>
    missingFrom(
      roles.filter((role) => role !== name),
      all,
    ).length > unserved;
  return {
    granted: roles,
    required,
    missing: missingFrom(roles, required),
    superfluous: roles.filter((name) => !isNeeded(name)),
    directoryRoles: claims.directoryRoles,
    optional: optional.map((permission) => ({ ...permission, granted: missingFrom(roles, [permission]).length === 0 })),
    entraUrl: entraPage(settings),
  };
}

/**
 * Each permission that the settings need and the token lacks, with what it is for: a read of one person or group fails
 * for the first that is missing only, and for some not at all.
 */
export function checkPermissions(token: string, settings: Microsoft365Settings): Finding {
  const { roles = [], directoryRoles = [] } = readClaims(token) ?? {};
  if (roles.length === 0) return 'The access token names no permission; the checks below show what it may read.';
  const { required } = neededPermissions(settings);
  const missing = missingFrom(roles, required);
  if (missing.length === 0) return `All ${required.length} permissions that the settings need are granted.`;
  const lacks = missing.map(({ name, feature }) => `${name} (${feature})`).join(', ');
  // A role of Entra, such as Directory Readers, may let it read all the same.
  if (directoryRoles.length > 0)
    return `Not among the permissions: ${lacks}. The checks below show what its role lets it read.`;
  return {
    problem: `The application lacks ${lacks}.`,
    remedy: `Add what is missing, and let a global administrator or a privileged role administrator grant it: ${entraPage(settings)}`,
  };
}

/** Where an administrator looks at them and grants them. */
function entraPage({ clientId, cloud, credential }: Microsoft365Settings): string {
  const portal = {
    global: 'https://entra.microsoft.com',
    usgov: 'https://entra.microsoft.us',
    usgovdod: 'https://entra.microsoft.us',
    china: 'https://entra.microsoftonline.cn',
  }[cloud];
  // A managed identity has no app registration: its permissions stand with the enterprise application.
  const page =
    credential.kind === 'managedIdentity'
      ? 'Microsoft_AAD_IAM/ManagedAppMenuBlade/~/Permissions/appId'
      : 'Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId';
  return `${portal}/#view/${page}/${encodeURIComponent(clientId)}`;
}

export function missingFrom(roles: readonly string[], needed: readonly Permission[]): readonly Permission[] {
  return needed.filter(
    ({ name }) => !roles.includes(name) && INCLUDED_IN[name]?.some((wide) => roles.includes(wide)) !== true,
  );
}

export interface TokenClaims {
  readonly tenantId: string | undefined;
  /** Application permissions, sorted. */
  readonly roles: readonly string[];
  /** Of Entra itself, by name where it is a known one, sorted. */
  readonly directoryRoles: readonly string[];
}

/** Roles that an application is given instead of permissions. Source: learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference, checked 2026-11. */
const DIRECTORY_ROLES: Readonly<Record<string, string>> = {
  '62e90394-69f5-4237-9190-012177145e10': 'Global Administrator',
  'f2ef992c-3afb-46b9-b7cf-a126ee74c451': 'Global Reader',
  '88d8e3e3-8f55-4a1e-953a-9b9898b8876b': 'Directory Readers',
  '29232cdf-9323-42fd-ade2-1d097af3e4de': 'Exchange Administrator',
  'fe930be7-5e62-47db-91af-98c3a49a38b1': 'User Administrator',
  'e8611ab8-c189-46e8-94e1-60213ab1f814': 'Privileged Role Administrator',
};
/** Every application's token says so: it has no role. */
const NO_ROLE = '0997a1d0-0d1d-4acb-b408-d5ca73121e90';

/** What an access token says of itself; undefined when it is no JWT. It is Graph's to read, so nothing is decided by it. */
export function readClaims(token: string): TokenClaims | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const { tid, roles, wids } = claims as { tid?: unknown; roles?: unknown; wids?: unknown };
    const held = (Array.isArray(wids) ? wids : []).map(String).filter((id) => id !== NO_ROLE);
    return {
      tenantId: typeof tid === 'string' ? tid : undefined,
      roles: Array.isArray(roles) ? roles.map(String).sort() : [],
      directoryRoles: held.map((id) => DIRECTORY_ROLES[id] ?? id).sort(),
    };
  } catch {
    return undefined;
  }
}
