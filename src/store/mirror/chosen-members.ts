import { matches } from '#core/filter.ts';
import { isUuid } from '#core/ids.ts';
import type { ChosenMembers, NamedMembers } from '#core/patch.ts';
import { byPlace, placeOf, refuse } from '#core/patch-filter.ts';
import { PatchWork } from '#core/patch-work.ts';
import { type Db, sql } from '../database.ts';

interface MemberRow {
  readonly value: string;
  readonly type: string;
  readonly display: string;
  readonly $ref: string;
}

/**
 * The members of one group as the filters of one PATCH look at them: read once, and again when somebody has come. For
 * filters other than by id, which hardly anybody sends.
 */
export interface MemberLook {
  /**
   * Of the members that there are now, those to be removed, by our ids.
   * @throws {InputError} `mutability`, `noTarget`: they are to be changed, which no member can be
   * @throws {TooLargeError} the PATCH has compared too many
   */
  choose(change: ChosenMembers): Promise<readonly string[]>;
  /** To be told of every change of the rows meanwhile. */
  note(added: readonly string[], removed: readonly string[]): void;
  /** To be told of a change that is done only after all looks, which see the members as it will leave them. */
  expect(change: NamedMembers): void;
}

export function makeMemberLook(tx: Db, groupId: string): MemberLook {
  const work = new PatchWork();
  let known: readonly MemberRow[] | undefined;
  let expected: NamedMembers[] = [];
  return {
    async choose({ kind, filter }) {
      known = await afterwards(tx, known ?? (await readMembers(tx, groupId)), expected);
      expected = [];
      work.compare(known, filter);
      const places = byPlace(filter);
      const chosen = known.filter((row) => matches(places, row, 'members')).map(({ value }) => value);
      if (kind === 'removeWhere') return chosen;
      throw chosen.length === 0
        ? refuse('noTarget', 'No value of "members" matches the path.')
        : refuse('mutability', 'A member cannot be changed; remove it and add another.');
    },
    note(added, removed) {
      if (known === undefined || added.length + removed.length === 0) return;
      const gone = new Set(removed);
      known = added.length > 0 ? undefined : known.filter(({ value }) => !gone.has(value));
    },
    expect(change) {
      expected.push(change);
    },
  };
}

/** The members when changes of them will have been done. Whom there is not is none. */
async function afterwards(
  tx: Db,
  rows: readonly MemberRow[],
  changes: readonly NamedMembers[],
): Promise<readonly MemberRow[]> {
  if (changes.length === 0) return rows;
  const members = new Map(rows.map((row) => [row.value, row]));
  const coming = changes.flatMap((change) => (change.kind === 'remove' ? [] : uuidsOf(change)));
  const others = await readResources(tx, [...new Set(coming.filter((id) => !members.has(id)))]);
  const all = new Map([...members, ...others.map((row) => [row.value, row] as const)]);
  for (const change of changes) {
    if (change.kind === 'replace') members.clear();
    for (const id of uuidsOf(change)) {
      const row = all.get(id);
      if (change.kind === 'remove') members.delete(id);
      else if (row !== undefined) members.set(id, row);
    }
  }
  return [...members.values()];
}

function uuidsOf({ ids }: NamedMembers): readonly string[] {
  return ids.filter(isUuid).map((id) => id.toLowerCase());
}

async function readMembers(tx: Db, groupId: string): Promise<readonly MemberRow[]> {
  const { rows } = await sql<Omit<MemberRow, '$ref'>>(
    tx,
    `select gm.member_id as value, gm.member_type as type, r.display from group_members gm
     join resources r on r.id = gm.member_id where gm.group_id = ?::uuid`,
    [groupId],
  );
  return rows.map(withPlace);
}

async function readResources(tx: Db, ids: readonly string[]): Promise<readonly MemberRow[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<Omit<MemberRow, '$ref'>>(
    tx,
    `select id as value, resource_type as type, display from resources
     where id = any(?::uuid[]) and deleted_at is null`,
    [ids],
  );
  return rows.map(withPlace);
}

function withPlace(row: Omit<MemberRow, '$ref'>): MemberRow {
  return { ...row, $ref: placeOf(row) };
}
