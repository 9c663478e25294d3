import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunView } from '#store/views/runs.ts';
import { viewTask } from '#store/views/tasks.ts';

const RUN = {
  ...{
    id: 'r',
    provider: 'microsoft365',
    mode: 'full',
    modeReason: null,
    preview: false,
    trigger: 'manual',
    status: 'running',
  },
  ...{
    requestedBy: 'x',
    options: {},
    createdAt: '',
    startedAt: null,
    finishedAt: null,
    steps: [],
    planned: null,
    plannedByType: null,
    countsByType: null,
    number: 1,
    counts: { created: 1 },
  },
  ...{ guard: null, planId: null, reverts: null, error: null, cost: null },
  progress: { phase: 'reading', done: 30, total: null, estimatedSecondsLeft: null, estimatedEndAt: null },
} as RunView;
const COST = { requests: 0, resourceUnits: 0, bytes: 0, throttledMs: 0, wallMs: 30_000 };

describe('a task', () => {
  it('is the directory task of its run, which syncs', () => {
    const { type, category, runId, state, step, counts } = viewTask(RUN);
    assert.deepEqual(
      [type, category, runId, state, step, counts],
      ['directory', 'sync', 'r', 'running', 'reading', { created: 1 }],
    );
  });

  it('has a percentage when its end can be told, never all of it before the end', () => {
    assert.equal(viewTask(RUN).percent, null);
    const estimated = { ...RUN, cost: COST, progress: { ...RUN.progress, estimatedSecondsLeft: 10 } };
    assert.equal(viewTask(estimated).percent, 75);
    assert.equal(viewTask({ ...estimated, progress: { ...estimated.progress, estimatedSecondsLeft: 0 } }).percent, 99);
    assert.equal(viewTask({ ...RUN, progress: { ...RUN.progress, done: 1, total: 3 } }).percent, 33);
    assert.equal(viewTask({ ...RUN, status: 'succeeded' }).percent, 100);
    assert.equal(viewTask({ ...RUN, status: 'held' }).percent, 100);
    assert.equal(viewTask({ ...RUN, status: 'failed' }).percent, null);
  });
});
