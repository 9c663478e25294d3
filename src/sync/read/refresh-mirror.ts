import { GatewayError, UpstreamError } from '#core/errors.ts';
import type { Checkpoint, MemberRef, Page, SecondLook } from '#core/pages.ts';
import type { PullProvider } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Db } from '#store/database.ts';
import { findPurged, noteGone, notePurged, upsertRecords } from '#store/mirror/mirror.ts';
import { changeMirrorMembers, saveCheckpoint } from '#store/mirror/mirror-changes.ts';
import { noteAsked } from '#store/mirror/mirror-people.ts';
import { touchAll } from '#store/mirror/touched.ts';
import {
  addUnlisted,
  endWholeRead,
  forgetUnread,
  noteUnfinished,
  noteUnlisted,
  readHeld,
  readUnlisted,
  type Unseen,
} from '#store/mirror/whole-read.ts';
import type { RunContext } from '../run.ts';
import { confirmLosses } from './confirm-losses.ts';
import { gatherMembers, type MemberGatherer, type MembersPage } from './gather-members.ts';
import { KnownRecords } from './known-records.ts';
import { type Movers, makeMovers } from './movers.ts';
import { distinctRecords, normaliseAll } from './normalise.ts';
import { proveAbsence, stillThere } from './prove-absence.ts';

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

/** Of those who seem to be gone for good so many are asked for with one read; the rest waits for the next. */
const PURGED_ASKED_MAX = 2_000;
/** Of those who came back so many are asked for their links by the next read of changes. */
const RETURNED_MAX = 2_000;

/** One full read under way: what the mirror held and was seen, and what is not yet written. */
class MirrorRead {
  private recordsDone = 0;
  private pages = 0;
  private written = 0;
  private writing: Promise<void> = Promise.resolve();
  private readonly provider: PullProvider;
  private readonly context: RunContext;
  private readonly known = { User: new KnownRecords(), Group: new KnownRecords() };
  /** Of the members of groups, as the mirror holds them. */
  private readonly digests = new Map<string, Buffer>();
  /** Groups whose members were read. */
  private readonly asked = new Set<string>();
  private holding: Promise<void> = Promise.resolve();
  private readonly gatherer: MemberGatherer;
  /** Who can be restored, and whether that is all of them. */
  private readonly restorable = new Map<ResourceType, { readonly ids: string[]; readonly all: boolean }>();
  /** Who is there, by id, and in no list of this read. */
  private readonly unlisted: Record<ResourceType, readonly string[]> = { User: [], Group: [] };
  /** Who was in no list of an earlier read either, and was there by id. */
  private unlistedBefore: Record<ResourceType, ReadonlySet<string>> = { User: new Set(), Group: new Set() };
  /** Whether all people and groups had been shown when the first members were. */
  private peopleFirst: boolean | undefined;
  /** Who has left groups that decide who is in scope; absent where none do, or their members cannot be asked. */
  private readonly movers: Movers | undefined;

  constructor(provider: PullProvider, context: RunContext) {
    this.provider = provider;
    this.context = context;
    const { kind, secondLook: look, memberships } = provider;
    const { db, signal } = context;
    const { showsAll, groupsOf } = look ?? {};
    this.movers = showsAll && groupsOf && memberships ? makeMovers(groupsOf) : undefined;
    const onLoss = this.movers?.note;
    const isShown = ({ type, externalId }: MemberRef): boolean =>
      this.peopleFirst !== true ||
      (this.known[type].isSeen(externalId) && !this.known[type].isReturned(externalId)) ||
      this.unlistedBefore[type].has(externalId);
    const isHere = ({ type, externalId }: MemberRef): boolean => this.known[type].isHere(externalId);
    const isThere = (member: MemberRef): boolean => isHere(member) && isShown(member);
    const isUnproven = (member: MemberRef): boolean => isHere(member) && !isShown(member);
    this.gatherer = gatherMembers({
      provider: kind,
      write: (work) => this.next(work),
      digests: this.digests,
      ...(look && {
        confirm: (groups) =>
          confirmLosses({ db, provider: kind, look, signal, isThere, isUnproven, ...(onLoss && { onLoss }) }, groups),
      }),
    });
  }

  done(): number {
    return this.recordsDone + this.gatherer.counts().groups;
  }

