import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { sealAudit } from '#store/audit-chain.ts';
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
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  async function tick(): Promise<void> {
    try {
      const head = await sealAudit(db);
      if (head !== undefined) log.info({ link: head.link, hash: head.hash }, 'audit sealed');
    } catch (error) {
      if (!stopping.signal.aborted) log.error({ err: error }, 'audit not sealed');
    }
  }

  async function loop(): Promise<void> {
    for (;;) {
      await clock.sleep(EVERY_MS, stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await tick();
    }
  }

  return {
    start() {
      running ??= loop();
    },
    tick,
    async stop() {
      stopping.abort(new Error('the process stops'));
      await running;
    },
  };
}
