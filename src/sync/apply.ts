import { digestOf } from '#core/digest.ts';
import { managerOf, withManager } from '#core/manager.ts';
import { type NameWish, nameKey, refusedNames } from '#core/names.ts';
import { isSourceForm } from '#core/plan.ts';
import type { Origin, ProviderKindName, UserResource } from '#core/resource.ts';
import { searchForm } from '#core/search.ts';
import type { Db } from '#store/database.ts';
import { appendChanges, type NewChange } from '#store/directory/changes.ts';
import { applyMemberSlice, endOfSlice, type MemberCursor, settleMemberships } from '#store/directory/memberships.ts';
import {
  type Bereaved,
  holdDeletions,
  type LockedResource,
  leaveGroups,
  lockResources,
  type ResourceWrite,
  readHolders,
  type Touched,
  tombstone,
  writeResources,
} from '#store/directory/resources.ts';
import { sampleDirectory } from '#store/plan/planning.ts';
import {
  countPending,
  nextItems,
  type PlanItem,
  pendingItemsOf,
  resolveUsers,
  type Settled,
  settleItems,
} from '#store/plan/plans.ts';
import { freeLinks, hasLinks, type LinkedRow, linkKey, readLinkHolders } from '#store/target/link-holders.ts';
import { STATISTICS_AFTER } from './plan/make-plan.ts';
import type { RunContext } from './run.ts';

/** Objects per transaction: keeps one under about 200 ms, so that readers on embedded storage hardly wait. */
const CHUNK = 500;
/** Memberships per transaction, for the same reason. */
const MEMBER_SLICE = 20_000;

interface Applying {
  readonly planId: string;
  readonly provider: ProviderKindName;
  readonly runId: string;
  /** Whether it changes any link. */
  readonly relinks: boolean;
}

/**
 * Applies what a plan does not hold, in its order, in chunks of one transaction each: directory rows, change log and
 * outcomes together. Stopped anywhere, the rest is still pending and is applied by calling it again. Answers how many
 * items it settled.
 * @throws {LeaseLostError} somebody else has taken over
 */
export async function applyPlan(context: RunContext, planId: string): Promise<number> {
  const relinks = await hasLinks(context.db, planId);
  const plan: Applying = { planId, provider: context.provider, runId: context.runId, relinks };
  const total = await countPending(context.db, planId);
  if (total > 0) await context.progress({ phase: 'applying', done: 0, total });
  const upcoming = readAhead(context.db, planId);
  let done = 0;
  try {
    for (let chunk = await upcoming.next(); chunk.length > 0; chunk = await upcoming.next()) {
      const memberships = chunk[0]?.action === 'membership';
      if (memberships) {
        if (done > STATISTICS_AFTER) await sampleDirectory(context.db);
        done += await applyMemberships(context, plan);
      } else {
        const items = await context.write((tx) => applyChunk(tx, plan, chunk));
        upcoming.skip(items.slice(chunk.length));
        // Of a directory that is being filled the planner knows nothing, and takes any index for as good as the right one.
        if (done === 0 && total > STATISTICS_AFTER) await sampleDirectory(context.db);
        done += items.length;
      }
      context.log.debug({ done, total, step: memberships ? 'memberships' : 'chunk' }, 'items applied');
      await context.progress({ phase: 'applying', done, total });
    }
    return done;
  } finally {
    await upcoming.settled();
  }
}

/** A plan item with its resource read once, and the user name it will need. */
interface Prepared extends PlanItem {
  readonly resource: UserResource | undefined;
  readonly wantedName: string | undefined;
}

/** The pending items of a plan, in order and in chunks: one is read and parsed while the one before is written. */
interface Upcoming {
  /** Membership items alone, once, which stand for all of them; else none of them. Empty at the end. */
  next(): Promise<readonly Prepared[]>;
  /** These are settled before their turn. */
  skip(items: readonly PlanItem[]): void;
  /** Resolves when nothing is being read, however that ended. */
  settled(): Promise<void>;
}

