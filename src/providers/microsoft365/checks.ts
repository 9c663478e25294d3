import { X509Certificate } from 'node:crypto';
import type { Check } from '#core/check.ts';
import { check, type Finding, isTimeout } from '#core/check.ts';
import { CredentialsError, GatewayError, UpstreamError } from '#core/errors.ts';
import type { Clock } from '#platform/clock.ts';
import type { Graph } from './graph/client.ts';
import { readPage } from './graph/collection.ts';
import { type GraphGroup, hidesMembers } from './map/records.ts';
import { checkDomains, checkMailboxUser } from './preflight.ts';
import { checkSelectedGroups } from './read/selected-groups.ts';
import type { Microsoft365Settings } from './settings.ts';
import { endpointsOf } from './sign-in/endpoints.ts';
import { checkPermissions, readClaims } from './sign-in/permissions.ts';

/**
 * Says step by step what works: always the same checks in the same order, `settings`, `token`, `permissions`, `tenant`,
 * `domains`, `read-users`, `mailbox-user`, `read-groups`, `read-members`. Changes nothing, never throws.
 */
export async function checkConnection(
  settings: Microsoft365Settings,
  open: () => Graph,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const checks: Check[] = [await check('settings', () => describeSettings(settings, clock))];
  const signedIn: { graph?: Graph; token?: string } = {};
  checks.push(
    await check('token', async () => {
      signedIn.graph = open();
      signedIn.token = await signedIn.graph.tokens.token(signal);
      return 'Microsoft gave an access token.';
    }),
  );
  const { graph, token } = signedIn;
  const steps: readonly [string, (graph: Graph) => Promise<Finding>][] = [
    ['permissions', async () => checkPermissions(token ?? '', settings)],
    ['tenant', (graph) => describeTenant(graph, token ?? '', signal)],
    ['domains', (graph) => checkDomains(graph, settings, signal)],
    ['read-users', (graph) => canRead(graph, '/users?$select=id&$top=1', 'Users can be read.', signal)],
    ['mailbox-user', (graph) => checkMailboxUser(graph, settings, signal)],
    ['read-groups', (graph) => canRead(graph, '/groups?$select=id&$top=1', GROUPS_READ, signal)],
    ['read-members', (graph) => canReadMembers(graph, signal)],
  ];
  if (graph === undefined || token === undefined)
    return [...checks, ...steps.map(([name]) => notTried(name, 'there is no access token'))];
  // Whoever cannot be reached is not waited for again and again.
  let away = false;
  for (const [name, step] of steps)
    if (away) checks.push(notTried(name, 'Microsoft Graph cannot be reached'));
    else
      checks.push(
        await check(name, () =>
          step(graph).catch((error: unknown) => {
            away = isAway(error);
            throw error;
          }),
        ),
      );
  return away ? checks : [...checks, ...(await checkGroups(settings, graph, signal))];
}

function isAway(error: unknown): boolean {
  return isTimeout(error) || (error instanceof UpstreamError && error.failure === 'network');
}

/** Whoever misses a list should not look for a mistake. Source: learn.microsoft.com/graph/api/resources/groups-overview, checked 2026-11. */
const GROUPS_READ =
  'Groups can be read. Microsoft Graph does not show dynamic distribution lists, so those do not come in.';

/** One for each group that the settings name. */
async function checkGroups(
  settings: Microsoft365Settings,
  graph: Graph,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  if (settings.scope.groupIds.length === 0 && settings.pathDisplay.rootGroupId === null) return [];
  const found: Check[] = [];
  const failed = await check('selected-group', async () => {
    found.push(...(await checkSelectedGroups(settings, graph, signal)));
    return '';
  });
  return failed.ok ? found : [failed];
}

function notTried(name: string, why: string): Check {
  return { name, ok: false, detail: `Not tried, since ${why}.`, remedy: null };
}

function describeSettings(settings: Microsoft365Settings, clock: Clock): Finding {
  const { credential, tenantId } = settings;
  const { graph } = endpointsOf(settings);
  const where = `The directory of tenant "${tenantId}" is read from ${new URL(graph).host}`;
  if (credential.kind === 'clientSecret') return describeSecret(where, credential.expiresAt, clock);
  if (credential.kind === 'managedIdentity') return `${where}, with the managed identity of this machine.`;
  if (credential.kind === 'federated') return `${where}, with the token in "${credential.tokenFile}".`;
  const { validFromDate, validToDate } = new X509Certificate(credential.certificate);
  const until = validToDate.toISOString().slice(0, 10);
  const now = clock.now();
  if (validToDate < now)
    return {
      problem: `The certificate expired on ${until}.`,
      remedy: 'Make a new one, upload it to the app registration, and enter it here with its key.',
    };
  if (validFromDate > now)
    return {
      problem: `The certificate is not valid before ${validFromDate.toISOString().slice(0, 10)}.`,
      remedy: 'Wait until then, or set the clock of this machine right.',
    };
  return `${where}, with a certificate that is valid until ${until}.`;
}

function describeSecret(where: string, expiresAt: string | undefined, clock: Clock): Finding {
  if (expiresAt === undefined) return `${where}, with a client secret.`;
  if (new Date(expiresAt) > clock.now()) return `${where}, with a client secret that is valid until ${expiresAt}.`;
  return {
    problem: `The client secret expired on ${expiresAt}, as credential.expiresAt says.`,
    remedy: 'Make a new one under "Certificates & secrets" of the app registration, and enter it with its date.',
  };
}

/** The organization's name is good to know; a sync does not need it, so a refusal is no failure. */
async function describeTenant(graph: Graph, token: string, signal: AbortSignal): Promise<Finding> {
  const id = readClaims(token)?.tenantId;
  const known = id === undefined ? 'The token does not name its tenant' : `The token is for tenant ${id}`;
  try {
    const name = await graph.get('/organization?$select=id,displayName', nameOf, { signal });
    return name === undefined ? `${known}.` : `${known}: "${name}".`;
  } catch (error) {
    if (error instanceof CredentialsError && error.failure === 'consent')
      return `${known}. Its name is not read without Organization.Read.All, which is optional.`;
    if (error instanceof GatewayError && !isAway(error)) return `${known}. Its name could not be read.`;
    throw error;
  }
}

function nameOf(body: unknown): string | undefined {
  const name = (body as { value?: readonly { displayName?: unknown }[] } | undefined)?.value?.[0]?.displayName;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

async function canRead(graph: Graph, url: string, detail: string, signal: AbortSignal): Promise<Finding> {
  await graph.get(url, readPage, { signal });
  return detail;
}

/** Of a group that does not hide them: a sync goes on without the others. */
async function canReadMembers(graph: Graph, signal: AbortSignal): Promise<Finding> {
  const read = (body: unknown) => readPage<GraphGroup>(body).items.find((group) => !hidesMembers(group))?.id;
  const id = await graph.get('/groups?$select=id,visibility&$top=50', read, { signal });
  if (id === undefined) return 'There is no group whose members could be read.';
  const url = `/groups/${encodeURIComponent(id)}/members?$select=id&$top=1`;
  return canRead(graph, url, 'Members of groups can be read.', signal);
}
