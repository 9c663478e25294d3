// What a tenant says of itself and of our application. Everything here is good to know and nothing is needed: without the
// permission for one of them the others are told.
import { X509Certificate } from 'node:crypto';
import type { ConnectionFacts, CredentialFacts, HybridFacts } from '#core/connect.ts';
import { CredentialsError, GatewayError } from '#core/errors.ts';
import type { Graph } from './graph/client.ts';
import type { Microsoft365Settings } from './settings.ts';
import { missingFrom, neededPermissions, readClaims } from './sign-in/permissions.ts';

export interface Organization {
  readonly id?: string;
  readonly name?: string;
  /** Verified domains, the default one first. */
  readonly domains?: readonly string[];
  readonly hybrid?: HybridFacts;
}

/** @throws {GatewayError} there is no token: the credential is refused, or nobody has consented */
export async function readFacts(
  graph: Graph,
  settings: Microsoft365Settings,
  signal: AbortSignal,
): Promise<ConnectionFacts> {
  const claims = readClaims(await graph.tokens.token(signal));
  const { id, ...organization } = (await orUnknown(readOrganization(graph, signal))) ?? {};
  const sourceId = claims?.tenantId ?? id;
  return {
    ...(sourceId === undefined ? {} : { sourceId }),
    ...organization,
    ...(claims === undefined
      ? {}
      : { granted: claims.roles, missing: missingFrom(claims.roles, neededPermissions(settings).required) }),
    credential: await readCredential(graph, settings, signal),
  };
}

/** Source: learn.microsoft.com/graph/api/organization-get, checked 2026-11. @throws {GatewayError} what `Graph.get` throws */
export function readOrganization(graph: Graph, signal: AbortSignal): Promise<Organization> {
  const url = '/organization?$select=id,displayName,verifiedDomains,onPremisesSyncEnabled,onPremisesLastSyncDateTime';
  return graph.get(url, organizationOf, { signal });
}

function organizationOf(body: unknown): Organization {
  const [one] = (body as { value?: readonly GraphOrganization[] } | undefined)?.value ?? [];
  if (one === undefined) return {};
  const domains = [...(one.verifiedDomains ?? [])].sort(
    (a, b) => Number(b.isDefault === true) - Number(a.isDefault === true),
  );
  return {
    ...(one.id && { id: one.id }),
    ...(one.displayName && { name: one.displayName }),
    ...(one.verifiedDomains && { domains: domains.flatMap(({ name }) => name?.toLowerCase() ?? []) }),
    hybrid: { enabled: one.onPremisesSyncEnabled === true, lastSyncAt: one.onPremisesLastSyncDateTime ?? null },
  };
}

interface GraphOrganization {
  readonly id?: string;
  readonly displayName?: string | null;
  readonly verifiedDomains?: readonly { readonly name?: string; readonly isDefault?: boolean }[] | null;
  readonly onPremisesSyncEnabled?: boolean | null;
  readonly onPremisesLastSyncDateTime?: string | null;
}

async function readCredential(
  graph: Graph,
  { credential, clientId }: Microsoft365Settings,
  signal: AbortSignal,
): Promise<CredentialFacts> {
  const { kind } = credential;
  if (kind === 'certificate') {
    const { validToDate } = new X509Certificate(credential.certificate);
    return { kind, expiresAt: validToDate.toISOString(), said: 'certificate' };
  }
  if (kind !== 'clientSecret') return { kind, expiresAt: null };
  if (credential.expiresAt !== undefined)
    return { kind, expiresAt: new Date(credential.expiresAt).toISOString(), said: 'settings' };
  const url = `/applications(appId='${encodeURIComponent(clientId.replaceAll("'", "''"))}')?$select=passwordCredentials`;
  const expiresAt = await orUnknown(graph.get(url, (body) => endOfSecret(body, credential.secret), { signal }));
  return expiresAt === undefined ? { kind } : { kind, expiresAt, said: 'source' };
}

/**
 * When our secret ends. Of several the first three characters, which Microsoft shows, tell which is ours; where they do
 * not, the earliest end that fits.
 * Source: learn.microsoft.com/graph/api/resources/passwordcredential, checked 2026-11.
 */
function endOfSecret(body: unknown, secret: string): string | undefined {
  const all = (
    body as { passwordCredentials?: readonly { hint?: string | null; endDateTime?: string | null }[] | null }
  )?.passwordCredentials;
  const ours = (all ?? []).filter(({ hint }) => hint == null || secret.startsWith(hint));
  const ends = ours.flatMap(({ endDateTime }) => (endDateTime ? [new Date(endDateTime)] : []));
  const [first] = ends.filter((end) => !Number.isNaN(end.getTime())).sort((a, b) => a.getTime() - b.getTime());
  return first?.toISOString();
}

/** What must not be read, or is not there, is unknown; when the source is out of reach, so is everything. */
async function orUnknown<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof CredentialsError && error.failure === 'auth') throw error;
    if (error instanceof GatewayError && error.code !== 'ERR_UPSTREAM') return undefined;
    if (error instanceof GatewayError && error.reason === 'request-refused') return undefined;
    throw error;
  }
}
