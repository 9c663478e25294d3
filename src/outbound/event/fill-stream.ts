// Turns the change log into messages of one stream, a bounded number at a time, together with the place up to which it
// was read. A window of messages waits at most; what comes after it waits in the log, where it costs nothing.
import { randomUUID } from 'node:crypto';
import { GoneError } from '#core/errors.ts';
import type { ResourceEvent } from '#core/events.ts';
import { comparePlaces } from '#core/journal.ts';
import { dependsOnMembers } from '#core/scope.ts';
import type { Db } from '#store/database.ts';
import { type Change, type ChangePage, journalEnd, readChanges } from '#store/directory/changes.ts';
import { countPendingDeliveries, insertDeliveries } from '#store/event/event-deliveries.ts';
import {
  clearKnown,
  dropUnseen,
  fillKnownAt,
  findScopeDifferences,
  type KnownResource,
  noteKnown,
  readSubjects,
  type SubjectRow,
  takeHoldingGroups,
} from '#store/event/event-scope.ts';
import { noteProgress } from '#store/event/event-streams.ts';
import {
  actionOf,
  eventOfChange,
  eventOfDifference,
  eventOfHolding,
  messagesOf,
  type Telling,
} from './event-messages.ts';
import { isOutdated } from './fit-messages.ts';

/** Messages of a stream that wait at most. */
export const WINDOW = 1_000;
/** Changes in one transaction: some milliseconds. */
export const BATCH = 200;

export type Filled =
  /** Something was read, and there may be more. */
  | 'more'
  /** There is nothing to read, or no room. */
  | 'done'
  /** The log does not reach back to where the stream was. */
  | 'fell-behind';

/** One step, within a transaction that has locked the stream. */
export async function fillStream(tx: Db, telling: Telling, now: Date): Promise<Filled> {
  const { stream } = telling;
  if (isOutdated(stream)) {
    await beginScope(tx, telling);
    return 'more';
  }
  // A whole batch at a time: what a full window loses one by one is not filled up one by one.
  const room = WINDOW - (await countPendingDeliveries(tx, stream.id));
  if (room < BATCH) return 'done';
  if (stream.rescan) return tellDifferences(tx, telling, { room, now });
  const place = { xid: stream.place_xid, seq: stream.place_seq };
  const page = await readChanges(tx, place, BATCH).catch((error: unknown) => {
    if (error instanceof GoneError) return undefined;
    throw error;
  });
  if (page === undefined) return 'fell-behind';
  if (page.changes.length === 0) {
    await endSnapshot(tx, telling);
    return 'done';
  }
  if (needsScan(telling, page.changes)) {
    await noteProgress(tx, stream.id, { rescan: true });
    return 'more';
  }
  await tellChanges(tx, telling, page, now);
  return 'more';
}

/** The app's scope was changed: from now on the receiver is told by the new one, beginning with the difference. */
async function beginScope(tx: Db, { stream, view }: Telling): Promise<void> {
  const seesAll = view.visible === undefined;
  if (!stream.ledger && !seesAll) await fillKnownAt(tx, stream.id, { xid: stream.place_xid, seq: stream.place_seq });
  if (!seesAll) await dropUnseen(tx, stream.id, view.visible);
  const differs = stream.ledger || !seesAll;
  await noteProgress(tx, stream.id, { scope: stream.app_scope, ledger: differs, rescan: differs });
}

/** Whether a change may bring others in or out of scope than the one that was changed: a group does, with all that it is. */
function needsScan({ stream, view }: Telling, changes: readonly Change[]): boolean {
  if (view.visible === undefined || !dependsOnMembers(stream.app_scope)) return false;
  const scanned = { xid: stream.scanned_xid, seq: stream.scanned_seq };
  return changes.some((change) => change.resource_type === 'Group' && comparePlaces(change, scanned) > 0);
}

async function tellDifferences(tx: Db, telling: Telling, { room, now }: { room: number; now: Date }): Promise<Filled> {
  const { stream, view } = telling;
  const scanned = await journalEnd(tx);
  const place = { xid: stream.place_xid, seq: stream.place_seq };
  const differences = await findScopeDifferences(tx, { streamId: stream.id, place, visible: view.visible }, room);
  const transaction = randomUUID();
  const events: ResourceEvent[] = differences.map((one) => eventOfDifference(telling, one, transaction, now));
  const entering = differences.filter(({ enters }) => enters).map(({ id }) => id);
  events.push(...(await tellHolding(tx, telling, entering, { transaction, now })));
  await insertDeliveries(tx, stream.id, await messagesOf(tx, telling, events, now), now);
  await noteKnown(tx, stream.id, {
    known: differences
      .filter(({ enters }) => enters)
      .map(({ id, resource_type, version }) => ({ id, resource_type, version: version ?? '1' })),
    forgotten: differences.filter(({ enters }) => !enters).map(({ id }) => id),
  });
  if (differences.length < room) {
    const settling = view.visible === undefined;
    await noteProgress(tx, stream.id, { rescan: false, scanned, settling });
  }
  return 'more';
}

