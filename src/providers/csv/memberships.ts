// Who belongs to which group: from the file of memberships and from columns, joined by parts (spill.ts).
import type { MemberRef, Page, SkippedObject } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';
import { findColumn, needColumn } from './columns.ts';
import type { CopiedFile } from './fetch-files.ts';
import { badLines, noteBad, type Reading, rowsOf } from './reading.ts';
import { badLine, type CsvRecord, readId } from './records.ts';
import { openTable, type Row } from './rows.ts';
import { PARTS, partOf } from './spill.ts';

type MembersPage = Extract<Page<CsvRecord>, { type: 'members' }>;

const MEMBERS_PER_PAGE = 5_000;
/** Bad lines of memberships that are named; they are kept until users and groups were read. */
const BAD_MEMBERSHIPS_MAX = 100_000;

/** Takes the memberships of their own file, if there is one. Answers the lines that could not be taken. */
export async function readMemberships(reading: Reading): Promise<readonly CsvRecord[]> {
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

/** The members of each group; a group without any too. */
export function* membersOf({ members, groupIds, signal }: Reading): Generator<MembersPage> {
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

function* pagesOf(group: string, entries: readonly [string, string, string][]): Generator<MembersPage> {
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
