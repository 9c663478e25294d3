import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Log } from '#platform/log.ts';
import { currentRequest } from '#platform/trace.ts';

/** What every handler may ask of its request. */
export interface RequestContext {
  /** Echoed as `x-request-id`; the id in an error is the id in the log. */
  readonly id: string;
  readonly log: Log;
}

const contexts = new WeakMap<IncomingMessage, RequestContext>();
const SAFE_ID = /^[\w.-]{1,64}$/;

/** Gives a request its id, the caller's own when it is harmless, and a logger that names it. */
export function giveContext(log: Log, request: IncomingMessage): RequestContext {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && SAFE_ID.test(given) ? given : randomUUID();
  const context = new Context(id, log);
  contexts.set(request, context);
  return context;
}

/** Makes the logger only when something is to be logged (most requests are silent), and the id is not on every line. */
class Context implements RequestContext {
  readonly id: string;
  private readonly parent: Log;
  private child: Log | undefined;

  constructor(id: string, parent: Log) {
    this.id = id;
    this.parent = parent;
  }

  get log(): Log {
    if (currentRequest() === this.id) return this.parent;
    this.child ??= this.parent.child({ request: this.id });
    return this.child;
  }
}

/** @throws {Error} when the request was not given one */
export function contextOf(request: IncomingMessage): RequestContext {
  const context = contexts.get(request);
  if (context === undefined) throw new Error('a request without its context');
  return context;
}