  /** Nobody else writes the mirror while this process has the lease, so what it holds is read once. */
  async begin(): Promise<void> {
    await this.context.write((tx) => touchAll(tx, this.provider.kind));
    this.holding = this.hold();
    // Awaited with the first page; until then a failure must not count as unhandled.
    this.holding.catch(() => undefined);
  }

  private async hold(): Promise<void> {
    const { kind: provider } = this.provider;
    const { User, Group } = await readUnlisted(this.context.db, provider);
    this.unlistedBefore = { User: new Set(User), Group: new Set(Group) };
    for (const type of ['User', 'Group'] as const)
      await readHeld(this.context.db, { provider, type }, (records) => {
        this.known[type].hold(records);
        for (const { external_id, members_digest } of records)
          if (members_digest !== null) this.digests.set(external_id, members_digest);
      });
  }

  async records(page: Extract<Page, { type: 'records' }>): Promise<void> {
    await this.holding;
    this.pages += 1;
    if (this.pages === 1) await this.next((tx) => noteUnfinished(tx, this.provider.kind));
    const place = { run: this.context.runId, page: this.pages };
    const { kind } = this.provider;
    const known = this.known[page.resourceType];
    const shown = await this.withoutLeavers(page);
    const changed = distinctRecords(this.provider, shown, this.context.salt, ({ externalId, digest }) => {
      this.recordsDone += 1;
      return known.see(externalId, digest);
    });
    if (changed.length === 0) return;
    // Mapped while the page before is still being written.
    const records = await normaliseAll(this.context.db, this.provider, page.resourceType, changed);
    await this.next(async (tx) => {
      await upsertRecords(tx, kind, page.resourceType, records, place);
      this.written += records.length;
    });
  }

  /** A list may lag: whoever went a short time ago and is in it comes back only if they are really there. */
  private async withoutLeavers({
    resourceType,
    records,
  }: Extract<Page, { type: 'records' }>): Promise<readonly unknown[]> {
    const { provider, context } = this;
    const { secondLook: look } = provider;
    if (look === undefined) return records;
    const ids = records
      .map((raw) => provider.externalId(raw))
      .filter((id) => this.known[resourceType].isGoneLately(id));
    if (ids.length === 0) return records;
    const told = await look.isThere(resourceType, [...new Set(ids)], context.signal);
    return records.filter((raw) => told.get(provider.externalId(raw)) !== false);
  }

  async gone({ resourceType, objects, all = false }: Extract<Page, { type: 'gone' }>): Promise<void> {
    const restorable = this.restorable.get(resourceType) ?? { ids: [], all: false };
    restorable.ids.push(...objects.filter(({ how }) => how === 'softDeleted').map(({ externalId }) => externalId));
    this.restorable.set(resourceType, { ...restorable, all });
    if (objects.length > 0) await this.next((tx) => noteGone(tx, this.provider.kind, resourceType, objects));
  }

  /** Starts a write when the one before is done, and does not wait for it: there is never more than one. */
  private async next(work: (tx: Db) => Promise<void>): Promise<void> {
    await this.writing;
    this.writing = this.context.write(work);
    // Awaited at the next page or at the end; until then a failure must not count as unhandled.
    this.writing.catch(() => undefined);
  }

  /** Resolves when nothing is being read from the mirror or written to it, however that ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.holding, this.writing]);
  }

  async members(page: MembersPage): Promise<void> {
    await this.holding;
    this.peopleFirst ??= this.known.User.seen() > 0;
    if (page.complete) this.asked.add(page.group);
    await this.gatherer.add(page);
  }

  private unseen(): Pick<Unseen, 'records' | 'members'> {
    const { User, Group } = this.known;
    const members = [...this.digests.keys()].filter((group) => !this.asked.has(group) || !Group.isSeen(group));
    return { records: { User: User.unseen(), Group: Group.unseen() }, members };
  }

  /** Those who came back, while they are few: more would take the next read long, and mostly were not restored just now. */
  private returned(type: ResourceType): readonly string[] {
    const ids = this.known[type].returned();
    return ids.length > RETURNED_MAX ? [] : ids;
  }