function readAhead(db: Db, planId: string): Upcoming {
  const early = new Set<string>();
  let membershipsTold = false;
  let reading = read('0');

  function read(after: string): Promise<readonly Prepared[]> {
    const items = nextItems(db, planId, after, CHUNK).then((next) => next.map(prepare));
    // Awaited when it is needed; until then a failure must not count as unhandled.
    items.catch(() => undefined);
    return items;
  }

  return {
    async next() {
      for (;;) {
        const items = await reading;
        const last = items.at(-1);
        if (last === undefined) return [];
        const left = items.filter((item) => !early.delete(item.seq) && !(membershipsTold && isMembership(item)));
        const memberships = left[0] !== undefined && isMembership(left[0]);
        const turn = left.findIndex((item) => isMembership(item) !== memberships);
        const chunk = turn === -1 ? left : left.slice(0, turn);
        membershipsTold ||= memberships;
        reading = read(turn === -1 ? last.seq : (chunk.at(-1)?.seq ?? last.seq));
        if (chunk.length > 0) return chunk;
      }
    },
    skip(items) {
      for (const { seq } of items) early.add(seq);
    },
    settled: () =>
      reading.then(
        () => undefined,
        () => undefined,
      ),
  };
}

function prepare(item: PlanItem): Prepared {
  const resource: UserResource | undefined = item.after === null ? undefined : JSON.parse(item.after);
  const person = item.resource_type === 'User' && resource !== undefined;
  return { ...item, resource, wantedName: person ? nameKey(resource.userName) : undefined };
}

function isMembership({ action }: PlanItem): boolean {
  return action === 'membership';
}

/** One chunk, and whoever must go with it. Answers what it settled. */
async function applyChunk(tx: Db, plan: Applying, chunk: readonly Prepared[]): Promise<readonly Prepared[]> {
  const items = await withHolders(tx, plan, chunk);
  await applyItems(tx, plan, items);
  return items;
}

/** Adds the items of those who hold a name, or a link, that this chunk needs and give it up later in the plan. */
async function withHolders(tx: Db, plan: Applying, first: readonly Prepared[]): Promise<readonly Prepared[]> {
  let items = first;
  for (;;) {
    const ids = new Set(items.map((item) => item.resource_id));
    const holders = [await readHolders(tx, wantedNames(items)), await holdersOfLinks(tx, plan, items)];
    const outside = holders.flatMap((of) => [...of.values()]).filter((id) => !ids.has(id));
    if (outside.length === 0) return items;
    const more = await pendingItemsOf(tx, plan.planId, outside);
    if (more.length === 0) return items;
    items = [...items, ...more.map(prepare)];
  }
}

/** Who has a link now that one of these items makes. */
async function holdersOfLinks(
  tx: Db,
  { relinks }: Applying,
  items: readonly Prepared[],
): Promise<ReadonlyMap<string, string>> {
  return relinks
    ? readLinkHolders(
        tx,
        items.flatMap((item) => wantedLink(item) ?? []),
      )
    : new Map();
}

/** Undefined for an item that leaves the link as it is. */
function wantedLink(item: PlanItem): LinkedRow | undefined {
  const { resource_id: id, resource_type, after_origin: origin, after_external_id: external_id } = item;
  return origin === null ? undefined : { id, resource_type, origin, external_id };
}

function wantedNames(items: readonly Prepared[]): string[] {
  return items.flatMap(({ wantedName }) => wantedName ?? []);
}

