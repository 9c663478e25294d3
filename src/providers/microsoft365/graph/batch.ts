import { retryAfterMs } from '#core/backoff.ts';
import { UpstreamError } from '#core/errors.ts';
import type { Graph } from './client.ts';
import { incomplete } from './failures.ts';

/** Source: learn.microsoft.com/graph/json-batching, checked 2026-11. */
export const STEPS_MAX = 20;
const ROUNDS_MAX = 8;
const BUSY = 429;
/** What is waited at first where nothing usable is said; twice that each time: two minutes in all. */
const SPARE_MS = 500;

export interface BatchAnswer {
  /** What was asked for. */
  readonly url: string;
  readonly status: number;
  readonly body: unknown;
}

interface BatchStep {
  readonly id?: unknown;
  readonly status?: unknown;
  readonly headers?: Readonly<Record<string, string>> | null;
  readonly body?: unknown;
}

export interface BatchOptions {
  readonly signal: AbortSignal;
  readonly advanced?: boolean;
}

/**
 * Reads many paths in batches of 20, one batch after the other; answers in the order of `urls`. Steps that were
 * throttled or failed at the other side are asked for again, alone, after the wait they ask for.
 * @throws {UpstreamError} a batch is refused, or steps stay unanswered: `throttled` where Graph is too busy for them
 */
export async function batchGet(
  graph: Graph,
  urls: readonly string[],
  options: BatchOptions,
): Promise<readonly BatchAnswer[]> {
  const answers: BatchAnswer[] = [];
  for (let start = 0; start < urls.length; start += STEPS_MAX)
    answers.push(...(await oneBatch(graph, urls.slice(start, start + STEPS_MAX), options)));
  return answers;
}

async function oneBatch(graph: Graph, urls: readonly string[], options: BatchOptions): Promise<BatchAnswer[]> {
  const answers = new Map<number, BatchAnswer>();
  let isBusy = false;
  for (let round = 0; round < ROUNDS_MAX && answers.size < urls.length; round += 1) {
    const requests = urls.flatMap((url, index) => (answers.has(index) ? [] : [stepOf(url, index, options)]));
    const steps = await graph.post('/$batch', { requests }, readSteps, options);
    let waitMs = 0;
    isBusy = steps.some(({ status }) => status === BUSY);
    const spareMs = SPARE_MS * 2 ** round;
    for (const { id, status, headers: named, body } of steps) {
      const headers = headersOf(named);
      if (typeof status === 'number') graph.spend(status, headers);
      const final = typeof status === 'number' && status !== BUSY && status < 500;
      if (final) answers.set(Number(id), { url: urls[Number(id)] ?? '', status, body });
      else waitMs = Math.max(waitMs, retryAfterMs(headers, graph.pace.now()) || spareMs);
    }
    if (waitMs > 0) graph.pace.pause(waitMs);
  }
  return urls.map((_, index) => {
    const answer = answers.get(index);
    if (answer === undefined)
      throw new UpstreamError('Microsoft Graph leaves parts of a batch unanswered.', {
        failure: isBusy ? 'throttled' : 'source-incomplete',
        reason: 'batch-unanswered',
        retryAfterMs: 60_000,
      });
    return answer;
  });
}

function stepOf(url: string, index: number, { advanced }: BatchOptions): object {
  const headers = advanced === true ? { headers: { ConsistencyLevel: 'eventual' } } : {};
  return { id: String(index), method: 'GET', url, ...headers };
}

function readSteps(body: unknown): readonly BatchStep[] {
  const responses = (body as { responses?: unknown } | null | undefined)?.responses;
  if (!Array.isArray(responses)) throw incomplete('A batch of Graph has no answers.', 'batch-broken');
  return responses.filter((step) => typeof step === 'object' && step !== null) as BatchStep[];
}

/** Of headers whose names may have any case, and whose values may be anything. */
function headersOf(headers: BatchStep['headers']): Pick<Headers, 'get'> {
  const texts = new Map(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));
  return { get: (name) => texts.get(name) ?? null };
}
