// Signals with a deadline, many at once and cheap: one look at all of them now and then instead of a timer for each.

export interface Deadlines {
  /** Fires after about `ms`, or when the whole is aborted. */
  begin(ms: number): AbortSignal;
  /** It is not needed any more. */
  end(signal: AbortSignal): void;
  close(): void;
}

const LOOK_MS = 500;

export function makeDeadlines(whole: AbortSignal): Deadlines {
  const open = new Map<AbortSignal, { readonly controller: AbortController; readonly at: number }>();
  const abortAll = (): void => {
    for (const { controller } of open.values()) controller.abort(whole.reason);
  };
  const timer = setInterval(() => {
    const now = performance.now();
    for (const { controller, at } of open.values())
      if (at <= now) controller.abort(new DOMException('it took too long', 'TimeoutError'));
  }, LOOK_MS);
  timer.unref();
  whole.addEventListener('abort', abortAll);

  return {
    begin(ms) {
      const controller = new AbortController();
      if (whole.aborted) controller.abort(whole.reason);
      open.set(controller.signal, { controller, at: performance.now() + ms });
      return controller.signal;
    },
    end(signal) {
      open.delete(signal);
    },
    close() {
      clearInterval(timer);
      whole.removeEventListener('abort', abortAll);
      open.clear();
    },
  };
}
