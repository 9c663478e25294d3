import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { staysKnown } from '#http/session.ts';
import { isOver, type RunView } from '#store/views/runs.ts';
import type { AdminParts } from './parts.ts';

/**
 * One `run` event for each change of the run, until it is over or the reader goes. The id of an event is a digest of
 * the run's state, the same on every replica: a reader who comes back with it hears of the run when it has changed since. To
 * one who has heard the end the answer is 204, which tells an EventSource to stop coming back (HTML §9.2.3).
 */
export async function streamRun(
  {
    watcher,
    eventStreams,
    clock,
    ...identity
  }: Pick<AdminParts, 'watcher' | 'eventStreams' | 'clock' | 'authenticator' | 'sessions'>,
  first: RunView,
  request: Request,
  response: Response,
): Promise<void> {
  let sent = request.get('last-event-id') ?? '';
  if (isOver(first) && sent === idOf(first)) {
    response.status(204).end();
    return;
  }
  const mayStay = staysKnown(request, { ...identity, elapsed: clock.elapsed });
  const stream = eventStreams.open(request, response);

  async function tell(run: RunView): Promise<void> {
    const id = idOf(run);
    if (id === sent) return stream.beat();
    sent = id;
    await stream.send(`id: ${id}\nevent: run\ndata: ${JSON.stringify(run)}\n\n`);
  }

  await tell(first);
  if (!isOver(first))
    for await (const run of watcher.watch(first.id, stream.gone)) {
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
