// What changed since a checkpoint: entries whose update number (Active Directory) or time (others) is later. Who was
// deleted, moved out of the base or does not match the filter any more is not among them: only a full read tells.
// Sources: learn.microsoft.com, "Polling for Changes Using USNChanged", checked 2026-11; RFC 4512 section 3.4.1.
import { CheckpointExpiredError } from '#core/errors.ts';
import type { ChangePage, ChangeReader, Checkpoint, ReadMemory } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Connection } from './connection.ts';
import { type Reading, searchOf } from './everybody.ts';
import { makeFirstShown } from './first-shown.ts';
import { earliestOf, isOfSeveral, knownUntil, type LastChanges, readLastChanges } from './last-changes.ts';
import { type MembersPage, readGroups, readMembers, readUsers } from './read.ts';
import { anchorFilter, type LdapRecord, textsOf } from './records.ts';
import { lazyResolver, type Resolver } from './resolver.ts';

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
  /** Absent where each database has changes of one server only: then these times say it all. */
  readonly last?: LastChanges;
}

type Since = Readonly<Record<ResourceType, string>>;

const ROOT = { base: '', scope: 'base', filter: '(objectClass=*)', doing: 'read of the root entry' } as const;

/**
 * Entries of a replica may arrive late with an earlier time, and clocks differ: what changed shortly before is read once
 * more, which does no harm.
 */
const OVERLAP_MS = 5 * 60_000;
/** Groups that are read once more by one search. */
const GROUPS_AT_ONCE = 50;

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
  const last = await readLastChanges(reading);
  if (last !== undefined) {
    const since = { User: earlier(earliestOf(last.User)), Group: earlier(earliestOf(last.Group)) };
    const [from = since.User] = [since.User, since.Group].sort();
    const isOne = !isOfSeveral(last.User) && !isOfSeveral(last.Group);
    return { by: 'time', server, from, ...(since.User === since.Group ? {} : { since }), ...(isOne ? {} : { last }) };
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
  const [usersSince, groupsSince] = (['User', 'Group'] as const).map((type) =>
    sinceFilter(beginning(mark, next, type)),
  );
  const resolver = lazyResolver(reading);
  const firstShown = makeFirstShown(reading, memory);
  yield* firstShown.note(readUsers(reading, resolver, usersSince));
  yield* firstShown.note(firstShown.reports(reading, resolver));
  yield* firstShown.note(readGroups(reading, groupsSince));
  yield* withLateNames(reading, resolver, readMembers(reading, resolver, groupsSince));
  yield* firstShown.groups(reading, resolver);
  yield { type: 'end', checkpoint: makeCheckpoint(next) };
}

/**
 * The same pages; then those of groups once more in which a name led nowhere. Whoever was renamed between the reading of a
 * group and the looking up of its members is in it by the new name, and the group does not count as changed for that.
 */
async function* withLateNames(
  reading: Reading,
  resolver: Resolver,
  pages: AsyncIterable<MembersPage>,
): AsyncGenerator<MembersPage> {
  const doubted = new Set<string>();
  for await (const page of pages) {
    if (page.skipped.some(({ externalId }) => resolver.isVanished(externalId))) doubted.add(page.group);
    yield page;
  }
  const groups = [...doubted];
  const later = lazyResolver(reading);
  for (let start = 0; start < groups.length; start += GROUPS_AT_ONCE) {
    const filter = anchorFilter(reading.plan.anchor, groups.slice(start, start + GROUPS_AT_ONCE));
    yield* readMembers(reading, later, filter);
  }
}

/** Where the changes of one type begin. */
function beginning(mark: Mark, next: Mark, type: ResourceType): Pick<Mark, 'by' | 'from'> {
  const { by, from, since, last } = mark;
  const known = last && next.last && knownUntil(last[type], next.last[type]);
  return { by, from: known === undefined ? (since?.[type] ?? from) : earlier(known) };
}

function sinceFilter({ by, from }: Pick<Mark, 'by' | 'from'>): string {
  return by === 'usn' ? `(uSNChanged>=${from})` : `(modifyTimestamp>=${from})`;
}
