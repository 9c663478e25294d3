// What a target needs besides its deliveries: what it can do is asked for, what was learned is kept, and now and then everything is
// compared.
import { TargetError } from '#core/target.ts';
import { askForCutOnes } from '#store/target/reconciliations.ts';
import { changeTarget, type TargetRow } from '#store/target/targets.ts';
import { reconcile } from '../compare/reconcile.ts';
import type { Following } from './follow.ts';
import { HaltedError } from './halt.ts';
import type { Health } from './health.ts';
import type { Ready } from './send-due.ts';

export interface Upkeep {
  /** Answers whether the target may be sent to. */
  discover(row: TargetRow, ready: Ready): Promise<boolean>;
  keepLearned(row: TargetRow, ready: Ready): Promise<void>;
  /** Answers whether it did. `between` is called between two requests of it. @param between throws `HaltedError` to end it */
  reconcileWhenDue(row: TargetRow, ready: Ready, between: () => Promise<void>): Promise<boolean>;
}

const DISCOVER_EVERY_MS = 24 * 3_600_000;

export function makeUpkeep(following: Following, health: Health, signal: AbortSignal): Upkeep {
  const { clock, appId, write } = following;
  let isFirst = true;

  /** Answers whether the target may be sent to. */
  async function discover(row: TargetRow, { target }: Ready): Promise<boolean> {
    const at = row.capabilities_at?.getTime() ?? 0;
    if (clock.now().getTime() - at < DISCOVER_EVERY_MS) return true;
    try {
      const capabilities = await target.discover(signal);
      await write((tx) => changeTarget(tx, appId, { capabilities, capabilities_at: clock.now() }));
      return true;
    } catch (error) {
      if (!signal.aborted) await health.noteBad(unusable(error), { attempts: 1, maxAttempts: 2 });
      return false;
    }
  }

  async function keepLearned(row: TargetRow, { target }: Ready): Promise<void> {
    const learned = target.learned();
    if (JSON.stringify(learned) !== JSON.stringify(row.learned))
      await write((tx) => changeTarget(tx, appId, { learned }));
  }

  async function reconcileWhenDue(row: TargetRow, ready: Ready, between: () => Promise<void>): Promise<boolean> {
    // Of a process that was killed in the middle.
    if (isFirst) await write((tx) => askForCutOnes(tx, appId));
    isFirst = false;
    const { everyHours } = ready.policy.reconcile;
    const last = row.reconciled_at ?? row.created_at;
    const isDue = everyHours !== null && clock.now().getTime() - last.getTime() >= everyHours * 3_600_000;
    if (!row.reconcile_asked && !isDue) return false;
    const waitOut = async (asked: TargetError): Promise<void> => {
      await health.noteBad(asked, { attempts: 1, maxAttempts: 2 });
      await between();
    };
    try {
      await reconcile({ ...following, ...ready, cut: ready.world.cut, between, waitOut }, signal);
      return true;
    } catch (error) {
      if (!signal.aborted && !(error instanceof HaltedError))
        await health.noteBad(error, { attempts: 1, maxAttempts: 2 });
      return false;
    }
  }

  return { discover, keepLearned, reconcileWhenDue };
}

/** A target that fails at everything is as good as not there: it is left alone for a while. */
function unusable(error: unknown): unknown {
  if (!(error instanceof TargetError) || error.kind !== 'server') return error;
  const { message, reason, status, exchange } = error;
  return new TargetError(message, { kind: 'network', reason, status, exchange, cause: error });
}
