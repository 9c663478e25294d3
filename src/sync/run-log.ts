import { type Log, tapLog } from '#platform/log.ts';
import { makeMask } from '#platform/mask.ts';
import type { Db } from '#store/database.ts';
import { appendRunLog, runLogSize } from '#store/run/run-logs.ts';

/** Kept of one run's log in all: its beginning, and its last lines, which say how it ended. In characters. */
const HEAD_MAX = 3 * 1024 * 1024;
const TAIL_MAX = 512 * 1024;
/** Written together: a row for each line would cost more than the line. */
const PIECE = 64 * 1024;
/** A line is cut after this: no single one may push out the others. */
const LINE_MAX = 16 * 1024;

export interface RunLog {
  readonly log: Log;
  /** From now on these values are masked too. */
  hide(secrets: Iterable<string>): void;
  /** Writes what is left. Call it once, outside a transaction. */
  close(): Promise<void>;
}

/**
 * Keeps the log of one run from a level on, with its secrets masked and its size bounded. Writing it never fails or
 * delays the run: what cannot be stored is lost, and said so in the log of the process.
 */
export async function keepRunLog(db: Db, log: Log, { id, level }: { id: string; level: string }): Promise<RunLog> {
  let mask = makeMask([]);
  let head = await runLogSize(db, id);
  let piece: string[] = [];
  let pieceSize = 0;
  const tail: string[] = [];
  let tailSize = 0;
  let dropped = 0;
  let writing: Promise<void> = Promise.resolve();

  function take(line: string): void {
    const kept = line.length > LINE_MAX ? JSON.stringify({ msg: 'line too long', characters: line.length }) : line;
    const size = kept.length + 1;
    if (tail.length === 0 && head + size <= HEAD_MAX) {
      head += size;
      piece.push(kept);
      pieceSize += size;
      if (pieceSize >= PIECE) flush();
      return;
    }
    tail.push(kept);
    tailSize += size;
    while (tailSize > TAIL_MAX) {
      tailSize -= (tail.shift()?.length ?? 0) + 1;
      dropped += 1;
    }
  }

  function flush(): void {
    if (piece.length === 0) return;
    const lines = `${piece.join('\n')}\n`;
    piece = [];
    pieceSize = 0;
    writing = writing
      .then(() => appendRunLog(db, id, lines))
      .catch((error: unknown) => log.warn({ err: error }, 'run log not stored'));
  }

  return {
    log: tapLog(log, { level, mask: (text) => mask(text), take }),
    hide(secrets) {
      mask = makeMask(secrets);
    },
    async close() {
      if (dropped > 0) piece.push(JSON.stringify({ level: 40, msg: 'lines left out', count: dropped }));
      piece.push(...tail);
      flush();
      await writing;
    },
  };
}
