// What must be so in the tenant for the settings to find anybody, looked at before anything is saved.
import type { Finding } from '#core/check.ts';
import { CredentialsError } from '#core/errors.ts';
import { readOrganization } from './facts.ts';
import type { Graph } from './graph/client.ts';
import { collection, PAGE_SIZE } from './graph/collection.ts';
import type { GraphUser } from './map/records.ts';
import { mailboxOf } from './read/mailbox-type.ts';
import type { Microsoft365Settings } from './settings.ts';

/** A look for one person with a mailbox ends here; a run looks at everybody. */
const USERS_LOOKED_AT = 5 * PAGE_SIZE;

/** Each accepted domain must be a verified one of the tenant: else nobody can have an address in it. */
export async function checkDomains(
  graph: Graph,
  { scope }: Pick<Microsoft365Settings, 'scope'>,
  signal: AbortSignal,
): Promise<Finding> {
  if (scope.domains.length === 0) return 'Addresses of any domain are accepted.';
  const verified = await verifiedDomains(graph, signal);
  if (verified === undefined)
    return 'Whether the domains belong to the tenant is not read without Organization.Read.All, which is optional.';
  const unknown = scope.domains.filter((domain) => !verified.includes(domain));
  if (unknown.length === 0) return `All ${scope.domains.length} accepted domains belong to the tenant.`;
  return {
    problem: `The tenant has no verified domain ${unknown.map((domain) => `"${domain}"`).join(', ')}.`,
    remedy: `Correct scope.domains, or verify the domain in Microsoft 365. The tenant has ${verified.join(', ')}.`,
  };
}

async function verifiedDomains(graph: Graph, signal: AbortSignal): Promise<readonly string[] | undefined> {
  try {
    return (await readOrganization(graph, signal)).domains;
  } catch (error) {
    if (error instanceof CredentialsError && error.failure === 'consent') return undefined;
    throw error;
  }
}

/** Somebody must have a mailbox where the settings want one: a scope that finds nobody is a mistake. */
export async function checkMailboxUser(
  graph: Graph,
  { scope }: Pick<Microsoft365Settings, 'scope'>,
  signal: AbortSignal,
): Promise<Finding> {
  const url = `/users?$select=id,mail,proxyAddresses,assignedPlans,assignedLicenses,userType&$top=${PAGE_SIZE}`;
  let looked = 0;
  for await (const users of collection<GraphUser>(graph, url, { signal })) {
    if (users.some((user) => mailboxOf(user).type !== undefined)) return 'There are people with a mailbox.';
    looked += users.length;
    if (looked >= USERS_LOOKED_AT) break;
  }
  const nobody = `None of ${looked} people looked at has a mailbox`;
  if (!scope.requireMailbox) return `${nobody}; the settings do not ask for one.`;
  return {
    problem: `${nobody}, and the settings want one.`,
    remedy: 'Give people a licence with Exchange Online, or set scope.requireMailbox to false.',
  };
}
