import { digestOfSet } from '#core/digest.ts';
import { UpstreamError } from '#core/errors.ts';
import type { MemberRef, Page, SkippedObject } from '#core/pages.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Db } from '#store/database.ts';
import { type GroupMembers, readMembersDigests, replaceMembers } from '#store/mirror.ts';
import { touch } from '#store/touched.ts';

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
  /** Told of all groups of a write, in its transaction. */
  seen?(tx: Db, groups: readonly string[]): Promise<void>;
}

/** Memberships that come group by group, in pages, gathered and written whole. */
export interface MemberGatherer {
  add(page: MembersPage): Promise<void>;
  /** Writes what is left. @throws {UpstreamError} `source-incomplete`: a group was not read to its end */
  end(): Promise<void>;
  /** Groups handed to a write so far, and those of them that were different. */
  counts(): { readonly groups: number; readonly changed: number };
}

export function gatherMembers({ provider, write, touching, seen }: Gathering): MemberGatherer {
  const open = new Map<string, { members: Map<string, MemberRef>; skipped: SkippedObject[] }>();
  let ready: GroupMembers[] = [];
  let readyMembers = 0;
  const counts = { groups: 0, changed: 0 };

  async function flush(): Promise<void> {
    const groups = ready;
    ready = [];
    readyMembers = 0;
    if (groups.length === 0) return;
    await write(async (tx) => {
      const latest = new Map(groups.map((group) => [group.group, group]));
      const known = await readMembersDigests(tx, provider, [...latest.keys()]);
      const changed = [...latest.values()].filter(
        ({ group, digest }) => digest === null || known.get(group)?.equals(digest) !== true,
      );
      await replaceMembers(tx, provider, changed, touching?.members === true);
      if (touching !== undefined)
        await touch(
          tx,
          provider,
          'Group',
          changed.map(({ group }) => group),
        );
      await seen?.(tx, [...latest.keys()]);
      counts.changed += changed.length;
    });
    counts.groups += groups.length;
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
      const members = [...group.members.values()];
      const skipped = [...new Map(group.skipped.map((object) => [object.externalId, object])).values()];
      const digest = page.hidden === true ? null : membersDigest(members, skipped);
      ready.push({ group: page.group, digest, members: digest === null ? [] : members, skipped });
      readyMembers += members.length;
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

function membersDigest(members: readonly MemberRef[], skipped: readonly SkippedObject[]): Buffer {
  return digestOfSet([
    ...members.map(({ type, externalId }) => `${type}:${externalId}`),
    ...skipped.map(({ externalId, reason }) => `-${reason}:${externalId}`),
  ]);
}
