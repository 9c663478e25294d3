import { digestOfSet } from '#core/digest.ts';
import { UpstreamError } from '#core/errors.ts';
import type { MemberRef, Page, PullProvider, SkippedObject } from '#core/provider.ts';
import type { Db } from '#store/database.ts';
import {
  beginGeneration,
  type GroupMembers,
  markSeen,
  noteGone,
  readKnown,
  readMembersDigests,
  replaceMembers,
  sweep,
  upsertRecords,
} from '#store/mirror.ts';
import { noteAsked } from '#store/mirror-people.ts';
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
 * Reads the provider into the mirror, a transaction per page; one page is written while the next is read. When it
 * returns, the read was complete and whatever the provider did not show is marked gone; when it throws, nothing was
 * marked gone, and no write is under way any more. Answers how many records were written.
 * @throws {UpstreamError} and everything else that the provider throws
 */
export async function refreshMirror(provider: PullProvider, context: RunContext): Promise<number> {
  const read = new MirrorRead(provider, context);
  await read.begin();
  await context.progress({ phase: 'reading', done: 0, total: null });
  try {
    for await (const page of provider.pages(context.signal)) {
      context.log.debug(describePage(page), 'page read');
      if (page.type === 'records') await read.records(page);
      else if (page.type === 'members') await read.members(page);
      else if (page.type === 'gone') await read.gone(page);
      else {
        const written = await read.end();
        await context.progress({ phase: 'reading', done: read.done, total: read.done });
        return written;
      }
      await context.progress({ phase: 'reading', done: read.done, total: null });
    }
  } finally {
    await read.settled();
  }
  throw new UpstreamError('The provider stopped before the end of the read.', { failure: 'source-incomplete' });
}

/** One full read under way: its generation, what it has seen, and the memberships not yet written. */
class MirrorRead {
  done = 0;
  private written = 0;
  private writing: Promise<void> = Promise.resolve();
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
    // Looked up and mapped while the page before is still being written. What that page writes may be missed here; then
    // it is written once more, in order, which changes nothing.
    const known = await readKnown(this.context.db, kind, page.resourceType, ids);
    const changed = sent.filter(({ externalId, digest }) => {
      const record = known.get(externalId);
      return record === undefined || record.gone_at !== null || !record.record_digest.equals(digest);
    });
    const records = changed.map((record) => normalise(this.provider, page.resourceType, record));
    await this.next(async (tx) => {
      await upsertRecords(tx, kind, page.resourceType, records);
      this.seen += await markSeen(tx, this.generation, page.resourceType, ids);
      this.written += records.length;
    });
    this.done += sent.length;
  }

  async gone({ resourceType, objects }: Extract<Page, { type: 'gone' }>): Promise<void> {
    await this.next((tx) => noteGone(tx, this.provider.kind, resourceType, objects));
  }

  /** Starts a write when the one before is done, and does not wait for it: there is never more than one. */
  private async next(work: (tx: Db) => Promise<void>): Promise<void> {
    await this.writing;
    this.writing = this.context.write(work);
    // Awaited at the next page or at the end; until then a failure must not count as unhandled.
    this.writing.catch(() => undefined);
  }

  /** Resolves when nothing is being written, however that ended. */
  async settled(): Promise<void> {
    await this.writing.catch(() => undefined);
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
    const digest = page.hidden === true ? null : membersDigest(members, skipped);
    this.ready.push({ group: page.group, digest, members: digest === null ? [] : members, skipped });
    this.readyMembers += members.length;
    if (this.readyMembers >= MEMBERS_PER_WRITE || this.ready.length >= GROUPS_PER_WRITE) await this.writeMembers();
  }

  async end(): Promise<number> {
    await this.writeMembers();
    await this.writing;
    if (this.open.size > 0)
      throw new UpstreamError(`The members of ${this.open.size} groups were not read to the end.`, {
        failure: 'source-incomplete',
      });
    const gone = await this.context.write(async (tx) => {
      await noteAsked(tx, this.provider.kind, this.provider.asks);
      return sweep(tx, this.provider.kind, this.generation, this.seen);
    });
    return this.written + gone;
  }

  private async writeMembers(): Promise<void> {
    const groups = this.ready;
    this.ready = [];
    this.readyMembers = 0;
    if (groups.length === 0) return;
    const { kind } = this.provider;
    await this.next(async (tx) => {
      const known = await readMembersDigests(
        tx,
        kind,
        groups.map(({ group }) => group),
      );
      const latest = new Map(groups.map((group) => [group.group, group]));
      const changed = [...latest.values()].filter(
        ({ group, digest }) => digest === null || known.get(group)?.equals(digest) !== true,
      );
      await replaceMembers(tx, kind, changed);
      this.written += changed.length;
    });
    this.done += groups.length;
  }
}

function describePage(page: Page): object {
  if (page.type === 'records') return { page: page.resourceType, count: page.records.length };
  if (page.type === 'end') return { page: 'end' };
  if (page.type === 'gone') return { page: 'gone', count: page.objects.length };
  const { group, members, skipped, complete } = page;
  return { page: 'members', group, count: members.length, skipped: skipped.length, complete };
}

function membersDigest(members: readonly MemberRef[], skipped: readonly SkippedObject[]): Buffer {
  return digestOfSet([
    ...members.map(({ type, externalId }) => `${type}:${externalId}`),
    ...skipped.map(({ externalId, reason }) => `-${reason}:${externalId}`),
  ]);
}
