// What changed since a checkpoint: entries whose update number (Active Directory) or time (others) is later. Who was
// deleted, moved out of the base or does not match the filter any more is not among them: only a full read tells.
// Sources: learn.microsoft.com, "Polling for Changes Using USNChanged", checked 2026-11; RFC 4512 section 3.4.1.
import { CheckpointExpiredError, ConfigError, CredentialsError } from '#core/errors.ts';
import type { ChangePage, ChangeReader, Checkpoint, ReadMemory } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Connection } from './connection.ts';
import { isBelow } from './dn.ts';
import { type Reading, searchOf } from './everybody.ts';
import { makeFirstShown } from './first-shown.ts';
import { readGroups, readMembers, readUsers } from './read.ts';
import { type LdapRecord, textsOf } from './records.ts';
import { lazyResolver } from './resolver.ts';

/** Where changes begin. */
interface Mark {
  readonly by: 'usn' | 'time';
  /** The server: numbers of one mean nothing to another. */
  readonly server: string;
  /** The first number, or time, that counts. */
  readonly from: string;
  /**
   * The times of the databases of users and of groups, none of them before `from`: where one has not changed for a year, all
   * changes of a year in another are not read for it. Absent where there is one time for both.
   */
  readonly since?: Since;
}

type Since = Readonly<Record<ResourceType, string>>;

const ROOT = { base: '', scope: 'base', filter: '(objectClass=*)', doing: 'read of the root entry' } as const;

/**
 * Entries of a replica may arrive late with an earlier time, and clocks differ: what changed shortly before is read once
 * more, which does no harm.
 */
const OVERLAP_MS = 5 * 60_000;

/**
 * Where changes would begin now: asked for before a full read, so that what changes meanwhile comes with the first
 * changes. Undefined where the server has neither numbers nor times.
 * @param known where changes began before
 */
export async function latestMark(reading: Reading, known?: Mark): Promise<Mark | undefined> {
  const { connection } = reading;
  const root = await readRoot(connection, reading.signal);
  const usn = root.highestUsn;
  if (usn !== undefined && root.server !== undefined)
    return { by: 'usn', server: root.server, from: String(BigInt(usn) + 1n) };
  const server = reading.settings.url;
  const kept = await contextTimes(reading);
  if (kept !== undefined) {
    const since = { User: earlier(kept.User), Group: earlier(kept.Group) };
    const [from = since.User] = [since.User, since.Group].sort();
    return { by: 'time', server, from, ...(since.User === since.Group ? {} : { since }) };
  }
  const time = await entryTime(reading, known?.by === 'time' ? sinceFilter(known) : '');
  if (time !== undefined) return { by: 'time', server, from: earlier(time) };
  // Nothing changed since then.
  return known;
}

interface Root {
  readonly highestUsn: string | undefined;
  /** The database of this very server: another one counts differently. */
  readonly server: string | undefined;
}

async function readRoot(connection: Connection, signal: AbortSignal): Promise<Root> {
  const [entry] = await connection.first({ ...ROOT, attributes: ['highestCommittedUSN', 'dsServiceName'] }, signal);
  const highestUsn = entry === undefined ? undefined : textsOf(entry, 'highestCommittedUSN')[0];
  const service = entry === undefined ? undefined : textsOf(entry, 'dsServiceName')[0];
  if (highestUsn === undefined || !/^\d{1,19}$/.test(highestUsn) || service === undefined)
    return { highestUsn: undefined, server: undefined };
  return { highestUsn, server: await invocationOf(connection, service, signal) };
}

/** A server that was restored from a backup counts anew, and has another invocation id then. */
async function invocationOf(connection: Connection, service: string, signal: AbortSignal): Promise<string> {
  const asked = { ...ROOT, base: service, attributes: ['invocationId'], doing: 'read of the server' };
  const [entry] = await connection.first(asked, signal);
  const bytes = entry?.attributes.find(({ type }) => type.toLowerCase() === 'invocationid')?.values[0];
  return `${service}:${bytes?.toString('hex') ?? ''}`;
}

/**
 * The times of the last changes, by the clock of the server, that the databases of users and of groups keep as contextCSN
 * where they are replicated: of several that hold one base the earliest counts. Undefined where one of them keeps none.
 */
