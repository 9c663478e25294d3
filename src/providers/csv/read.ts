// A whole read: users, groups, members. Nothing that grows with the number of people is kept in memory: ids and
// memberships go through files of their own (spill.ts). Groups are kept: their ids, one after the other.
import type { Page, ReadMemory } from '#core/pages.ts';
import { findColumn, needColumn } from './columns.ts';
import type { Files } from './fetch-files.ts';
import { makeFlagCheck } from './flags.ts';
import { membersOf, readMemberships } from './memberships.ts';
import { badLines, noteBad, type Reading, rowsOf } from './reading.ts';
import { badLine, type CsvRecord, fieldsOf, readId, readIds } from './records.ts';
import { openTable } from './rows.ts';
import type { CsvSettings } from './settings.ts';
import { makeSpill, PARTS, type Spill } from './spill.ts';
import { readsFlag } from './to-scim.ts';

type CsvPage = Page<CsvRecord>;

const GROUPS_PER_PAGE = 1_000;

export interface ReadParts {
  /** For what does not fit into memory. */
  readonly folder: string;
  readonly settings: CsvSettings;
  /** What was read before; absent where nobody is to be told from it. */
  readonly memory: ReadMemory | undefined;
}

/**
 * Yields what the files say, without the end page. Throws before the members where a line could not be read and the
 * settings say that nobody may be removed then.
 * @throws {UpstreamError} `bad-lines`, or a file is cut off
 * @throws {ConfigError} a column is missing
 */
export async function* readFiles(
  files: Files,
  { folder, settings, memory }: ReadParts,
  signal: AbortSignal,
): AsyncGenerator<CsvPage> {
  const spills = ['users', 'loose', 'members'].map((name) => makeSpill(folder, name));
  const [users, loose, members] = spills as [Spill, Spill, Spill];
  const bad = { count: 0, first: [] };
  const reading: Reading = {
    files,
    columns: settings.columns,
    flags: readsFlag(settings) ? memory : undefined,
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
  } finally {
    for (const spill of spills) spill.close();
  }
}

/** Reads the ids alone. Answers the lines whose id another line has already, with that line. */
async function scanUsers({ files: { users: file }, columns, users, signal }: Reading): Promise<Map<number, number>> {
  const table = await openTable(file, signal);
  const anchor = needColumn(table.header, columns.anchor, file.name, 'is the stable id of a person');
  for await (const { line, cells, problem } of rowsOf(table, signal)) {
    // In whose place another line may stand.
    const found = problem === undefined ? readId(cells[anchor]) : { problem };
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
  const checkFlags = makeFlagCheck(reading.flags, file.name);
  for await (const batch of table.rows) {
    signal.throwIfAborted();
    const records = batch.map(({ line, cells, problem }): CsvRecord => {
      const first = repeated.get(line);
      if (first !== undefined) return badLine(file.name, line, 'DuplicateLine', `its id is that of line ${first}`);
      const found = problem === undefined ? readId(cells[anchor]) : { problem };
      if ('problem' in found) return noteBad(reading, file, line, found.problem);
      const groups = readIds(cells[groupsAt ?? -1], columns.separator);
      if ('problem' in groups) return noteBad(reading, file, line, `group: ${groups.problem}`);
      for (const group of groups.ids) {
        if (files.groups === undefined) groupIds.add(group);
        members.add(group, [group, found.id, 'User']);
      }
      return { externalId: found.id, fields: fieldsOf(table.header, cells) };
    });
    if (!table.header.includes('active')) await checkFlags(records);
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
      const members = readIds(cells[membersAt ?? -1], columns.separator);
      if ('problem' in members) return noteBad(reading, file, line, `member: ${members.problem}`);
      groupIds.add(id);
      for (const member of members.ids) loose.add(member, [member, id, '']);
      return { externalId: id, fields: fieldsOf(table.header, cells) };
    });
    yield { type: 'records', resourceType: 'Group', records };
  }
}

/** Without a file of groups: a group for each name that a person or a membership gives. */
function* groupsByName({ files, groupIds }: Reading): Generator<CsvPage> {
  if (files.groups !== undefined) return;
  const ids = [...groupIds];
  for (let start = 0; start < ids.length; start += GROUPS_PER_PAGE) {
    const records = ids.slice(start, start + GROUPS_PER_PAGE).map((id): CsvRecord => ({ externalId: id, fields: {} }));
    yield { type: 'records', resourceType: 'Group', records };
  }
}
