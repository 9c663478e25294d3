// A whole read: users, groups, members. Nothing that grows with the number of people is kept in memory: ids and
// memberships go through files of their own (spill.ts). Groups are kept: their ids, one after the other.
import type { MemberRef, Page, SkippedObject } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import { findColumn, needColumn } from './columns.ts';
import { incomplete } from './failures.ts';
import type { CopiedFile, Files } from './fetch-files.ts';
import { badLine, type CsvRecord, fieldsOf, readId, valuesOf } from './records.ts';
import { openTable, type Row, type Table } from './rows.ts';
import type { CsvSettings } from './settings.ts';
import { makeSpill, PARTS, partOf, type Spill } from './spill.ts';

type CsvPage = Page<CsvRecord>;

const MEMBERS_PER_PAGE = 5_000;
/** Bad lines of memberships that are named; they are kept until users and groups were read. */
const BAD_MEMBERSHIPS_MAX = 100_000;
/** Lines that an error names. */
const NAMED = 5;

interface Reading {
  readonly files: Files;
  readonly columns: CsvSettings['columns'];
  readonly signal: AbortSignal;
  /** Ids of users. */
  readonly users: Spill;
  /** [member, group, what was said of its kind], by member. */
  readonly loose: Spill;
  /** [group, member, type], by group. */
  readonly members: Spill;
  readonly groupIds: Set<string>;
  /** Lines that could not be read at all. */
  readonly bad: { count: number; readonly first: string[] };
}

/**
 * Yields what the files say. Ends without an end page, by throwing, where a line could not be read and the settings say
 * that nobody may be removed then.
 * @throws {UpstreamError} `bad-lines`, or a file is cut off
 * @throws {ConfigError} a column is missing
 */
export async function* readFiles(
  files: Files,
  { folder, settings }: { readonly folder: string; readonly settings: CsvSettings },
  signal: AbortSignal,
): AsyncGenerator<CsvPage> {
  const spills = ['users', 'loose', 'members'].map((name) => makeSpill(folder, name));
  const [users, loose, members] = spills as [Spill, Spill, Spill];
  const bad = { count: 0, first: [] };
  const reading: Reading = {
    files,
    columns: settings.columns,
    signal,
    users,
    loose,
    members,
    groupIds: new Set(),
    bad,
  };
  try {
    const repeated = await scanUsers(reading);
    yield* readUsers(reading, repeated);
    yield* readGroups(reading);
    const unread = await readMemberships(reading);
    yield* groupsByName(reading);
    yield { type: 'records', resourceType: 'Group', records: unread };
    if (bad.count > 0 && settings.format.onBadLine === 'removeNobody') throw badLines(bad);
    yield* membersOf(reading);
    yield { type: 'end' };
  } finally {
    for (const spill of spills) spill.close();
  }
}

/** Reads the ids alone. Answers the lines whose id another line has already, with that line. */
async function scanUsers({ files: { users: file }, columns, users, signal }: Reading): Promise<Map<number, number>> {
  const table = await openTable(file, signal);
  const anchor = needColumn(table.header, columns.anchor, file.name, 'is the stable id of a person');
  for await (const { line, cells } of rowsOf(table, signal)) {
    const found = readId(cells[anchor]);
    if ('id' in found) users.add(found.id, [found.id, line]);
  }
  const repeated = new Map<number, number>();
  for (let part = 0; part < PARTS; part += 1) {
    const lineOf = new Map<string, number>();
    for (const [id, line] of users.part(part) as [string, number][]) {
      const first = lineOf.get(id);
      if (first === undefined) lineOf.set(id, line);
      else repeated.set(line, first);
    }
  }
  return repeated;
}

