import { dueAt } from '#core/debounce.ts';
import { GatewayError } from '#core/errors.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { repeat } from '#platform/repeat.ts';
import type { Seal } from '#platform/seal.ts';
import type { Database } from '#store/database.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { type ProviderRow, readActiveProvider } from '#store/source/settings.ts';
import { noteTried, readMark } from '#store/source/source-marks.ts';
import { openSettings } from '../provider/settings.ts';
import type { SyncService } from '../service.ts';

/** How soon a mark that is due is seen. */
const LOOK_EVERY_MS = 2_000;

export interface MarkParts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
  readonly sync: SyncService;
  readonly clock: Clock;
  readonly log: Log;
}

export interface MarkFollower {
  start(): void;
  /** Starts a run of changes when the active provider's mark is due. Never throws. */
  tick(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Reads what changed once a source that told so has been quiet for a moment, or has gone on for too long: many
 * notifications become one run. A mark stays until a run that began after it has come to a good end; one that failed is
 * tried again by a sweep, every hour unless the settings say otherwise. One that found nothing is followed by others, as
 * often as the provider says (`PullProvider.followMs`).
 */
export function makeMarkFollower({ database, kinds, seal, sync, clock, log }: MarkParts): MarkFollower {
  const db = database.knex;
  let known: { readonly kind: ProviderKindName; readonly version: string; readonly sweepMs: number } | undefined;

  /** A mark may wait for hours, and is looked at every other second: the settings are opened once for each version. */
  function sweepOf(row: ProviderRow): number {
    if (known?.kind === row.kind && known.version === row.config_version) return known.sweepMs;
    const kind = kinds.get(row.kind);
    const sweepMs = kind?.subscriptions?.sweepMs(openSettings(kind, row, seal)) ?? Number.POSITIVE_INFINITY;
    known = { kind: row.kind, version: row.config_version, sweepMs };
    return sweepMs;
  }

  async function tick(): Promise<void> {
    try {
      const provider = await readActiveProvider(db);
      // Before the first run was looked at there is nothing that changes could be added to.
      if (provider === undefined || provider.initial_done_at === null) return;
      const mark = await readMark(db, provider.kind);
      if (mark === undefined) return;
      const due = dueAt({
        firstAt: mark.first_at.getTime(),
        lastAt: mark.last_at.getTime(),
        triedAt: mark.tried_at?.getTime() ?? null,
        followAt: mark.follow_at?.getTime() ?? null,
        sweepMs: sweepOf(provider),
      });
      if (clock.now().getTime() < due) return;
      await sync.start({ mode: 'incremental', trigger: 'notification', requestedBy: 'notification' });
      await noteTried(db, provider.kind);
    } catch (error) {
      // A run that is under way began before the mark was due; the mark outlives it, and is looked at again.
      if (error instanceof GatewayError && error.code === 'ERR_CONFLICT') return;
      log.error({ err: translateDatabaseError(error) }, 'marks failed');
    }
  }

  const repeated = repeat(clock, LOOK_EVERY_MS, tick);
  return { start: repeated.start, tick, stop: repeated.stop };
}
