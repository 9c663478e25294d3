import { UpstreamError } from '#core/errors.ts';
import type { PermissionReview } from '#core/provider.ts';
import type { Graph } from './client.ts';

const REQUIRED = [
  { name: 'User.Read.All', feature: 'users and their managers' },
  { name: 'GroupMember.Read.All', feature: 'groups and their members' },
] as const;

/** Useful, and not demanded. */
const OPTIONAL: ReadonlySet<string> = new Set(['Organization.Read.All', 'Member.Read.Hidden']);

/** Permissions that include another. Source: learn.microsoft.com/graph/permissions-reference, checked 2026-11. */
const INCLUDED_IN: Readonly<Record<(typeof REQUIRED)[number]['name'], readonly string[]>> = {
  'User.Read.All': ['User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
  'GroupMember.Read.All': [
    'GroupMember.ReadWrite.All',
    'Group.Read.All',
    'Group.ReadWrite.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ],
};

/**
 * What the token grants beside what a sync needs (S3.12). A permission is superfluous when nothing needs it.
 * @throws {UpstreamError} `permissions-unknown`: the token does not say; and what `TokenSource.token` throws
 */
export async function reviewPermissions(graph: Graph, signal: AbortSignal): Promise<PermissionReview> {
  const claims = readClaims(await graph.tokens.token(signal));
  if (claims === undefined)
    throw new UpstreamError('The access token does not say what it grants.', {
      failure: 'server',
      reason: 'permissions-unknown',
      remedy: 'Look under "API permissions" of the app registration.',
    });
  const { roles } = claims;
  const missing = missingFrom(roles);
  const isNeeded = (name: string): boolean =>
    OPTIONAL.has(name) || missingFrom(roles.filter((role) => role !== name)).length > missing.length;
  return { granted: roles, required: REQUIRED, missing, superfluous: roles.filter((name) => !isNeeded(name)) };
}

function missingFrom(roles: readonly string[]): (typeof REQUIRED)[number][] {
  return REQUIRED.filter(
    ({ name }) => !roles.includes(name) && !INCLUDED_IN[name].some((wide) => roles.includes(wide)),
  );
}

export interface TokenClaims {
  readonly tenantId: string | undefined;
  /** Application permissions, sorted. */
  readonly roles: readonly string[];
}

/** What an access token says of itself; undefined when it is no JWT. It is Graph's to read, so nothing is decided by it. */
export function readClaims(token: string): TokenClaims | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const { tid, roles } = claims as { tid?: unknown; roles?: unknown };
    return {
      tenantId: typeof tid === 'string' ? tid : undefined,
      roles: Array.isArray(roles) ? roles.map(String).sort() : [],
    };
  } catch {
    return undefined;
  }
}