async function* readUsers(reading: Reading, repeated: ReadonlyMap<number, number>): AsyncGenerator<CsvPage> {
  const { files, columns, signal, groupIds, members } = reading;
  const file = files.users;
  const table = await openTable(file, signal);
  const anchor = needColumn(table.header, columns.anchor, file.name, 'is the stable id of a person');
  const groupsAt = findColumn(table.header, columns.groups);
  for await (const batch of table.rows) {
    signal.throwIfAborted();
    const records = batch.map(({ line, cells, problem }): CsvRecord => {
      const first = repeated.get(line);
      if (first !== undefined) return badLine(file.name, line, 'DuplicateLine', `its id is that of line ${first}`);
      const found = problem === undefined ? readId(cells[anchor]) : { problem };
      if ('problem' in found) return noteBad(reading, file, line, found.problem);
      const groups = groupsAt === undefined ? [] : valuesOf(cells[groupsAt], columns.separator);
      for (const group of groups) {
        if (files.groups === undefined) groupIds.add(group);
        members.add(group, [group, found.id, 'User']);
      }
      return { externalId: found.id, fields: fieldsOf(table.header, cells) };
    });
    yield { type: 'records', resourceType: 'User', records };
  }
}

/** The groups of a file of groups. Without one they go by the name that memberships call them. */
async function* readGroups(reading: Reading): AsyncGenerator<CsvPage> {
  const { files, columns, signal, groupIds, loose } = reading;
  const file = files.groups;
  if (file === undefined) return;
  const table = await openTable(file, signal);
  const anchor = needColumn(table.header, columns.groupAnchor, file.name, 'is the stable id of a group');
  const membersAt = findColumn(table.header, columns.members);
  for await (const batch of table.rows) {
    signal.throwIfAborted();
    const records = batch.map(({ line, cells, problem }): CsvRecord => {
      const found = problem === undefined ? readId(cells[anchor]) : { problem };
      if ('problem' in found) return noteBad(reading, file, line, found.problem);
      const { id } = found;
      if (groupIds.has(id)) return badLine(file.name, line, 'DuplicateLine', `its id "${id}" came before`);
      groupIds.add(id);
      const members = membersAt === undefined ? [] : valuesOf(cells[membersAt], columns.separator);
      for (const member of members) loose.add(member, [member, id, '']);
      return { externalId: id, fields: fieldsOf(table.header, cells) };
    });
    yield { type: 'records', resourceType: 'Group', records };
  }
}

/** Takes the memberships of their own file, if there is one. Answers the lines that could not be taken. */
async function readMemberships(reading: Reading): Promise<readonly CsvRecord[]> {
  const { files, columns, signal } = reading;
  const file = files.memberships;
  const unread: CsvRecord[] = [];
  if (file !== undefined) {
    const table = await openTable(file, signal);
    const places: Places = {
      group: needColumn(table.header, columns.membershipGroup, file.name, 'names the group'),
      member: needColumn(table.header, columns.membershipMember, file.name, 'names the member'),
      type: findColumn(table.header, columns.membershipType),
    };
    for await (const row of rowsOf(table, signal)) {
      const problem = takeMembership(reading, file, row, places);
      if (problem !== undefined) unread.push(problem);
      if (unread.length > BAD_MEMBERSHIPS_MAX) throw badLines({ count: unread.length, first: reading.bad.first });
    }
  }
  settleLoose(reading);
  return [...unread, ...unknownGroups(reading)];
}

interface Places {
  readonly group: number;
  readonly member: number;
  readonly type: number | undefined;
}

/** Answers what is wrong with the line, where something is. */
function takeMembership(
  reading: Reading,
  file: CopiedFile,
  { line, cells, problem }: Row,
  places: Places,
): CsvRecord | undefined {
  const { files, groupIds, loose } = reading;
  const group = problem === undefined ? readId(cells[places.group]) : { problem };
  if ('problem' in group) return noteBad(reading, file, line, `group: ${group.problem}`);
  const member = readId(cells[places.member]);
  if ('problem' in member) return noteBad(reading, file, line, `member: ${member.problem}`);
  const type = places.type === undefined ? '' : typeOf(cells[places.type]);
  if (files.groups === undefined) {
    groupIds.add(group.id);
    if (type === 'Group') groupIds.add(member.id);
  } else if (!groupIds.has(group.id))
    return badLine(file.name, line, 'UnknownGroup', `there is no group "${group.id}"`);
  loose.add(member.id, [member.id, group.id, type]);
  return undefined;
}

/** Empty where the cell does not say. */
function typeOf(cell: string | undefined): ResourceType | '' {
  const word = cell?.trim().toLowerCase();
  if (word === 'group') return 'Group';
  return word === 'user' || word === 'person' ? 'User' : '';
}

