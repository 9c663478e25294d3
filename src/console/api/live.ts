// One server-sent stream for the whole console. Only a visible tab holds it; whoever comes back reads everything again.
import { useSyncExternalStore } from 'react';
import { queryClient, refresh } from './queries.ts';
import type { Run } from './types.ts';

const HIDDEN_CLOSE_MS = 10_000;
const RETRY_MS = 2_000;
const RETRY_MAX_MS = 30_000;

export interface LiveState {
  readonly connection: 'idle' | 'open' | 'lost';
  /** The newest that the stream said of each run. */
  readonly runs: ReadonlyMap<string, Run>;
}

let state: LiveState = { connection: 'idle', runs: new Map() };
const listeners = new Set<() => void>();
const ended = new Set<(run: Run) => void>();
let source: EventSource | undefined;
let retryTimer: number | undefined;
let hiddenTimer: number | undefined;
let failures = 0;
let wanted = false;

function set(next: Partial<LiveState>): void {
  state = { ...state, ...next };
  for (const listener of listeners) listener();
}

function open(): void {
  window.clearTimeout(retryTimer);
  if (!wanted || source !== undefined || document.visibilityState === 'hidden') return;
  source = new EventSource('/api/v1/events');
  source.addEventListener('hello', () => {
    if (state.connection !== 'open') void queryClient.invalidateQueries();
    failures = 0;
    set({ connection: 'open' });
  });
  source.addEventListener('run', (event) => noteRun(JSON.parse(event.data)));
  source.addEventListener('changed', (event) => noteChanges(JSON.parse(event.data).topics));
  source.addEventListener('error', () => {
    const closed = source?.readyState === EventSource.CLOSED;
    // A stream that ended by itself comes back by itself; only when it does not, the connection is lost.
    window.clearTimeout(retryTimer);
    retryTimer = window.setTimeout(again, closed ? 0 : RETRY_MS);
  });
}

function again(): void {
  if (source?.readyState === EventSource.OPEN) return;
  close();
  failures += 1;
  set({ connection: 'lost' });
  retryTimer = window.setTimeout(open, Math.min(RETRY_MAX_MS, RETRY_MS * failures));
}

function close(): void {
  source?.close();
  source = undefined;
}

/** Something becomes of deliveries all the time while much is sent: what shows them is read again once a second. */
const DELIVERY_WAIT_MS = 1_000;
let deliveryTimer: number | undefined;

function noteChanges(topics: readonly string[]): void {
  const others = topics.filter((topic) => topic !== 'delivery');
  if (others.length > 0) refresh(queryClient, others);
  if (others.length === topics.length || deliveryTimer !== undefined) return;
  deliveryTimer = window.setTimeout(() => {
    deliveryTimer = undefined;
    refresh(queryClient, ['delivery']);
  }, DELIVERY_WAIT_MS);
}

function isOver(run: Run): boolean {
  return run.status !== 'queued' && run.status !== 'running';
}

function noteRun(run: Run): void {
  const before = state.runs.get(run.id);
  set({ runs: new Map([...state.runs, [run.id, run]]) });
  queryClient.setQueryData(['sync-runs', 'one', 'GET /sync-runs/{id}', { id: run.id }, {}], run);
  if (before === undefined || before.status !== run.status) refresh(queryClient, ['run', 'plan']);
  if (before !== undefined && !isOver(before) && isOver(run)) for (const tell of ended) tell(run);
}

document.addEventListener('visibilitychange', () => {
  window.clearTimeout(hiddenTimer);
  if (document.visibilityState === 'visible') open();
  else
    hiddenTimer = window.setTimeout(() => {
      close();
      set({ connection: 'idle' });
    }, HIDDEN_CLOSE_MS);
});

export function startLive(): void {
  wanted = true;
  open();
}

export function stopLive(): void {
  wanted = false;
  window.clearTimeout(retryTimer);
  close();
  set({ connection: 'idle', runs: new Map() });
}

export function useLive(): LiveState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** The run that is under way now, if any. */
export function useRunningRun(): Run | undefined {
  const { runs } = useLive();
  return [...runs.values()].findLast((run) => !isOver(run));
}

/** Hears of each run that ends while the console is open. */
export function onRunEnd(tell: (run: Run) => void): () => void {
  ended.add(tell);
  return () => ended.delete(tell);
}
