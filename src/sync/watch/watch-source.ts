// Marks the source of the active provider as changed, where its kind can tell without reading it: files that were
// uploaded, or put into a folder. What follows is what follows a notification (follow-marks.ts).
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { repeat } from '#platform/repeat.ts';
import type { Seal } from '#platform/seal.ts';
import type { Database } from '#store/database.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { readActiveProvider, readSetting, writeSetting } from '#store/source/settings.ts';
import { markSource } from '#store/source/source-marks.ts';
import { openSettings } from '../provider/settings.ts';

const LOOK_EVERY_MS = 30_000;

export interface SourceWatcher {
  start(): void;
  /** Looks once. Answers whether it marked the source. */
  look(): Promise<boolean>;
  stop(): Promise<void>;
}

interface Parts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
}

/** What was there at the last look. */
interface Seen {
  readonly version: string;
}

export function makeSourceWatcher({ database: { knex: db }, kinds, seal, clock, log }: Parts): SourceWatcher {
  async function look(): Promise<boolean> {
    const row = await readActiveProvider(db);
    const kind = row === undefined ? undefined : kinds.get(row.kind);
    if (row === undefined || kind?.version === undefined) return false;
    const version = await kind.version(openSettings(kind, row, seal));
    if (version === undefined) return false;
    const name = `source-version:${row.kind}`;
    const seen = await readSetting<Seen>(db, name);
    if (seen?.version === version) return false;
    await db.transaction(async (tx) => {
      // The first look only remembers: connecting has started a run by itself, or the settings say not to.
      if (seen !== undefined) await markSource(tx, row.kind);
      await writeSetting(tx, name, { version } satisfies Seen);
    });
    return seen !== undefined;
  }

  const repeated = repeat(clock, LOOK_EVERY_MS, () =>
    look().catch((error: unknown) => log.warn({ err: translateDatabaseError(error) }, 'source not looked at')),
  );
  return { start: repeated.start, look, stop: repeated.stop };
}