/** Says of each member whose kind nobody told whether it is a person, a group, or nobody who is known. */
function settleLoose({ users, loose, members, groupIds }: Reading): void {
  for (let part = 0; part < PARTS; part += 1) {
    const pairs = loose.part(part) as [string, string, ResourceType | ''][];
    if (pairs.length === 0) continue;
    const people = new Set(users.part(part).map(([id]) => id));
    for (const [member, group, said] of pairs) {
      const isUser = said !== 'Group' && people.has(member);
      const isGroup = said !== 'User' && groupIds.has(member);
      members.add(group, [group, member, isUser ? 'User' : isGroup ? 'Group' : 'unknown']);
    }
  }
}

/** Groups that a person's own column names and the file of groups does not have. */
function unknownGroups({ files, members, groupIds }: Reading): CsvRecord[] {
  const { groups: file } = files;
  if (file === undefined) return [];
  const unknown = new Set<string>();
  for (let part = 0; part < PARTS; part += 1)
    for (const [group] of members.part(part) as [string][]) if (!groupIds.has(group)) unknown.add(group);
  return [...unknown].map((group) => ({
    externalId: `line:${files.users.name}:${group}`,
    fields: {},
    problem: { reason: 'UnknownGroup', detail: `${files.users.name}: there is no group "${group}" in ${file.name}` },
  }));
}

/** Without a file of groups: a group for each name that a person or a membership gives. */
function* groupsByName({ files, groupIds }: Reading): Generator<CsvPage> {
  if (files.groups !== undefined) return;
  const ids = [...groupIds];
  for (let start = 0; start < ids.length; start += MEMBERS_PER_PAGE) {
    const records = ids.slice(start, start + MEMBERS_PER_PAGE).map((id): CsvRecord => ({ externalId: id, fields: {} }));
    yield { type: 'records', resourceType: 'Group', records };
  }
}

/** The members of each group; a group without any too. */
function* membersOf({ members, groupIds, signal }: Reading): Generator<CsvPage> {
  const byPart = Map.groupBy(groupIds, partOf);
  for (let part = 0; part < PARTS; part += 1) {
    const groups = byPart.get(part) ?? [];
    const entries = members.part(part) as [string, string, string][];
    const found = Map.groupBy(entries, ([group]) => group);
    for (const group of groups) {
      signal.throwIfAborted();
      yield* pagesOf(group, found.get(group) ?? []);
    }
  }
}

function* pagesOf(group: string, entries: readonly [string, string, string][]): Generator<CsvPage> {
  for (let start = 0; start === 0 || start < entries.length; start += MEMBERS_PER_PAGE) {
    const slice = entries.slice(start, start + MEMBERS_PER_PAGE);
    const members = slice.flatMap(([, externalId, type]): MemberRef[] =>
      type === 'unknown' ? [] : [{ externalId, type: type as ResourceType }],
    );
    const skipped = slice.flatMap(([, externalId, type]): SkippedObject[] =>
      type === 'unknown' ? [{ externalId, objectType: 'unknown', reason: 'UnknownMember' }] : [],
    );
    yield { type: 'members', group, members, skipped, complete: start + MEMBERS_PER_PAGE >= entries.length };
  }
}

async function* rowsOf({ rows }: Table, signal: AbortSignal): AsyncGenerator<Row> {
  for await (const batch of rows) {
    signal.throwIfAborted();
    yield* batch;
  }
}

function noteBad({ bad }: Reading, file: CopiedFile, line: number, what: string): CsvRecord {
  bad.count += 1;
  if (bad.first.length < NAMED) bad.first.push(`${file.name} line ${line}`);
  return badLine(file.name, line, 'BadLine', what);
}

function badLines({ count, first }: Reading['bad']): Error {
  const named = `${first.join(', ')}${count > first.length ? ', …' : ''}`;
  return incomplete(`${count} ${count === 1 ? 'line' : 'lines'} could not be read (${named}), so nobody is removed.`, {
    reason: 'bad-lines',
    remedy: 'Mend the lines, which the run lists one by one; or set format.onBadLine to "skip".',
  });
}
