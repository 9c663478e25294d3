import { createHash } from 'node:crypto';
import { Router } from 'express';
import { staysKnown } from '#http/session.ts';
import type { RunView } from '#store/views/runs.ts';
import type { AdminParts } from './parts.ts';

/** A stream ends after this long; the reader comes back, and is asked again who it is. */
const STREAM_MAX_MS = 5 * 60_000;

/**
 * One stream of everything: `run` when a run changed, with the run; `changed` when something was done, with the nouns
 * it was done to. Whoever lost the stream reads again what it shows: nothing is replayed.
 */
export function eventRoutes({
  happenings,
  eventStreams,
  clock,
  ...identity
}: Pick<AdminParts, 'happenings' | 'eventStreams' | 'clock' | 'authenticator' | 'sessions'>): Router {
  return Router().get('/events', async (request, response) => {
    const mayStay = staysKnown(request, { ...identity, elapsed: clock.elapsed });
    const stream = eventStreams.open(request, response);
    const told = new Map<string, string>();
    let greeted = false;

    for await (const { runs, topics } of happenings.watch(stream.gone)) {
      if (stream.age() > STREAM_MAX_MS || !(await mayStay())) break;
      // Whoever is greeted reads all anew: what happens after that is told, since the first look is over.
      if (!greeted) await stream.send('event: hello\ndata: {}\n\n');
      greeted = true;
      const fresh = runs.filter((run) => told.get(run.id) !== stateOf(run));
      for (const run of fresh) {
        told.set(run.id, stateOf(run));
        await stream.send(`event: run\ndata: ${JSON.stringify(run)}\n\n`);
      }
      if (topics.length > 0) await stream.send(`event: changed\ndata: ${JSON.stringify({ topics })}\n\n`);
      await stream.beat();
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
