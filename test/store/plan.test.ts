import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { canonical } from '#core/canonical.ts';
import { digestOf } from '#core/digest.ts';
import { type Entry, planChanges } from '#core/plan.ts';
import { makeLog } from '#platform/log.ts';
import type { Database } from '#store/database.ts';
import { beginGeneration, markSeen, sweep, upsertRecords } from '#store/mirror.ts';
import { releaseItems } from '#store/plans.ts';
import { insertRun } from '#store/runs.ts';
import { applyPlan } from '#sync/apply.ts';
import { makePlan } from '#sync/make-plan.ts';
import type { RunContext } from '#sync/run.ts';
import { eachDatabase } from '../support/database.ts';

const anySource = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom('one', 'two', 'three'), {
  noNullPrototype: true,
});
const history = fc.array(fc.record({ source: anySource, complete: fc.boolean() }), { minLength: 1, maxLength: 5 });

eachDatabase('a plan in SQL', (open) => {
  it('plans what the pure rule plans, for any history of a provider, and a second plan is empty', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const database = await open();
        const context = await contextOf(database);
        for (const { source, complete } of steps) {
          const current = await directory(database);
          const desired = await show(database, source, complete);
          const { id } = await plan(context, complete);
          const expected = planChanges(current, desired, complete).map(
            ({ action, externalId }) => `${action} ${externalId}`,
          );
          const { rows } = await database.query<{ action: string; external_id: string }>({
            text: 'select action, external_id from plan_items where plan_id = $1',
            values: [id],
          });
          const planned = rows.map(
            ({ action, external_id }) => `${action === 'delete' ? 'remove' : action} ${external_id}`,
          );
          assert.deepEqual(planned.sort(), expected.sort());
          await releaseItems(database.knex, id); // what the guard makes of it is not the question here
          await applyPlan(context, id);
          const second = await plan(context, complete);
          assert.equal(second.size, 0);
        }
        await database.close();
      }),
      { numRuns: 8 },
    );
  });
});

async function contextOf(database: Database): Promise<RunContext> {
  const runId = await insertRun(database.knex, {
    provider: 'microsoft365',
    mode: 'full',
    preview: false,
    trigger: 'manual',
    options: { allowLargeSync: false, resetAccountMapping: false },
    requestedBy: 'test',
    configVersion: '1',
  });
  return {
    db: database.knex,
    runId: runId ?? '',
    provider: 'microsoft365',
    configVersion: '1',
    salt: '',
    signal: new AbortController().signal,
    log: makeLog('fatal'),
    write: (work) => database.knex.transaction(work),
    progress: async () => undefined,
  };
}

function plan(context: RunContext, complete: boolean) {
  const policy = { initialRun: 'auto', onLeaveScope: 'delete', deleteAfterDays: null } as const;
  return makePlan(context, { policy, complete, changed: 0, initial: true, allowLargeSync: true });
}

/** The provider shows these users; after an incomplete read the mirror still holds those of before. */
async function show(
  database: Database,
  source: Record<string, string>,
  complete: boolean,
): Promise<Map<string, Entry>> {
  const db = database.knex;
  const generation = await beginGeneration(db, 'microsoft365');
  const records = Object.entries(source).map(([externalId, displayName]) => {
    const body = canonical({ schemas: ['urn:x'], externalId, userName: externalId, active: true, displayName });
    const digest = digestOf(body).toString('hex');
    return {
      external_id: externalId,
      record: '{}',
      record_digest: digest,
      body,
      digest,
      name_key: externalId,
      manager_external_id: null,
      reason: null,
      detail: null,
      label: null,
      handles: [],
    };
  });
  await upsertRecords(db, 'microsoft365', 'User', records);
  const seen = await markSeen(db, generation, 'User', Object.keys(source));
  if (complete) await sweep(db, 'microsoft365', generation, seen);
  const { rows } = await database.query<{ external_id: string; digest: Buffer }>({
    text: `select external_id, digest from mirror_records where gone_at is null`,
  });
  return new Map(
    rows.map((row) => [row.external_id, { externalId: row.external_id, digest: row.digest.toString('hex') }]),
  );
}

async function directory(database: Database): Promise<Map<string, Entry>> {
  const { rows } = await database.query<{ external_id: string; digest: Buffer }>({
    text: 'select external_id, digest from resources where deleted_at is null',
  });
  return new Map(
    rows.map((row) => [row.external_id, { externalId: row.external_id, digest: row.digest.toString('hex') }]),
  );
}
