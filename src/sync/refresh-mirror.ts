import { digestOfSet } from '#core/digest.ts';
import { UpstreamError } from '#core/errors.ts';
import type { MemberRef, Page, PullProvider, SkippedObject } from '#core/provider.ts';
import type { Db } from '#store/database.ts';
import {
  beginGeneration,
  type GroupMembers,
  markSeen,
  readKnown,
  readMembersDigests,
  replaceMembers,
  sweep,
  upsertRecords,
} from '#store/mirror.ts';
import { distinctRecords, normalise } from './normalise.ts';
import type { RunContext } from './run.ts';

/** Members that are gathered before they are written together: keeps a transaction short and the memory flat. */
const MEMBERS_PER_WRITE = 5_000;
const GROUPS_PER_WRITE = 100;

interface OpenGroup {
  readonly members: Map<string, MemberRef>;
  readonly skipped: SkippedObject[];
}

type MembersPage = Extract<Page, { type: 'members' }>;

/**
 * Reads the provider into the mirror, a transaction per page. When it returns, the read was complete and whatever the
 * provider did not show is marked gone; when it throws, nothing was marked gone.
 * @throws {UpstreamError} and everything else that the provider throws
 */
export async function refreshMirror(provider: PullProvider, context: RunContext): Promise<void> {
  const read = new MirrorRead(provider, context);
  await read.begin();
  for await (const page of provider.pages(context.signal)) {
    if (page.type === 'records') await read.records(page);
    else if (page.type === 'members') await read.members(page);
    else return read.end();
    await context.progress({ phase: 'reading', done: read.done, total: null });
  }
  throw new UpstreamError('The provider stopped before the end of the read.', { failure: 'source-incomplete' });
}

/** One full read under way: its generation, what it has seen, and the memberships not yet written. */
class MirrorRead {
  done = 0;
  private readonly provider: PullProvider;
  private readonly context: RunContext;
  private generation = '0';
  private seen = 0;
  private readonly open = new Map<string, OpenGroup>();
  private ready: GroupMembers[] = [];
  private readyMembers = 0;

  constructor(provider: PullProvider, context: RunContext) {
    this.provider = provider;
    this.context = context;
  }

  async begin(): Promise<void> {
    await this.context.write(async (tx) => {
      this.generation = await beginGeneration(tx, this.provider.kind);
    });
  }

  async records(page: Extract<Page, { type: 'records' }>): Promise<void> {
    const { kind } = this.provider;
    const sent = distinctRecords(this.provider, page.records, this.context.salt);
    if (sent.length === 0) return;
    const ids = sent.map(({ externalId }) => externalId);
    await this.context.write(async (tx) => {
      const known = await readKnown(tx, kind, page.resourceType, ids);
      const changed = sent.filter(({ externalId, digest }) => {
        const record = known.get(externalId);
        return record === undefined || record.gone_at !== null || !record.record_digest.equals(digest);
      });
      const records = changed.map((record) => normalise(this.provider, page.resourceType, record));
      await upsertRecords(tx, kind, page.resourceType, records);
      this.seen += await markSeen(tx, this.generation, page.resourceType, ids);
    });
    this.done += sent.length;
  }

  async members(page: MembersPage): Promise<void> {
    const group: OpenGroup = this.open.get(page.group) ?? { members: new Map(), skipped: [] };
    for (const member of page.members) group.members.set(member.externalId, member);
    group.skipped.push(...page.skipped);
    if (!page.complete) {
      this.open.set(page.group, group);
      return;
    }
    this.open.delete(page.group);
    const members = [...group.members.values()];
    const skipped = [...new Map(group.skipped.map((object) => [object.externalId, object])).values()];
    this.ready.push({ group: page.group, digest: membersDigest(members, skipped), members, skipped });
    this.readyMembers += members.length;
    if (this.readyMembers >= MEMBERS_PER_WRITE || this.ready.length >= GROUPS_PER_WRITE) await this.writeMembers();
  }

  async end(): Promise<void> {
    await this.writeMembers();
    if (this.open.size > 0)
      throw new UpstreamError(`The members of ${this.open.size} groups were not read to the end.`, {
        failure: 'source-incomplete',
      });
    await this.context.write((tx: Db) => sweep(tx, this.provider.kind, this.generation, this.seen));
  }

  private async writeMembers(): Promise<void> {
    const groups = this.ready;
    this.ready = [];
    this.readyMembers = 0;
    if (groups.length === 0) return;
    const { kind } = this.provider;
    await this.context.write(async (tx) => {
      const known = await readMembersDigests(
        tx,
        kind,
        groups.map(({ group }) => group),
      );
      const latest = new Map(groups.map((group) => [group.group, group]));
      const changed = [...latest.values()].filter(({ group, digest }) => known.get(group)?.equals(digest) !== true);
      await replaceMembers(tx, kind, changed);
    });
    this.done += groups.length;
  }
}

function membersDigest(members: readonly MemberRef[], skipped: readonly SkippedObject[]): Buffer {
  return digestOfSet([
    ...members.map(({ type, externalId }) => `${type}:${externalId}`),
    ...skipped.map(({ externalId, reason }) => `-${reason}:${externalId}`),
  ]);
}
