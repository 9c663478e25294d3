// What changed since a checkpoint, into the mirror. Only what the provider names is touched: silence proves nothing here.
import { CheckpointExpiredError, UpstreamError } from '#core/errors.ts';
import type { ChangePage, ChangeReader, Checkpoint, MembersChange } from '#core/pages.ts';
import type { PullProvider } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import { upsertRecords } from '#store/mirror/mirror.ts';
import {
  addToGroups,
  changeMirrorMembers,
  forgetReturn,
  markGone,
  readCameBack,
  readStoredRecords,
  readWithoutMembers,
  type StoredRecord,
  saveCheckpoint,
  type Touching,
} from '#store/mirror/mirror-changes.ts';
import { touch } from '#store/mirror/touched.ts';
import { addUnread, type Ids, readUnread } from '#store/mirror/whole-read.ts';
import type { RunContext } from '../run.ts';
import { gatherMembers, type MemberGatherer, type MembersPage } from './gather-members.ts';
import { normaliseAll, type SentRecord, sentRecord } from './normalise.ts';

/** Those who came back whose links are asked for together. */
const RETURNED_AT_ONCE = 500;

/**
 * Reads what changed into the mirror, a transaction per page, and saves each checkpoint that is reached when all before
 * it is there. Stopped anywhere, the next read goes on from the last one; what comes twice changes nothing. Answers how
 * many records and groups were changed.
 * @throws {CheckpointExpiredError} the checkpoint is forgotten: only a full read helps
 * @throws {UpstreamError} and everything else that the provider throws
 */
export async function refreshChanges(
  provider: PullProvider,
  changes: ChangeReader,
  checkpoint: Checkpoint,
  context: RunContext,
): Promise<number> {
  const wholeGroups = gatherMembers({
    provider: provider.kind,
    write: (work) => context.write(work),
    touching: touchingOf(provider),
  });
  const idsOf = (): State['asked'] => ({ User: new Set(), Group: new Set() });
  const lists = { newGroups: new Map(), told: [], asked: idsOf(), unread: idsOf(), wholeGroups };
  const state: State = { provider, changes, context, done: 0, written: 0, pages: 0, ...lists };
  await context.progress({ phase: 'reading', done: 0, total: null });
  try {
    for await (const page of changes.pages(checkpoint, context.signal)) {
      context.log.debug(describePage(page), 'page of changes read');
      if (page.type === 'end' || page.type === 'reached') await reach(state, page.checkpoint);
      else await writePage(state, page);
      if (page.type === 'end') {
        await context.progress({ phase: 'reading', done: state.done, total: state.done });
        return state.written;
      }
      await context.progress({ phase: 'reading', done: state.done, total: null });
    }
  } catch (error) {
    if (error instanceof CheckpointExpiredError)
      await context.write((tx) => saveCheckpoint(tx, provider.kind, undefined, context.configVersion));
    throw error;
  }
  throw new UpstreamError('The provider stopped before the end of the changes.', { failure: 'source-incomplete' });
}

/** Where memberships decide who is in scope, whoever's changed is looked at again. */
function touchingOf({ memberships }: PullProvider): Touching {
  return { members: memberships !== undefined };
}

interface State {
  readonly provider: PullProvider;
  readonly changes: ChangeReader;
  readonly context: RunContext;
  done: number;
  written: number;
  /** Of records, that were read. */
  pages: number;
  /** Groups whose members nobody has read yet, by id. */
  readonly newGroups: Map<string, unknown>;
  /** What was told of groups whose members are not known, since the last place that was reached. */
  told: MembersChange[];
  /** Groups whose members came whole. */
  readonly wholeGroups: MemberGatherer;
  /** Those who came back whose links this read has asked for. */
  readonly asked: Readonly<Record<ResourceType, Set<string>>>;
  /** Who is new here, was told of in part, and could not be read by id: it may lag behind the changes. */
  readonly unread: Readonly<Record<ResourceType, Set<string>>>;
  /** Of such, whom a full read has not shown either before this read; asked for when it matters. */
  neverShown?: Ids;
}