async function applyItems(tx: Db, plan: Applying, items: readonly Prepared[]): Promise<void> {
  const locked = await lockResources(
    tx,
    items.map((item) => item.resource_id),
  );
  const outcomes: Settled[] = [];
  const fresh = items.filter((item) => {
    const stale = isStale(item, locked.get(item.resource_id));
    if (stale) outcomes.push({ seq: item.seq, outcome: 'stale', error: 'StalePlan' });
    return !stale;
  });
  const wishes = fresh
    .filter((item) => item.resource_type === 'User')
    .map((item) => ({ id: item.resource_id, to: item.wantedName }));
  const refused = new Set([
    ...refusedNames(wishes, await readHolders(tx, wantedNames(fresh))),
    ...refusedNames(linkWishes(fresh), await holdersOfLinks(tx, plan, fresh)),
  ]);
  const accepted = fresh.filter((item) => {
    if (refused.has(item.resource_id)) outcomes.push({ seq: item.seq, outcome: 'conflict', error: 'TargetConflict' });
    return !refused.has(item.resource_id);
  });
  const versions = new Map(await writeUpserts(tx, plan, accepted, locked));
  const leavers = accepted.filter((item) => item.action === 'deactivate').map(leavingOf);
  await appendLosses(tx, plan, await leaveGroups(tx, plan.planId, leavers, plan.provider));
  const deleted = accepted.filter((item) => item.action === 'delete');
  for (const { id, version } of await writeDeletes(tx, plan, deleted)) versions.set(id, version);
  for (const { seq, resource_id } of accepted)
    outcomes.push({ seq, outcome: 'applied', version: versions.get(resource_id) });
  await settleItems(tx, plan.planId, outcomes);
}

/** Links are exchanged like names: whoever is deleted, or gets another one, gives the old one up. */
function linkWishes(items: readonly Prepared[]): NameWish[] {
  return items.flatMap((item) => {
    const link = wantedLink(item);
    if (link === undefined && item.action !== 'delete') return [];
    return [{ id: item.resource_id, to: link === undefined ? undefined : linkKey(link) }];
  });
}

/** Changed since the plan was made. A group that only lost or won members meanwhile is as it was planned. */
function isStale(item: PlanItem, row: LockedResource | undefined): boolean {
  if (item.action === 'create') return row !== undefined && !row.deleted;
  return row === undefined || row.deleted || (row.version !== item.base_version && row.body !== item.before);
}

async function writeUpserts(
  tx: Db,
  plan: Applying,
  items: readonly Prepared[],
  locked: ReadonlyMap<string, LockedResource>,
): Promise<ReadonlyMap<string, string>> {
  const managers = items.flatMap((item) => (isSourceForm(item) ? (managerOf(item.resource) ?? []) : []));
  const ids = await resolveUsers(tx, plan.planId, plan.provider, [...new Set(managers)]);
  const writes = items.flatMap((item) =>
    item.resource === undefined
      ? []
      : [{ item, row: toWrite(plan, item, item.resource, { ids, locked: locked.get(item.resource_id) }) }],
  );
  const rows = writes.map(({ row }) => row);
  if (plan.relinks) await freeLinks(tx, rows);
  const versions = await writeResources(tx, rows);
  const changes = writes.map(({ item, row }): NewChange => {
    const before = locked.get(row.id);
    const existed = before !== undefined && !before.deleted;
    const disables = existed && !row.active && isActive(before.body);
    return {
      resource_type: row.resource_type,
      resource_id: row.id,
      version: versions.get(row.id) ?? '1',
      operation: disables || item.action === 'deactivate' ? 'deactivate' : existed ? 'update' : 'create',
      detail: existed ? { attributes: changedAttributes(before.body, row.body) } : undefined,
    };
  });
  await appendChanges(tx, changes, { actor: 'sync', runId: plan.runId });
  return versions;
}

function toWrite(
  plan: Applying,
  item: PlanItem,
  resource: UserResource,
  { ids, locked }: { readonly ids: ReadonlyMap<string, string>; readonly locked: LockedResource | undefined },
): ResourceWrite {
  const sourceForm = isSourceForm(item);
  const isUser = item.resource_type === 'User';
  const named = managerOf(resource);
  // The directory's own form has our id in it.
  const managerId = named === undefined || !sourceForm ? named : ids.get(named);
  const served = sourceForm ? withManager(resource, managerId) : resource;
  const name = isUser ? served.userName : (served.displayName ?? '');
  return {
    id: item.resource_id,
    resource_type: item.resource_type,
    origin: item.after_origin ?? ownerOf(plan, item, locked),
    external_id: item.after_origin === null ? item.external_id : item.after_external_id,
    name_key: nameKey(name),
    display: served.displayName ?? name,
    unique_key: isUser ? nameKey(name) : null,
    active: !isUser || served.active,
    body: served === resource && item.after !== null ? item.after : JSON.stringify(served),
    search: searchForm(served),
    digest: sourceForm && !isMadeByRule(item) ? digestIn(item) : null,
    manager_external_id: sourceForm ? (named ?? null) : null,
    manager_id: managerId ?? null,
    left: keepsLeft(item) ? item.after_left_at !== null : !sourceForm,
    left_since: item.after_left_at?.toISOString() ?? null,
  };
}

