import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Request, Response } from 'express';
import { staysKnown } from '#http/session.ts';
import { isOver, type RunView } from '#store/views/runs.ts';
import type { AdminParts } from './parts.ts';

/** A comment after this long without an event, so that nobody between takes the connection for dead. */
const HEARTBEAT_MS = 15_000;
/** How soon a reader who lost the connection comes back. */
const RETRY_MS = 2_000;

/**
 * One `run` event for each change of the run, until it is over or the reader goes. The id of an event is a digest of
 * the run's state, the same on every replica: a reader who comes back with it hears of the run when it has changed since. To
 * one who has heard the end the answer is 204, which tells an EventSource to stop coming back (HTML §9.2.3).
 */
export async function streamRun(
  { watcher, clock, ...identity }: Pick<AdminParts, 'watcher' | 'clock' | 'authenticator' | 'sessions'>,
  first: RunView,
  request: Request,
  response: Response,
): Promise<void> {
  let sent = request.get('last-event-id') ?? '';
  if (isOver(first) && sent === idOf(first)) {
    response.status(204).end();
    return;
  }
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.status(200).set({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  response.write(`retry: ${RETRY_MS}\n\n`);
  let quietSince = clock.now().getTime();

  async function tell(run: RunView): Promise<void> {
    const id = idOf(run);
    const now = clock.now().getTime();
    if (id === sent && now - quietSince < HEARTBEAT_MS) return;
    const text = id === sent ? ': still here\n\n' : `id: ${id}\nevent: run\ndata: ${JSON.stringify(run)}\n\n`;
    sent = id;
    quietSince = now;
    if (!response.write(text)) await once(response, 'drain', { signal: gone.signal }).catch(() => undefined);
  }

  await tell(first);
  const mayStay = staysKnown(request, { ...identity, elapsed: clock.elapsed });
  if (!isOver(first))
    for await (const run of watcher.watch(first.id, gone.signal)) {
      if (!(await mayStay())) break;
      await tell(run);
    }
  response.end();
}

/** Estimates count as the same state: they change with every second. */
function idOf({ progress, ...run }: RunView): string {
  const { phase, done, total } = progress;
  const text = JSON.stringify({ ...run, phase, done, total });
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
