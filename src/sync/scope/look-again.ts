// A run of a provider that writes to us: nothing is read; what it wrote is looked at once more with the settings of now.

import { digestOf } from '#core/digest.ts';
import type { PullProvider } from '#core/provider.ts';
import { pageOfRecords, upsertRecords } from '#store/mirror/mirror.ts';
import { normalise } from '../read/normalise.ts';
import type { RunContext } from '../run.ts';

/** Records per transaction: keeps one short, and the memory flat. */
const PAGE = 500;

/**
 * Scope and mapping over all records that are not gone. Nothing is proven absent by it: of what the provider has not
 * written, it has said nothing. Answers how many records were written.
 */
export async function lookAgain(provider: PullProvider, context: RunContext): Promise<number> {
  let written = 0;
  let done = 0;
  await context.progress({ phase: 'reading', done, total: null });
  for (const type of ['User', 'Group'] as const) {
    let after = '';
    for (;;) {
      const page = await pageOfRecords(context.db, provider.kind, type, { after, limit: PAGE });
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.external_id;
      const changed = page.filter(
        ({ record, record_digest }) => !digestOf(context.salt + record).equals(record_digest),
      );
      written += await context.write(async (tx) => {
        // One that was written meanwhile is as new as the settings already.
        const still = await pageOfRecords(tx, provider.kind, type, { only: changed.map((one) => one.external_id) });
        const records = still.map(({ external_id, record }) =>
          normalise(provider, type, {
            externalId: external_id,
            raw: JSON.parse(record),
            text: record,
            digest: digestOf(context.salt + record),
          }),
        );
        await upsertRecords(tx, provider.kind, type, records);
        return records.length;
      });
      done += page.length;
      await context.progress({ phase: 'reading', done, total: null });
    }
  }
  await context.progress({ phase: 'reading', done, total: done });
  return written;
}
