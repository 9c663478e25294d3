// Who gets which user name in a plan. Whoever left gives it up; whoever stays keeps it, and then somebody new waits
// outside, while somebody who is here already is changed in everything else.
import { digestOf } from '#core/digest.ts';
import { nameKey, releasedName, waitingForNames } from '#core/names.ts';
import type { Db } from '#store/database.ts';
import {
  changeAfter,
  findNameClashes,
  holdName,
  type NameClash,
  type NameHolder,
  planNameRelease,
  skipItem,
} from '#store/plan/plan-names.ts';
import type { Planning } from '#store/plan/planning.ts';

export interface NamesSettled {
  /** How many items were added after `offset`. */
  readonly added: number;
  /** Those of the duplicates of whom the plan has an item. */
  readonly planned: ReadonlySet<string>;
}

/** @param duplicates records that lose their user name to another record */
export async function settleNames(
  tx: Db,
  planning: Planning,
  { duplicates, offset }: { readonly duplicates: readonly string[]; readonly offset: number },
): Promise<NamesSettled> {
  const twins = new Set(duplicates);
  const clashes = await findNameClashes(tx, planning, duplicates);
  const waiting = waitingForNames(
    clashes.map(({ seq, external_id, holder }) => ({
      id: seq,
      holder: holder?.seq ?? undefined,
      taken: twins.has(external_id) || (holder !== null && !mayYield(holder, planning)),
    })),
  );
  let added = 0;
  for (const clash of clashes)
    if (waiting.has(clash.seq)) await wait(tx, planning, clash, reasonOf(clash, twins));
    else if (clash.holder !== null) added += await release(tx, planning, clash.holder, offset + added);
  const planned = new Set(clashes.map(({ external_id }) => external_id).filter((id) => twins.has(id)));
  return { added, planned };
}

/** One that is renamed yields if it gets its new name, which `waitingForNames` finds out. */
function mayYield(holder: NameHolder, { provider }: Planning): boolean {
  const { origin, action, left } = holder;
  if (action === 'delete' || isRenamed(holder)) return true;
  return origin === provider && (action === 'deactivate' || (action === null && left));
}

function isRenamed({ action, body, after }: NameHolder): boolean {
  return action === 'update' && after !== null && nameOf(after) !== nameOf(body);
}

function nameOf(body: string): string {
  return nameKey(JSON.parse(body).userName);
}

function reasonOf({ external_id, holder }: NameClash, twins: ReadonlySet<string>): string {
  if (twins.has(external_id)) return 'DuplicateSourceEntries';
  return holder?.origin === 'manual' ? 'ManualOrigin' : 'DuplicateTargetEntries';
}

async function wait(tx: Db, { planId }: Planning, clash: NameClash, reason: string): Promise<void> {
  const detail = clash.holder === null ? `"${clash.name}"` : `"${clash.name}" of ${clash.holder.id}`;
  if (clash.stays && clash.before !== null) {
    const { userName } = JSON.parse(clash.before);
    const after = JSON.stringify({ ...JSON.parse(clash.after), userName });
    const digest = digestOf(after);
    if (!clash.same_manager || clash.written === null || !digest.equals(clash.written)) {
      await holdName(tx, planId, clash.seq, { after, digest, detail });
      return;
    }
  }
  await skipItem(tx, planId, clash.seq, { reason, detail });
}

/** Whoever left gives up the user name. Answers how many items it added. */
async function release(tx: Db, planning: Planning, holder: NameHolder, offset: number): Promise<number> {
  if (holder.action === 'delete' || isRenamed(holder)) return 0;
  const body = JSON.parse(holder.body);
  const label = releasedName(holder.external_id ?? holder.id, body.userName);
  const after = JSON.stringify({ ...body, userName: label, active: false });
  if (holder.seq === null) {
    await planNameRelease(tx, planning, { offset, holder, after, label });
    return 1;
  }
  await changeAfter(tx, planning.planId, holder.seq, after);
  return 0;
}
