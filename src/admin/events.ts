import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Router } from 'express';
import { staysKnown } from '#http/session.ts';
import type { RunView } from '#store/views/runs.ts';
import type { AdminParts } from './parts.ts';

const HEARTBEAT_MS = 15_000;
/** How soon a reader who lost the connection comes back. */
const RETRY_MS = 2_000;
/** A stream ends after this long; the reader comes back, and is asked again who it is. */
const STREAM_MAX_MS = 5 * 60_000;

/**
 * One stream of everything: `run` when a run changed, with the run; `changed` when something was done, with the nouns
 * it was done to. Whoever lost the stream reads again what it shows: nothing is replayed.
 */
export function eventRoutes({
  happenings,
  clock,
  ...identity
}: Pick<AdminParts, 'happenings' | 'clock' | 'authenticator' | 'sessions'>): Router {
  return Router().get('/events', async (request, response) => {
    const mayStay = staysKnown(request, { ...identity, elapsed: clock.elapsed });
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    response.status(200).set({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    response.write(`retry: ${RETRY_MS}\nevent: hello\ndata: {}\n\n`);
    const begin = clock.now().getTime();
    let quietSince = begin;
    const told = new Map<string, string>();

    async function send(text: string): Promise<void> {
      quietSince = clock.now().getTime();
      if (!response.write(text)) await once(response, 'drain', { signal: gone.signal }).catch(() => undefined);
    }

    for await (const { runs, topics } of happenings.watch(gone.signal)) {
      const now = clock.now().getTime();
      if (now - begin > STREAM_MAX_MS || !(await mayStay())) break;
      const fresh = runs.filter((run) => told.get(run.id) !== stateOf(run));
      for (const run of fresh) {
        told.set(run.id, stateOf(run));
        await send(`event: run\ndata: ${JSON.stringify(run)}\n\n`);
      }
      if (topics.length > 0) await send(`event: changed\ndata: ${JSON.stringify({ topics })}\n\n`);
      if (now - quietSince > HEARTBEAT_MS) await send(': still here\n\n');
    }
    response.end();
  });
}

/** Estimates count as the same state: they change with every second. */
function stateOf({ progress: { phase, done, total }, ...run }: RunView): string {
  return createHash('sha256')
    .update(JSON.stringify({ ...run, steps: run.steps.length, cost: null, phase, done, total }))
    .digest('base64url');
}