  /** @throws {UpstreamError} `list-short` */
  private async proveAll(look: SecondLook): Promise<void> {
    const short = [await this.prove(look, 'User'), await this.prove(look, 'Group')].find((one) => one !== undefined);
    if (short === undefined) return;
    await this.context.write((tx) => addUnlisted(tx, this.provider.kind, this.unlisted));
    throw short;
  }

  /**
   * Whoever was not shown, and is not in the recycle bin, is asked for. Where that bin could not be read, those who are
   * not there any more count as restorable, the gentler of the two. Answers why nothing is proven, where it is so.
   * @throws {UpstreamError} `list-short`
   */
  private async prove(look: SecondLook, type: ResourceType): Promise<UpstreamError | undefined> {
    const known = this.known[type];
    const bin = this.restorable.get(type) ?? { ids: [], all: false };
    const deleted = new Set(bin.ids);
    const unseen = known.unseen().filter((id) => !deleted.has(id));
    const absence = { type, unseen, shown: known.seen() };
    const { gone, there } = await proveAbsence(look, absence, this.context.signal);
    if (there.length > 0 && !(await this.takeUnlisted(look, type, there))) return stillThere(type, there.length);
    if (bin.all || gone.length === 0) return undefined;
    const objects = gone.map((externalId) => ({ externalId, how: 'softDeleted' as const }));
    await this.next((tx) => noteGone(tx, this.provider.kind, type, objects));
    return undefined;
  }

  /**
   * Some objects are in no list ever. Whom a list has left out since the last read that was whole, or then, is read by id;
   * whoever all of them had shows that this list was short. Answers whether all were read.
   */
  private async takeUnlisted(look: SecondLook, type: ResourceType, there: readonly string[]): Promise<boolean> {
    const { signal, log } = this.context;
    this.unlisted[type] = there;
    const before = this.unlistedBefore[type];
    if (look.read === undefined || !there.every((id) => before.has(id))) return false;
    try {
      for await (const page of look.read(type, there, signal))
        await (page.type === 'records' ? this.records(page) : this.members(page));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof GatewayError) return false;
      throw error;
    }
    log.warn({ type, count: there.length }, 'read by id, since no list shows them');
    return true;
  }

  /** Whoever moved to another group while both were read is in it. */
  private async takeMovers(): Promise<void> {
    const found = (await this.movers?.find(this.context.signal)) ?? [];
    // Everybody is compared after a full read.
    const touching = { members: false };
    if (found.length > 0)
      await this.next(async (tx) => void (await changeMirrorMembers(tx, this.provider.kind, found, touching)));
  }

  /** Everybody who can be restored; also whom the list of them does not show, and who is in it when asked for by id. */
  private async restorableOf(type: ResourceType, listed: readonly string[]): Promise<readonly string[]> {
    const { kind, secondLook: look } = this.provider;
    if (look === undefined) return listed;
    const purged = await findPurged(this.context.db, kind, type, listed);
    const asked = purged.slice(0, PURGED_ASKED_MAX);
    try {
      const told = await look.isRestorable(asked, this.context.signal);
      return [...listed, ...purged.filter((id, index) => index >= asked.length || told.get(id) === true)];
    } catch (error) {
      this.context.signal.throwIfAborted();
      if (!(error instanceof GatewayError)) throw error;
      return [...listed, ...purged];
    }
  }

  /** The mirror is whole with this transaction, and changes are read from the checkpoint on. */
  async end(checkpoint: Checkpoint | undefined): Promise<number> {
    await this.holding;
    const { secondLook: look } = this.provider;
    if (look?.showsAll === true) await this.proveAll(look);
    await this.gatherer.end();
    await this.takeMovers();
    await this.writing;
    const restorable = new Map<ResourceType, readonly string[]>();
    for (const [type, { ids, all }] of this.restorable)
      if (all) restorable.set(type, await this.restorableOf(type, ids));
    const gone = await this.context.write(async (tx) => {
      const { kind, asks } = this.provider;
      const returned = { User: this.returned('User'), Group: this.returned('Group') };
      const count = await endWholeRead(tx, kind, { ...this.unseen(), returned });
      for (const [type, ids] of restorable) await notePurged(tx, kind, type, ids);
      await noteAsked(tx, kind, asks);
      await noteUnlisted(tx, kind, this.unlisted);
      await forgetUnread(tx, kind, (type, id) => this.known[type].isSeen(id));
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
