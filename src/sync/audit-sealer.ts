import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { repeat } from '#platform/repeat.ts';
import { sealAudit } from '#store/access/audit-chain.ts';
import type { Db } from '#store/database.ts';

/** How long an entry may stand outside the chain. */
const EVERY_MS = 60_000;

export interface AuditSealer {
  start(): void;
  /** Seals what is there. Never throws. */
  tick(): Promise<void>;
  stop(): Promise<void>;
}

/** Adds audit entries to their chain. Its end goes into the log, where whoever can change the database cannot change it. */
export function makeAuditSealer({ db, clock, log }: { db: Db; clock: Clock; log: Log }): AuditSealer {
  async function tick(): Promise<void> {
    try {
      const head = await sealAudit(db);
      if (head !== undefined) log.info({ link: head.link, hash: head.hash }, 'audit sealed');
    } catch (error) {
      if (!repeated.stopping.aborted) log.error({ err: error }, 'audit not sealed');
    }
  }

  const repeated = repeat(clock, EVERY_MS, tick);
  return { start: repeated.start, tick, stop: repeated.stop };
}
