// Starts a run when the source of the active provider has changed, where its kind can tell without reading it: files that
// were uploaded, or put into a folder. The schedule goes on beside it.
import { ConflictError } from '#core/errors.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { Seal } from '#platform/seal.ts';
import type { Database } from '#store/database.ts';
import { readActiveProvider, readSetting, writeSetting } from '#store/settings.ts';
import type { SyncService } from './service.ts';
import { openSettings } from './settings.ts';

const LOOK_EVERY_MS = 30_000;

export interface SourceWatcher {
  start(): void;
  /** Looks once. Answers whether it started a run. */
  look(): Promise<boolean>;
  stop(): Promise<void>;
}

interface Parts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
  readonly sync: Pick<SyncService, 'start'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What was there when a run was last started for it. */
interface Seen {
  readonly version: string;
}

export function makeSourceWatcher({ database: { knex: db }, kinds, seal, sync, clock, log }: Parts): SourceWatcher {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  async function look(): Promise<boolean> {
    const row = await readActiveProvider(db);
    const kind = row === undefined ? undefined : kinds.get(row.kind);
    if (row === undefined || kind?.version === undefined) return false;
    const version = await kind.version(openSettings(kind, row, seal));
    if (version === undefined) return false;
    const name = `source-version:${row.kind}`;
    const seen = await readSetting<Seen>(db, name);
    if (seen?.version === version) return false;
    // The first run is started by connecting, as the settings say; from then on it is for us to see.
    if (seen !== undefined || row.last_success_at !== null)
      await sync.start({ trigger: 'schedule', requestedBy: 'source' });
    await writeSetting(db, name, { version } satisfies Seen);
    return seen !== undefined || row.last_success_at !== null;
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await look().catch((error: unknown) => {
        // A run goes on: what changed is seen at the next look.
        if (!(error instanceof ConflictError)) log.warn({ err: error }, 'source not looked at');
      });
    }
  }

  return {
    start() {
      running ??= loop();
    },
    look,
    async stop() {
      stopping.abort(new Error('the process stops'));
      await running;
    },
  };
}
