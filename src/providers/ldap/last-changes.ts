// The last change of each server that takes writes, as a database of OpenLDAP keeps it for replication (contextCSN): a time,
// by the clock of that server, and its number. Source: ldapguy.smol.pub, "OpenLDAP contextCSNs. Replication", checked 2026-11.
import { ConfigError, CredentialsError } from '#core/errors.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Connection } from './connection.ts';
import { isBelow } from './dn.ts';
import type { Reading } from './everybody.ts';
import { textsOf } from './records.ts';

/** By the number of a server and the database, such as `001 dc=example,dc=com`; never empty. */
export type ByServer = Readonly<Record<string, string>>;
export type LastChanges = Readonly<Record<ResourceType, ByServer>>;

const ENTRY = { scope: 'base', filter: '(objectClass=*)' } as const;

/** Those of the databases of users and of groups; undefined where one of them keeps none. */
export async function readLastChanges({ connection, settings, signal }: Reading): Promise<LastChanges | undefined> {
  const asked = { ...ENTRY, base: '', attributes: ['namingContexts'], doing: 'read of the root entry' };
  const [root] = await connection.first(asked, signal);
  const contexts = root === undefined ? [] : textsOf(root, 'namingContexts');
  const meantBy = (base: string): readonly string[] => {
    const above = contexts.filter((context) => isBelow(base, context, 'sub'));
    // What lies below a database of its own is not in the one above it.
    const nearest = above.filter((context) => !above.some((one) => one !== context && isBelow(one, context, 'sub')));
    return [...nearest, ...contexts.filter((context) => isBelow(context, base, 'sub'))];
  };
  const users = meantBy(settings.users.base);
  const groups = settings.groups === null ? [] : meantBy(settings.groups.base);
  const found = new Map<string, ReadonlyMap<string, string>>();
  for (const context of new Set([...users, ...groups])) {
    const csns = await readOne(connection, context, signal);
    if (csns.size === 0) return undefined;
    found.set(context, csns);
  }
  if (found.size === 0) return undefined;
  const of = (some: readonly string[]): ByServer =>
    Object.fromEntries(
      some.flatMap((context) => [...(found.get(context) ?? [])].map(([server, csn]) => [`${server} ${context}`, csn])),
    );
  return { User: of(users.length > 0 ? users : groups), Group: of(groups.length > 0 ? groups : users) };
}

async function readOne(connection: Connection, base: string, signal: AbortSignal): Promise<Map<string, string>> {
  const asked = { ...ENTRY, base, attributes: ['contextCSN'], doing: 'read of the last change' };
  const [suffix] = await connection.first(asked, signal).catch((error: unknown) => {
    if (error instanceof ConfigError || error instanceof CredentialsError) return [];
    throw error;
  });
  const csns = suffix === undefined ? [] : textsOf(suffix, 'contextCSN').filter((csn) => /^\d{14}/.test(csn));
  // Of two of one server the earlier counts.
  return new Map(
    csns
      .toSorted()
      .toReversed()
      .map((csn) => [csn.split('#')[2] ?? '', csn]),
  );
}

/** The time of the earliest, such as `20261127110000`. */
export function earliestOf(changes: ByServer): string {
  return timeOf(Object.values(changes).toSorted()[0] ?? '');
}

/** Whether a database has changes of several servers. */
export function isOfSeveral(changes: ByServer): boolean {
  const databases = Object.keys(changes).map((key) => key.replace(/^\S* /, ''));
  return new Set(databases).size < databases.length;
}

/**
 * The last time up to which everything was known that has come since: one that has taken no writes for years, as `000` has
 * not since a database was filled, has brought nothing late. Undefined where a server has begun to take writes.
 */
export function knownUntil(before: ByServer, now: ByServer): string | undefined {
  const writing = Object.keys(now).filter((server) => now[server] !== before[server]);
  if (writing.some((server) => before[server] === undefined)) return undefined;
  const csns = (writing.length > 0 ? writing : Object.keys(before))
    .flatMap((server) => before[server] ?? [])
    .toSorted();
  const csn = writing.length > 0 ? csns[0] : csns.at(-1);
  return csn === undefined ? undefined : timeOf(csn);
}

function timeOf(csn: string): string {
  return csn.slice(0, 14);
}
