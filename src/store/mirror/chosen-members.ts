import { matches } from '#core/filter.ts';
import type { ChosenMembers } from '#core/patch.ts';
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
}

export function makeMemberLook(tx: Db, groupId: string): MemberLook {
  const work = new PatchWork();
  let known: readonly MemberRow[] | undefined;
  return {
    async choose({ kind, filter }) {
      known ??= await readMembers(tx, groupId);
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
  };
}

async function readMembers(tx: Db, groupId: string): Promise<readonly MemberRow[]> {
  const { rows } = await sql<Omit<MemberRow, '$ref'>>(
    tx,
    `select gm.member_id as value, gm.member_type as type, r.display from group_members gm
     join resources r on r.id = gm.member_id where gm.group_id = ?::uuid`,
    [groupId],
  );
  return rows.map((row) => ({ ...row, $ref: placeOf(row) }));
}
