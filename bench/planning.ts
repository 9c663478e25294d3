// How long it takes to find out that nothing changed, beside what any comparison would have to do at least: read the
// id and the digest of every record, and every membership, once.
import { makeLog } from '../src/platform/log.ts';
import { RESOURCE_SCHEMAS } from '../src/scim/scimmy.ts';
import { openDatabase } from '../src/store/database.ts';
import { insertRun } from '../src/store/run/runs.ts';
import { makePlan } from '../src/sync/plan/make-plan.ts';
import type { RunContext } from '../src/sync/run.ts';
import type { Storage } from './storage.ts';

export interface PlanningTimes {
  readonly readMs: number;
  readonly planMs: number;
  /** Items that would change something: none. */
  readonly size: number;
}

class RolledBack extends Error {}

/** The best of three. Leaves the database as it is. */
export async function measurePlanning(storage: Storage): Promise<PlanningTimes> {
  const database = await openDatabase(storage.options);
  const db = database.knex;
  const times: PlanningTimes[] = [];
  try {
    for (let round = 0; round < 3; round += 1) {
      const started = performance.now();
      await database.query({ text: 'select resource_type, external_id, digest, members_digest from mirror_records' });
      await database.query({ text: 'select group_external_id, member_external_id from mirror_members' });
      const readMs = performance.now() - started;
      await db
        .transaction(async (tx) => {
          const runId = await insertRun(tx, {
            provider: 'microsoft365',
            mode: 'full',
            preview: true,
            trigger: 'manual',
            options: { allowLargeSync: false, resetAccountMapping: false },
            requestedBy: 'bench',
            configVersion: '1',
          });
          const context: RunContext = {
            db: tx,
            runId: runId ?? '',
            provider: 'microsoft365',
            configVersion: '1',
            salt: '',
            schemas: RESOURCE_SCHEMAS,
            signal: new AbortController().signal,
            log: makeLog('fatal'),
            write: (work) => work(tx),
            progress: async () => undefined,
          };
          const policy = {
            initialRun: 'auto',
            onLeaveScope: 'deactivate',
            onSourceSoftDelete: 'deactivate',
            onSourceHardDelete: 'delete',
            deleteAfterDays: 30,
          } as const;
          const from = performance.now();
          const request = { policy, complete: true, changed: 0, initial: false, allowLargeSync: false };
          const { size } = await makePlan(context, request);
          times.push({ readMs, planMs: performance.now() - from, size });
          throw new RolledBack();
        })
        .catch((error: unknown) => {
          if (!(error instanceof RolledBack)) throw error;
        });
    }
  } finally {
    await database.close();
  }
  const best = times.toSorted((one, other) => one.planMs - other.planMs)[0];
  if (best === undefined || best.size > 0) throw new Error('a plan of an unchanged source has changes');
  return { ...best, readMs: Math.min(...times.map(({ readMs }) => readMs)) };
}