/** Who comes into scope is seen in their groups from then on, without a change of those. */
async function tellHolding(
  tx: Db,
  telling: Telling,
  entering: readonly string[],
  { transaction, now }: { readonly transaction: string; readonly now: Date },
): Promise<readonly ResourceEvent[]> {
  if (entering.length === 0) return [];
  const { stream, view } = telling;
  const place = { xid: stream.place_xid, seq: stream.place_seq };
  const groups = await takeHoldingGroups(tx, { streamId: stream.id, place, visible: view.visible }, entering);
  return groups.flatMap((group) => eventOfHolding(telling, group, transaction, now) ?? []);
}

/**
 * Once somebody who sees everybody has been told of everybody, nothing needs to be remembered, but that what was seen
 * then may come in the log later.
 */
async function endSnapshot(tx: Db, { stream, view }: Telling): Promise<void> {
  if (stream.settled !== true) return;
  if (view.visible === undefined) await clearKnown(tx, stream.id);
  await noteProgress(tx, stream.id, { settling: false, ...(view.visible === undefined ? { ledger: false } : {}) });
}

async function tellChanges(tx: Db, telling: Telling, page: ChangePage, now: Date): Promise<void> {
  const { stream, view } = telling;
  const ids = [...new Set(page.changes.map(({ resource_id }) => resource_id))];
  const place = stream.ledger ? { xid: stream.place_xid, seq: stream.place_seq } : undefined;
  const subjects = await readSubjects(tx, { streamId: stream.id, place, visible: view.visible }, ids);
  const ledger = stream.ledger ? makeLedger(subjects) : undefined;
  const events = page.changes.flatMap(
    (change) => eventOf(telling, change, subjects.get(change.resource_id), ledger) ?? [],
  );
  if (ledger !== undefined) {
    const { known } = ledger.changes();
    const entering = known.map(({ id }) => id);
    const transaction = events.at(-1)?.transaction ?? randomUUID();
    events.push(...(await tellHolding(tx, telling, entering, { transaction, now })));
  }
  await insertDeliveries(tx, stream.id, await messagesOf(tx, telling, events, now), now);
  if (ledger !== undefined) await noteKnown(tx, stream.id, ledger.changes());
  await noteProgress(tx, stream.id, { place: page.next });
}

interface Ledger {
  /** The version of which the receiver was told first. */
  known(id: string): string | null;
  learn(resource: KnownResource): void;
  forget(id: string): void;
  changes(): { known: readonly KnownResource[]; forgotten: readonly string[] };
}

/** Whom the receiver knows, while changes are told one after the other. */
function makeLedger(subjects: ReadonlyMap<string, SubjectRow>): Ledger {
  const learned = new Map<string, KnownResource>();
  const forgotten = new Set<string>();
  return {
    known: (id) => learned.get(id)?.version ?? (forgotten.has(id) ? null : (subjects.get(id)?.known ?? null)),
    learn(resource) {
      learned.set(resource.id, resource);
    },
    forget(id) {
      learned.delete(id);
      forgotten.add(id);
    },
    changes: () => ({ known: [...learned.values()], forgotten: [...forgotten].filter((id) => !learned.has(id)) }),
  };
}

function eventOf(
  telling: Telling,
  change: Change,
  subject: SubjectRow | undefined,
  ledger: Ledger | undefined,
): ResourceEvent | undefined {
  const id = change.resource_id;
  if (ledger === undefined) {
    const action = actionOf(change, { isKnown: true, isSeen: true, isThere: true });
    return action && eventOfChange(telling, change, action, subject);
  }
  const known = ledger.known(id);
  const isSeen = subject?.seen ?? false;
  if (known !== null && isSeen && BigInt(change.version) <= BigInt(known)) return undefined;
  const isThere = subject !== undefined && subject.body !== null;
  const action = actionOf(change, { isKnown: known !== null, isSeen, isThere });
  if (action === undefined) return undefined;
  if (!isSeen) ledger.forget(id);
  else if (known === null)
    ledger.learn({ id, resource_type: change.resource_type, version: subject?.version ?? change.version });
  return eventOfChange(telling, change, action, subject);
}
