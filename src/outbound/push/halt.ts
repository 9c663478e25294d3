// Whether a target may go on being written to, looked at beside the work: a person may pause it, or change its settings.
import { type Db, sql } from '#store/database.ts';
import type { TargetRow } from '#store/target/targets.ts';

export interface Halt {
  isHalted(): boolean;
  /** Looks now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** What was under way was given up for that. */
export class HaltedError extends Error {}

/** So much goes out yet after a pause. */
const LOOK_MS = 250;

/** Halted once the target is not active any more, or has other settings than these. */
export function watchForHalt(db: Db, { app_id: appId, config_version: version }: TargetRow): Halt {
  let isHalted = false;
  let looking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    const text = `select 1 from targets where app_id = ? and state = 'active' and config_version = ?`;
    const { rows } = await sql(db, text, [appId, version]);
    if (rows.length === 0) isHalted = true;
  }

  function look(): Promise<void> {
    looking ??= ask().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  // What the database says of a failure, whoever claims next is told as well.
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  timer.unref();

  return {
    isHalted: () => isHalted,
    look,
    async close() {
      clearInterval(timer);
      await looking?.catch(() => undefined);
    },
  };
}
