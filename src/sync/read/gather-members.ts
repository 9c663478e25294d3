import { digestOfSet } from '#core/digest.ts';
import { UpstreamError } from '#core/errors.ts';
import type { MemberRef, Page, SkippedObject } from '#core/pages.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Db } from '#store/database.ts';
import { type GroupMembers, readMembersDigests, replaceMembers } from '#store/mirror/mirror.ts';
import { touch } from '#store/mirror/touched.ts';

/** Members that are gathered before they are written together: keeps a transaction short and the memory flat. */
const MEMBERS_PER_WRITE = 5_000;
const GROUPS_PER_WRITE = 100;

export type MembersPage = Extract<Page, { type: 'members' }>;

export interface Gathering {
  readonly provider: ProviderKindName;
  /** Carries out one write; may return before it is done. */
  write(work: (tx: Db) => Promise<void>): Promise<void>;
  /** What is touched in the same transaction: groups that have other members than before, and users who came or went. */
  readonly touching?: { readonly members: boolean };
  /** What the mirror holds of each group's members, where that is known here; it is kept so. Otherwise the mirror is asked. */
  readonly digests?: Map<string, Buffer>;
  /** Groups that differ from what the mirror holds, as they shall be written. Without it, as they were read. */
  readonly confirm?: (groups: readonly GroupMembers[]) => Promise<readonly GroupMembers[]>;
}

/** Memberships that come group by group, in pages, gathered and written whole. */
export interface MemberGatherer {
  add(page: MembersPage): Promise<void>;
  /** Writes what is left. @throws {UpstreamError} `source-incomplete`: a group was not read to its end */
  end(): Promise<void>;
  /** Groups handed to a write so far, and those of them that were different. */
  counts(): { readonly groups: number; readonly changed: number };
}

export function gatherMembers({
  provider,
  write,
  touching,
  digests,
  confirm = async (groups) => groups,
}: Gathering): MemberGatherer {
  const open = new Map<string, { members: Map<string, MemberRef>; skipped: SkippedObject[] }>();
  let ready: GroupMembers[] = [];
  let readyMembers = 0;
  const counts = { groups: 0, changed: 0 };

  async function flush(): Promise<void> {
    const groups = [...new Map(ready.map((group) => [group.group, group])).values()];
    counts.groups += ready.length;
    ready = [];
    readyMembers = 0;
    if (groups.length === 0) return;
    if (digests === undefined) {
      const names = groups.map(({ group }) => group);
      await write(async (tx) => writeGroups(tx, differing(groups, await readMembersDigests(tx, provider, names))));
      return;
    }
    const changed = differing(await confirm(differing(groups, digests)), digests);
    for (const { group, digest } of changed)
      if (digest === null) digests.delete(group);
      else digests.set(group, digest);
    if (changed.length > 0) await write((tx) => writeGroups(tx, changed));
  }

  async function writeGroups(tx: Db, groups: readonly GroupMembers[]): Promise<void> {
    await replaceMembers(tx, provider, groups, touching?.members === true);
    const names = groups.map(({ group }) => group);
    if (touching !== undefined) await touch(tx, provider, 'Group', names);
    counts.changed += groups.length;
  }

  return {
    async add(page) {
      const group = open.get(page.group) ?? { members: new Map<string, MemberRef>(), skipped: [] };
      for (const member of page.members) group.members.set(member.externalId, member);
      group.skipped.push(...page.skipped);
      if (!page.complete) {
        open.set(page.group, group);
        return;
      }
      open.delete(page.group);
      const whole = groupMembersOf(page.group, [...group.members.values()], group.skipped);
      ready.push(page.hidden === true ? { ...whole, digest: null, members: [] } : whole);
      readyMembers += whole.members.length;
      if (readyMembers >= MEMBERS_PER_WRITE || ready.length >= GROUPS_PER_WRITE) await flush();
    },
    async end() {
      await flush();
      if (open.size > 0)
        throw new UpstreamError(`The members of ${open.size} groups were not read to the end.`, {
          failure: 'source-incomplete',
        });
    },
    counts: () => counts,
  };
}

/** A whole membership, everybody once; of two that speak of the same object the later counts. */
export function groupMembersOf(
  group: string,
  listed: readonly MemberRef[],
  left: readonly SkippedObject[],
): GroupMembers {
  const members = [...new Map(listed.map((member) => [member.externalId, member])).values()];
  const skipped = [...new Map(left.map((object) => [object.externalId, object])).values()];
  return { group, digest: membersDigest(members, skipped), members, skipped };
}

/** Those of whom the mirror holds other members, and those whose members are not known. */
function differing(groups: readonly GroupMembers[], held: ReadonlyMap<string, Buffer>): readonly GroupMembers[] {
  return groups.filter(({ group, digest }) => digest === null || held.get(group)?.equals(digest) !== true);
}

function membersDigest(members: readonly MemberRef[], skipped: readonly SkippedObject[]): Buffer {
  return digestOfSet([
    ...members.map(({ type, externalId }) => `${type}:${externalId}`),
    ...skipped.map(({ externalId, reason }) => `-${reason}:${externalId}`),
  ]);
}
