import { UpstreamError } from '#core/errors.ts';
import type { Checkpoint, Page } from '#core/pages.ts';
import type { PullProvider } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Db } from '#store/database.ts';
import { beginGeneration, markSeen, noteGone, notePurged, readKnown, sweep, upsertRecords } from '#store/mirror.ts';
import { saveCheckpoint } from '#store/mirror-changes.ts';
import { noteAsked } from '#store/mirror-people.ts';
import { gatherMembers, type MemberGatherer, type MembersPage } from './gather-members.ts';
import { distinctRecords, normaliseAll } from './normalise.ts';
import type { RunContext } from './run.ts';

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
        const written = await read.end(page.checkpoint);
        await context.progress({ phase: 'reading', done: read.done(), total: read.done() });
        return written;
      }
      await context.progress({ phase: 'reading', done: read.done(), total: null });
    }
  } finally {
    await read.settled();
  }
  throw new UpstreamError('The provider stopped before the end of the read.', { failure: 'source-incomplete' });
}

/** One full read under way: its generation, what it has seen, and the memberships not yet written. */
class MirrorRead {
  private recordsDone = 0;
  private written = 0;
  private writing: Promise<void> = Promise.resolve();
  private readonly provider: PullProvider;
  private readonly context: RunContext;
  private generation = '0';
  private seen = 0;
  private readonly gatherer: MemberGatherer;
  /** Who can be restored, and whether that is all of them. */
  private readonly restorable = new Map<ResourceType, { readonly ids: string[]; readonly all: boolean }>();

  constructor(provider: PullProvider, context: RunContext) {
    this.provider = provider;
    this.context = context;
    this.gatherer = gatherMembers({
      provider: provider.kind,
      write: (work) => this.next(work),
      seen: async (tx, groups) => {
        this.seen += await markSeen(tx, this.generation, 'Members', groups);
      },
    });
  }

  done(): number {
    return this.recordsDone + this.gatherer.counts().groups;
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
    const records = await normaliseAll(this.context.db, this.provider, page.resourceType, changed);
    await this.next(async (tx) => {
      await upsertRecords(tx, kind, page.resourceType, records);
      this.seen += await markSeen(tx, this.generation, page.resourceType, ids);
      this.written += records.length;
    });
    this.recordsDone += sent.length;
  }

  async gone({ resourceType, objects, all = false }: Extract<Page, { type: 'gone' }>): Promise<void> {
    const restorable = this.restorable.get(resourceType) ?? { ids: [], all: false };
    restorable.ids.push(...objects.filter(({ how }) => how === 'softDeleted').map(({ externalId }) => externalId));
    this.restorable.set(resourceType, { ...restorable, all });
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
    await this.gatherer.add(page);
  }

  /** The mirror is whole with this transaction, and changes are read from the checkpoint on. */
  async end(checkpoint: Checkpoint | undefined): Promise<number> {
    await this.gatherer.end();
    await this.writing;
    const gone = await this.context.write(async (tx) => {
      const count = await sweep(tx, this.provider.kind, this.generation, this.seen);
      const { kind, asks } = this.provider;
      for (const [type, { ids, all }] of this.restorable) if (all) await notePurged(tx, kind, type, ids);
      await noteAsked(tx, kind, asks);
      await saveCheckpoint(tx, kind, checkpoint, this.context.configVersion);
      return count;
    });
    return this.written + this.gatherer.counts().changed + gone;
  }
}

function describePage(page: Page): object {
  if (page.type === 'records') return { page: page.resourceType, count: page.records.length };
  if (page.type === 'end') return { page: 'end' };
  if (page.type === 'gone') return { page: 'gone', count: page.objects.length };
  const { group, members, skipped, complete } = page;
  return { page: 'members', group, count: members.length, skipped: skipped.length, complete };
}
