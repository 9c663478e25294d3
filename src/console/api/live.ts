// One server-sent stream for the whole console. Only a visible tab holds it; whoever comes back reads everything again.
import { useSyncExternalStore } from 'react';
import { call, isStillSignedIn } from './client.ts';
import { queryClient, refresh } from './queries.ts';
import type { Run } from './types.ts';

const HIDDEN_CLOSE_MS = 10_000;
/** A stream that ended in its time is back by then: two seconds, which the gateway asks for, and what a request takes. */
const COMES_BACK_MS = 6_000;
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
    window.clearTimeout(retryTimer);
    void queryClient.invalidateQueries();
    for (const run of state.runs.values()) if (!isOver(run)) void askFor(run);
    failures = 0;
    set({ connection: 'open' });
  });
  source.addEventListener('run', (event) => noteRun(JSON.parse(event.data)));
  source.addEventListener('changed', (event) => noteChanges(JSON.parse(event.data).topics));
  source.addEventListener('error', () => {
    const refused = source?.readyState === EventSource.CLOSED;
    // A stream that ended by itself comes back by itself; only when it does not, the connection is lost.
    window.clearTimeout(retryTimer);
    if (refused) void whyRefused();
    else retryTimer = window.setTimeout(again, COMES_BACK_MS);
  });
}

/** The gateway is there and gives no stream: mostly to nobody who is not signed in any more. */
async function whyRefused(): Promise<void> {
  close();
  const isIn = await isStillSignedIn();
  if (isIn === false) return;
  if (isIn === undefined || failures > 0) again();
  else {
    failures += 1;
    open();
  }
}

/** What the stream tells when it is back are runs that are open and the newest: one that ended meanwhile may be neither. */
async function askFor(run: Run): Promise<void> {
  const now = await call('GET /sync-runs/{id}', { path: { id: run.id } }).catch(() => undefined);
  if (now !== undefined && state.runs.get(run.id) === run) noteRun(now);
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

/** While much is sent or applied these are told of four times a second: what shows them is read again once a second. */
const BUSY: ReadonlySet<string> = new Set(['delivery', 'directory']);
const BUSY_WAIT_MS = 1_000;
const heard = new Set<string>();
let busyTimer: number | undefined;

function noteChanges(topics: readonly string[]): void {
  const others = topics.filter((topic) => !BUSY.has(topic));
  if (others.length > 0) refresh(queryClient, others);
  for (const topic of topics) if (BUSY.has(topic)) heard.add(topic);
  if (heard.size === 0 || busyTimer !== undefined) return;
  busyTimer = window.setTimeout(() => {
    busyTimer = undefined;
    refresh(queryClient, [...heard]);
    heard.clear();
  }, BUSY_WAIT_MS);
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