/** It says itself when the person had left: an undoing, and the end of a link that takes nothing else away. */
function keepsLeft({ action, reason }: PlanItem): boolean {
  return reason === 'Reverted' || reason === 'Restored' || (reason === 'LinkLost' && action === 'update');
}

/** Whoever is left over, or put back, stays whose they are. */
function ownerOf(plan: Applying, item: PlanItem, locked: LockedResource | undefined): Origin {
  if (isMadeByRule(item)) return 'manual';
  const stays = ['LeftOver', 'Reverted', 'Restored'].includes(item.reason);
  return (stays ? locked?.origin : undefined) ?? plan.provider;
}

/** A group that a rule names belongs to nobody's provider, as if an administrator had made it. */
function isMadeByRule({ reason }: PlanItem): boolean {
  return reason === 'DestinationMade';
}

function digestIn({ after, after_digest }: PlanItem): Buffer {
  return after_digest ?? digestOf(after ?? '');
}

function isActive(body: string): boolean {
  return (JSON.parse(body) as { active?: unknown }).active !== false;
}

function changedAttributes(before: string, after: string): string[] {
  const old: Record<string, unknown> = JSON.parse(before);
  const now: Record<string, unknown> = JSON.parse(after);
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...names].filter((name) => JSON.stringify(old[name]) !== JSON.stringify(now[name])).sort();
}

async function writeDeletes(tx: Db, plan: Applying, items: readonly PlanItem[]): Promise<readonly Touched[]> {
  const types = new Map(items.map((item) => [item.resource_id, item.resource_type]));
  const { gone, groups } = await tombstone(tx, plan.planId, items.map(leavingOf));
  await appendLosses(tx, plan, groups);
  const changes = gone.map(({ id, version }) => ({
    resource_type: types.get(id) ?? ('User' as const),
    resource_id: id,
    version,
    operation: 'delete' as const,
  }));
  await appendChanges(tx, changes, { actor: 'sync', runId: plan.runId });
  return gone;
}

function leavingOf({ seq, resource_id }: PlanItem): { seq: string; id: string } {
  return { seq, id: resource_id };
}

async function appendLosses(tx: Db, plan: Applying, groups: readonly Bereaved[]): Promise<void> {
  const changes = groups.map(({ id, version, removed }) => membershipChange(id, version, { removed }));
  await appendChanges(tx, changes, { actor: 'sync', runId: plan.runId });
}

function membershipChange(id: string, version: string, detail: Record<string, number>): NewChange {
  return { resource_type: 'Group', resource_id: id, version, operation: 'membership', detail };
}

/** All membership items, in slices of rows whatever their groups. Answers how many items it settled. */
async function applyMemberships(context: RunContext, plan: Applying): Promise<number> {
  let from: MemberCursor = { seq: '0', member: '' };
  let settled = 0;
  for (;;) {
    const [to, ended] = await context.write(async (tx) => {
      await holdDeletions(tx);
      const end = await endOfSlice(tx, plan.planId, from, MEMBER_SLICE);
      const groups = await applyMemberSlice(tx, plan, from, end);
      const changes = groups.map(({ id, version, added, removed }) =>
        membershipChange(id, version, { added, removed }),
      );
      await appendChanges(tx, changes, { actor: 'sync', runId: plan.runId });
      return [end, await settleMemberships(tx, plan.planId, { from: from.seq, before: end?.seq })] as const;
    });
    settled += ended;
    if (to === undefined) return settled;
    from = to;
    await context.progress({ phase: 'applying', done: settled, total: null });
  }
}