/**
 * The mirror holds all that was told so far, and what that asks to be read besides: the next read goes on from here. Where
 * somebody was told of and not found, it reads everything, since they are not told of again; but not for whom a full read
 * since has not shown either.
 */
async function reach(state: State, checkpoint: Checkpoint): Promise<void> {
  const { provider, context, wholeGroups, unread } = state;
  const before = wholeGroups.counts().changed;
  await wholeGroups.end();
  state.written += wholeGroups.counts().changed - before;
  await readNewGroups(state);
  for (const type of ['User', 'Group'] as const) await readReturned(state, type);
  const count = unread.User.size + unread.Group.size;
  if (count > 0) state.neverShown ??= await readUnread(context.db, provider.kind);
  const User = [...unread.User.difference(new Set(state.neverShown?.User))];
  const Group = [...unread.Group.difference(new Set(state.neverShown?.Group))];
  const isNew = User.length + Group.length > 0;
  if (isNew) context.log.warn({ count }, 'told of and not found by id: the next read is a full one');
  else if (count > 0) context.log.warn({ count }, 'told of, and shown neither by id nor by a full read');
  await context.write(async (tx) => {
    if (isNew) await addUnread(tx, provider.kind, { User, Group });
    await saveCheckpoint(tx, provider.kind, isNew ? undefined : checkpoint, context.configVersion);
  });
}

async function writePage(state: State, page: Exclude<ChangePage, { type: 'end' | 'reached' }>): Promise<void> {
  const { provider, context } = state;
  if (page.type === 'records') return writeRecords(state, page.resourceType, page.records);
  if (page.type === 'gone') {
    for (const { externalId } of page.objects) {
      state.asked[page.resourceType].delete(externalId);
      state.unread[page.resourceType].delete(externalId);
      if (page.resourceType === 'Group') state.newGroups.delete(externalId);
    }
    if (page.resourceType === 'Group') forgetTold(state, new Set(page.objects.map(({ externalId }) => externalId)));
    state.written += await context.write((tx) =>
      markGone(tx, provider.kind, page.resourceType, page.objects, touchingOf(provider)),
    );
    state.done += page.objects.length;
    return;
  }
  if (page.type === 'members') {
    state.newGroups.delete(page.group);
    forgetTold(state, new Set([page.group]));
    await state.wholeGroups.add(page);
    if (page.complete) state.done += 1;
    return;
  }
  const groups = await context.write((tx) =>
    changeMirrorMembers(tx, provider.kind, page.changes, touchingOf(provider)),
  );
  state.written += groups.length;
  state.done += page.changes.length;
  await noteUnknown(state, page.changes);
}

/** A group whose members nobody knows, since it was not found when it was asked for them, is read whole now. */
async function noteUnknown(state: State, changes: readonly MembersChange[]): Promise<void> {
  const { context, provider, newGroups } = state;
  const names = [...new Set(changes.map(({ group }) => group))];
  const here = await readWithoutMembers(context.db, provider.kind, names);
  for (const [id, record] of here) if (record !== null && !newGroups.has(id)) newGroups.set(id, JSON.parse(record));
  state.told.push(...changes.filter(({ group }) => here.get(group) !== null));
}

function forgetTold(state: State, groups: ReadonlySet<string>): void {
  if (state.told.length > 0) state.told = state.told.filter(({ group }) => !groups.has(group));
}

async function writeRecords(state: State, type: ResourceType, sent: readonly unknown[]): Promise<void> {
  const { provider, changes, context } = state;
  state.pages += 1;
  const place = { run: context.runId, page: state.pages };
  const ids = [...new Set(sent.map((raw) => provider.externalId(raw)))];
  const known = await readStoredRecords(context.db, provider.kind, type, ids);
  const merged = new Map<string, unknown>();
  for (const raw of sent) {
    const id = provider.externalId(raw);
    const before = merged.get(id) ?? knownRecord(known.get(id));
    merged.set(id, changes.merge(before, raw));
  }
  await takeWhole(state, type, merged, (id) => known.get(id)?.gone !== false);
  const changed: SentRecord[] = [];
  for (const [id, raw] of merged) {
    const stored = known.get(id);
    if (type === 'Group' && stored?.has_members !== true) state.newGroups.set(id, raw);
    const record = sentRecord(provider, raw, context.salt);
    if (stored?.gone === false && stored.record_digest.equals(record.digest)) continue;
    changed.push(record);
  }
  const records = await normaliseAll(context.db, provider, type, changed);
  await context.write(async (tx) => {
    await upsertRecords(tx, provider.kind, type, records, place);
    const touched = records.map(({ external_id }) => external_id);
    await touch(tx, provider.kind, type, touched);
  });
  state.written += records.length;
  state.done += merged.size;
}

