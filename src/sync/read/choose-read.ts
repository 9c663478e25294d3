import { CheckpointExpiredError } from '#core/errors.ts';
import type { ChangeReader, Checkpoint } from '#core/pages.ts';
import type { PullProvider } from '#core/provider.ts';
import { readCheckpoint } from '#store/mirror/mirror-changes.ts';
import { type RunRow, widenRun } from '#store/run/runs.ts';
import type { RunContext } from '../run.ts';
import { reevaluateMirror } from '../scope/reevaluate-mirror.ts';
import { refreshChanges } from './refresh-changes.ts';

/** Why a run that was asked for changes reads everything. */
export type ModeReason =
  | 'changes-not-supported'
  | 'no-checkpoint'
  | 'checkpoint-expired'
  | 'settings-changed'
  | 'account-mapping-reset';

export interface ChangesFrom {
  readonly changes: ChangeReader;
  readonly checkpoint: Checkpoint;
}

/** Where a read of changes goes on. Undefined when everything is to be read; a run that asked for changes then says why. */
export async function findCheckpoint(
  context: RunContext,
  provider: PullProvider,
  run: RunRow,
): Promise<ChangesFrom | undefined> {
  if (run.mode === 'full') return undefined;
  const { changes } = provider;
  const found = await readCheckpoint(context.db, context.provider);
  if (changes === undefined) return widen(context, 'changes-not-supported');
  if (run.options.resetAccountMapping !== false) return widen(context, 'account-mapping-reset');
  if (found === undefined) return widen(context, 'no-checkpoint');
  // Other settings ask for other properties, or want other records: changes alone would leave the rest as it was.
  // Where they do neither, those at hand are looked at anew, and the source is asked for changes only.
  if (found.configVersion !== context.configVersion && (await reevaluateMirror(context, provider)) === undefined)
    return widen(context, 'settings-changed');
  return { changes, checkpoint: found.checkpoint };
}

/** Reads what changed, and answers how much that was; undefined when the provider no longer knows where we left off. */
export async function readChanges(
  context: RunContext,
  provider: PullProvider,
  { changes, checkpoint }: ChangesFrom,
): Promise<number | undefined> {
  try {
    return await refreshChanges(provider, changes, checkpoint, context);
  } catch (error) {
    if (!(error instanceof CheckpointExpiredError)) throw error;
    return widen(context, 'checkpoint-expired');
  }
}

async function widen(context: RunContext, reason: ModeReason): Promise<undefined> {
  context.log.info({ reason }, 'everything is read');
  await context.write((tx) => widenRun(tx, context.runId, reason));
}
