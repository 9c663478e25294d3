import type { PullProvider } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import { type MirrorRecord, upsertRecords } from '#store/mirror/mirror.ts';
import { type KeptRecord, moveCheckpoint, readAsked, readKept } from '#store/mirror/mirror-people.ts';
import { touch } from '#store/mirror/touched.ts';
import { normaliseAll, sentRecord } from '../read/normalise.ts';
import type { RunContext } from '../run.ts';

/** Records that are looked at together: keeps a transaction short and the memory flat. */
const PAGE = 500;

/**
 * Looks at every record at hand with other settings, without asking the source, and writes what comes out differently.
 * Answers how many did; undefined when the settings ask the source for something else than the last whole read did, so
 * that only another one is right.
 */
export async function reevaluateMirror(context: RunContext, provider: PullProvider): Promise<number | undefined> {
  const { db } = context;
  if (provider.asks === undefined || (await readAsked(db, provider.kind)) !== provider.asks) return undefined;
  let changed = 0;
  for (const type of ['User', 'Group'] as const)
    for (let after = ''; ; ) {
      const kept = await readKept(db, provider.kind, type, { after, limit: PAGE });
      const last = kept.at(-1);
      if (last === undefined) break;
      after = last.external_id;
      changed += await reevaluatePage(context, provider, type, kept);
      await context.progress({ phase: 'reading', done: changed, total: null });
    }
  await context.write((tx) => moveCheckpoint(tx, provider.kind, context.configVersion));
  context.log.info({ count: changed }, 'records at hand looked at anew');
  return changed;
}

async function reevaluatePage(
  context: RunContext,
  provider: PullProvider,
  type: ResourceType,
  kept: readonly KeptRecord[],
): Promise<number> {
  const sent = kept.map(({ record }) => sentRecord(provider, JSON.parse(record), context.salt));
  const records = await normaliseAll(context.db, provider, type, sent);
  const changed = records.filter((record, index) => differs(record, kept[index]));
  if (changed.length === 0) return 0;
  await context.write(async (tx) => {
    await upsertRecords(tx, provider.kind, type, changed);
    const ids = changed.map(({ external_id }) => external_id);
    await touch(tx, provider.kind, type, ids);
  });
  return changed.length;
}

function differs(record: MirrorRecord, kept: KeptRecord | undefined): boolean {
  return (
    kept === undefined ||
    !isSameDigest(record.digest, kept.digest) ||
    record.reason !== kept.reason ||
    record.detail !== kept.detail ||
    record.handles.join('\n') !== kept.handles.join('\n')
  );
}

function isSameDigest(one: Buffer | null, other: Buffer | null): boolean {
  return one === null || other === null ? one === other : one.equals(other);
}
