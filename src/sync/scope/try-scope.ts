// How many a scope lets in, before it is saved: each user of the mirror through the new settings. Nothing is stored.
import { setImmediate as breathe } from 'node:timers/promises';
import type { PullProvider } from '#core/provider.ts';
import { describeReason } from '#core/reasons.ts';
import type { Db } from '#store/database.ts';
import { readAsked } from '#store/mirror/mirror-people.ts';
import { pageOfScoped, type ScopedRecord } from '#store/mirror/mirror-scope.ts';

export interface ScopeTry {
  /** False when the settings look at fields that the last read did not ask for: the figures are a guess until the next. */
  readonly complete: boolean;
  /** Users that the last read has shown, and who are not left out by the groups that are picked. */
  readonly total: number;
  readonly matching: number;
  /** In scope now, and not with these settings. */
  readonly leaving: number;
  /** Not in scope now, and with these settings. */
  readonly joining: number;
  readonly skipped: readonly { readonly reason: string; readonly sentence: string; readonly count: number }[];
}

const RECORDS_PER_PAGE = 1_000;
/** Left out by their groups, which only a plan can tell anew. */
const BY_GROUPS = new Set(['NotInSelectedGroup', 'NestedGroupIgnored']);

/**
 * Filters, domains and mapping are looked at; memberships stay as they were judged last.
 * @param left stops it between two pages, with its reason
 */
export async function tryScope(db: Db, provider: PullProvider, left?: AbortSignal): Promise<ScopeTry> {
  const counted = { total: 0, matching: 0, leaving: 0, joining: 0, reasons: new Map<string, number>() };
  for (let after = ''; ; ) {
    left?.throwIfAborted();
    const records = await pageOfScoped(db, provider.kind, { after, limit: RECORDS_PER_PAGE });
    for (const record of records) count(counted, provider, record);
    const last = records.at(-1);
    if (last === undefined || records.length < RECORDS_PER_PAGE) break;
    after = last.external_id;
    await breathe();
  }
  const { reasons, ...figures } = counted;
  const skipped = [...reasons].map(([reason, n]) => ({ reason, sentence: describeReason(reason).sentence, count: n }));
  const complete = provider.asks === undefined || (await readAsked(db, provider.kind)) === provider.asks;
  return { complete, ...figures, skipped: skipped.sort((a, b) => b.count - a.count) };
}

function count(
  counted: { total: number; matching: number; leaving: number; joining: number; reasons: Map<string, number> },
  provider: PullProvider,
  { record, in_scope, reason }: ScopedRecord,
): void {
  if (!in_scope && BY_GROUPS.has(reason ?? '')) return;
  counted.total += 1;
  const outcome = provider.normalise(JSON.parse(record), 'User');
  if ('resource' in outcome) {
    counted.matching += 1;
    if (!in_scope) counted.joining += 1;
    return;
  }
  if (in_scope) counted.leaving += 1;
  counted.reasons.set(outcome.skip, (counted.reasons.get(outcome.skip) ?? 0) + 1);
}