/** Puts the whole record in place of a change that tells a part of what is new here; whoever is not found is not written. */
async function takeWhole(
  { changes, context, unread }: State,
  type: ResourceType,
  merged: Map<string, unknown>,
  isNew: (id: string) => boolean,
): Promise<void> {
  for (const id of merged.keys()) unread[type].delete(id);
  if (changes.whole === undefined) return;
  const fresh = [...merged].filter(([id]) => isNew(id)).map(([, raw]) => raw);
  for (const [id, raw] of await changes.whole(type, fresh, context.signal)) {
    if (raw !== undefined) {
      merged.set(id, raw);
      continue;
    }
    merged.delete(id);
    unread[type].add(id);
  }
}

/** Whoever was gone comes back as a new instance: what was known of it says nothing any more. */
function knownRecord(stored: StoredRecord | undefined): unknown {
  return stored === undefined || stored.gone ? undefined : JSON.parse(stored.record);
}

/**
 * Groups that are new here, or in scope for the first time: what they have won is not all that they have. Their lists may
 * lag behind what was told of them, which is not told again; where lists are ahead, the next changes say so.
 */
async function readNewGroups(state: State): Promise<void> {
  const { provider, changes, context, newGroups, unread, told } = state;
  state.told = [];
  if (newGroups.size === 0) return;
  const gatherer = gatherMembers({
    provider: provider.kind,
    write: (work) => context.write(work),
    touching: touchingOf(provider),
  });
  for await (const page of changes.members([...newGroups.values()], context.signal)) {
    if (isNotFound(page)) unread.Group.add(page.group);
    else if (page.complete) unread.Group.delete(page.group);
    await gatherer.add(page);
  }
  await gatherer.end();
  newGroups.clear();
  state.written += gatherer.counts().changed;
  if (told.length === 0) return;
  await context.write((tx) => changeMirrorMembers(tx, provider.kind, told, touchingOf(provider)));
}

/** A group that there is not when it is asked for its members; one that hides them says so. */
function isNotFound({ hidden, skipped }: MembersPage): boolean {
  return hidden === true && skipped.length === 0;
}

/** Whoever is not to be found yet, or whose groups are not, is asked for again by the next read. */
async function readReturned(state: State, type: ResourceType): Promise<void> {
  const { provider, changes, context, asked } = state;
  if (changes.linksOf === undefined) return;
  const back = await readCameBack(context.db, provider.kind, type);
  const ids = back.filter((id) => !asked[type].has(id));
  for (let start = 0; start < ids.length; start += RETURNED_AT_ONCE) {
    const some = ids.slice(start, start + RETURNED_AT_ONCE);
    for (const id of some) asked[type].add(id);
    const links = await changes.linksOf(type, some, context.signal);
    await writeRecords(state, 'User', links.records);
    await context.write(async (tx) => {
      const settled: string[] = [];
      for (const [externalId, groups] of links.groups)
        if (await addToGroups(tx, provider.kind, { externalId, type }, groups, touchingOf(provider)))
          settled.push(externalId);
      await forgetReturn(tx, provider.kind, type, settled);
    });
  }
}

function describePage(page: ChangePage): object {
  if (page.type === 'records') return { page: page.resourceType, count: page.records.length };
  if (page.type === 'gone') return { page: `gone ${page.resourceType}`, count: page.objects.length };
  if (page.type === 'members') return { page: page.type, group: page.group, count: page.members.length };
  if (page.type === 'memberChanges') return { page: 'members', count: page.changes.length };
  return { page: page.type };
}