async function contextTimes(reading: Reading): Promise<Since | undefined> {
  const { connection, settings, signal } = reading;
  const [root] = await connection.first({ ...ROOT, attributes: ['namingContexts'] }, signal);
  const contexts = root === undefined ? [] : textsOf(root, 'namingContexts');
  const meantBy = (base: string): readonly string[] => {
    const above = contexts.filter((context) => isBelow(base, context, 'sub'));
    // What lies below a database of its own is not in the one above it.
    const nearest = above.filter((context) => !above.some((one) => one !== context && isBelow(one, context, 'sub')));
    return [...nearest, ...contexts.filter((context) => isBelow(context, base, 'sub'))];
  };
  const users = meantBy(settings.users.base);
  const groups = settings.groups === null ? [] : meantBy(settings.groups.base);
  const times = new Map<string, string>();
  for (const context of new Set([...users, ...groups])) {
    const time = await lastChange(connection, context, signal);
    if (time === undefined) return undefined;
    times.set(context, time);
  }
  const first = (some: readonly string[]): string | undefined => some.flatMap((one) => times.get(one) ?? []).sort()[0];
  const [ofUsers, ofGroups] = [first(users), first(groups)];
  const [User, Group] = [ofUsers ?? ofGroups, ofGroups ?? ofUsers];
  return User === undefined || Group === undefined ? undefined : { User, Group };
}

/** Of each server that takes writes there is one: the earliest of them counts. */
async function lastChange(connection: Connection, base: string, signal: AbortSignal): Promise<string | undefined> {
  const asked = { ...ROOT, base, attributes: ['contextCSN'], doing: 'read of the last change' };
  const [suffix] = await connection.first(asked, signal).catch((error: unknown) => {
    if (error instanceof ConfigError || error instanceof CredentialsError) return [];
    throw error;
  });
  const times = suffix === undefined ? [] : textsOf(suffix, 'contextCSN');
  return times.flatMap((csn) => /^\d{14}/.exec(csn)?.[0] ?? []).sort()[0];
}

/**
 * The latest time at which a user or group was changed. Undefined where no entry has a time.
 * @param since only entries that match this filter are looked at
 */
async function entryTime(reading: Reading, since: string): Promise<string | undefined> {
  let latest: string | undefined;
  for (const type of ['User', 'Group'] as const) {
    const asked = searchOf(reading, type, ['modifyTimestamp'], since);
    if (asked === undefined) continue;
    for await (const entries of reading.connection.search(asked, reading.signal))
      for (const entry of entries) {
        const time = /^\d{14}/.exec(textsOf(entry, 'modifyTimestamp')[0] ?? '')?.[0];
        if (time !== undefined && (latest === undefined || time > latest)) latest = time;
      }
  }
  return latest;
}

/** A generalized time (RFC 4517 section 3.3.13) minus the overlap. */
function earlier(time: string): string {
  const iso = time.replace(/^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/, '$1-$2-$3T$4:$5:$6Z');
  const moved = new Date(Date.parse(iso) - OVERLAP_MS);
  return `${moved.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
}

export function makeCheckpoint(mark: Mark): Checkpoint {
  return JSON.stringify(mark) as Checkpoint;
}

/** Opens a connection, hands it to the work, and closes it when that is over. */
export type WithReading = <Result>(
  signal: AbortSignal,
  work: (reading: Reading) => AsyncGenerator<Result>,
) => AsyncGenerator<Result>;

/** @param memory what was read before; without it, everybody who changed is taken for new */
export function changesOf(withReading: WithReading, memory?: ReadMemory): ChangeReader<LdapRecord> {
  return {
    pages: (checkpoint, signal) =>
      withReading(signal, (reading) => readChanges(JSON.parse(checkpoint) as Mark, reading, memory)),
    merge: (_known, change) => change,
    // Every group that changed, or has somebody who is new here, came with all its members.
    async *members() {},
  };
}

/** @throws {CheckpointExpiredError} another server answers, or one that counts anew */
async function* readChanges(
  mark: Mark,
  reading: Reading,
  memory: ReadMemory | undefined,
): AsyncGenerator<ChangePage<LdapRecord>> {
  const next = await latestMark(reading, mark);
  if (next === undefined || next.by !== mark.by || next.server !== mark.server)
    throw new CheckpointExpiredError('Another server answers, or the server counts anew.');
  const [usersSince, groupsSince] = [sinceFilter(mark, 'User'), sinceFilter(mark, 'Group')];
  const resolver = lazyResolver(reading);
  const firstShown = makeFirstShown(reading, memory);
  yield* firstShown.note(readUsers(reading, resolver, usersSince));
  yield* firstShown.note(readGroups(reading, groupsSince));
  yield* readMembers(reading, resolver, groupsSince);
  yield* firstShown.groups(reading, resolver);
  yield { type: 'end', checkpoint: makeCheckpoint(next) };
}

function sinceFilter({ by, from, since }: Mark, type?: ResourceType): string {
  const first = type === undefined ? from : (since?.[type] ?? from);
  return by === 'usn' ? `(uSNChanged>=${first})` : `(modifyTimestamp>=${first})`;
}
