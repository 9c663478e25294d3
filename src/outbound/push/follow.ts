// How a target learns of what there is for it: from the journal, and by looking through the directory.
import { GoneError } from '#core/errors.ts';
import type { AppScope } from '#core/scope.ts';
import type { Clock } from '#platform/clock.ts';
import type { Db } from '#store/database.ts';
import { journalEnd, readChanges } from '#store/directory/changes.ts';
import { askForChanges, askForGone, askForStretch, type ScopeOf } from '#store/target/deliveries.ts';
import { type Backfill, changeTarget, type TargetRow } from '#store/target/targets.ts';
import { HaltedError } from './halt.ts';

export interface Following {
  readonly db: Db;
  readonly clock: Clock;
  readonly appId: string;
  /** A transaction that begins with the check that the target is still ours. */
  write<T>(work: (tx: Db) => Promise<T>, durability?: 'durable' | 'soon'): Promise<T>;
}

const JOURNAL_PAGE = 1_000;
/** Resources asked for in one transaction: keeps one under about 100 ms. */
const STRETCH = 2_000;
/** Resources looked at for those whose place in the scope has changed: most are passed over, and what the scope comes to is found out for each stretch. */
const SCOPE_STRETCH = 20_000;
const FROM_THE_START: Backfill = { mode: 'all', type: 'User', pos: '0' };
const MOVED_SCOPE: Backfill = { mode: 'scope', type: 'User', pos: '0' };

/** Asks for what the journal has, and answers whether it had anything. One that was trimmed meanwhile has everything looked through and compared instead. */
export async function followJournal(
  parts: Following,
  row: TargetRow,
  scope: ScopeOf,
  signal: AbortSignal,
): Promise<boolean> {
  const { db, write, appId } = parts;
  try {
    return await readOn(parts, row, scope, signal);
  } catch (error) {
    if (!(error instanceof GoneError)) throw error;
    const place = await journalEnd(db);
    await write((tx) => changeTarget(tx, appId, { place, backfill: FROM_THE_START, reconcile_asked: true }));
    return true;
  }
}

async function readOn({ db, clock, appId, write }: Following, row: TargetRow, scope: ScopeOf, signal: AbortSignal) {
  let { place } = row;
  let hasNews = place === null;
  if (place === null) {
    place = await journalEnd(db);
    const start = { place, backfill: row.backfill ?? FROM_THE_START };
    await write((tx) => changeTarget(tx, appId, start));
  }
  const isByGroup = (row.scope as AppScope | null)?.groups !== undefined;
  for (let more = true; more && !signal.aborted; ) {
    const page = await readChanges(db, place, JOURNAL_PAGE);
    const { changes, next } = page;
    if (changes.length === 0) break;
    hasNews = true;
    await write(async (tx) => {
      const stretch = { ids: changes.map((c) => c.resource_id), at: changes.map((c) => c.at), now: clock.now() };
      await askForChanges(tx, appId, scope, stretch);
      // Who is in the scope hangs on groups: a membership may have brought somebody in, or out.
      const hasMoved = isByGroup && changes.some((c) => c.resource_type === 'Group');
      await changeTarget(tx, appId, { place: next, ...(hasMoved && { scope_moved: true }) });
    });
    place = next;
    more = page.more;
  }
  return hasNews;
}

/**
 * One stretch of the directory. Answers whether there was one; one of settings that were changed since is not written, so
 * that what they ask for is looked through from its start.
 * @param scope the one of the row
 */
export async function lookThrough(
  { clock, appId, write }: Following,
  { backfill, scope_moved: hasMoved, config_version: configVersion }: TargetRow,
  scope: ScopeOf,
): Promise<boolean> {
  // One that is under way goes on to its end, however often the scope moves, so that nobody waits for it to stand still.
  const stretch = backfill ?? (hasMoved ? MOVED_SCOPE : null);
  if (stretch === null) return false;
  const { mode, type, pos } = stretch;
  const now = clock.now();
  await write(async (tx) => {
    const looks = mode === 'scope' ? SCOPE_STRETCH : STRETCH;
    const at = await askForStretch(tx, appId, scope, { mode, type, pos, looks, asks: STRETCH, now });
    const next = at === undefined ? followingType(stretch) : { mode, type, pos: at };
    if (next === null) await askForGone(tx, appId, now);
    const after = { backfill: next, ...(backfill === null && { scope_moved: false }) };
    if (!(await changeTarget(tx, appId, after, { configVersion }))) throw new HaltedError('the target was changed');
  }).catch((error: unknown) => {
    if (!(error instanceof HaltedError)) throw error;
  });
  return true;
}

function followingType({ mode, type }: Backfill): Backfill | null {
  return type === 'User' ? { mode, type: 'Group', pos: '0' } : null;
}
