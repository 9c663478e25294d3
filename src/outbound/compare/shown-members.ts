// Who is in a group at a target that lists groups without members, or leaves the attribute out where nobody is in one.
import { type Remote, shownMembers } from '#core/target.ts';

export interface ShownMembers {
  /** A page of groups as they are listed. */
  note(page: readonly Remote[]): void;
  /** Undefined where the target does not tell; a group that is listed without members is read by itself. */
  of(group: Remote): Promise<readonly string[] | undefined>;
}

/** A target that has shown members of nobody after so many groups that were read hides them. */
const BLANK_MOST = 5;

/** Of one comparison. What has no value may be left out (RFC 7643 section 2.5): where others are shown with members that is nobody. */
export function makeShownMembers(read: (id: string) => Promise<Remote | undefined>): ShownMembers {
  let isShowing = false;
  let blanks = 0;

  function see({ document }: Pick<Remote, 'document'>): readonly string[] | undefined {
    const members = shownMembers(document);
    isShowing ||= members !== undefined;
    return members;
  }

  return {
    note(page) {
      for (const group of page) see(group);
    },
    async of(group) {
      const listed = see(group);
      if (listed !== undefined || (!isShowing && blanks === BLANK_MOST)) return listed;
      const whole = await read(group.id);
      if (whole === undefined) return undefined;
      const members = see(whole);
      if (members === undefined) blanks += 1;
      return members ?? (isShowing ? [] : undefined);
    },
  };
}
