import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Log } from '#platform/log.ts';

/** What every handler may ask of its request. */
export interface RequestContext {
  /** Echoed as `x-request-id`; the id in an error is the id in the log. */
  readonly id: string;
  readonly log: Log;
}

const contexts = new WeakMap<Request, RequestContext>();
const SAFE_ID = /^[\w.-]{1,64}$/;

/** Gives each request its id, the caller's own when it is harmless, and a logger that names it. */
export function requestContext(log: Log): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    const given = request.get('x-request-id');
    const id = given !== undefined && SAFE_ID.test(given) ? given : randomUUID();
    contexts.set(request, { id, log: log.child({ request: id }) });
    response.setHeader('x-request-id', id);
    next();
  };
}

/** @throws {Error} when the request did not pass `requestContext` */
export function contextOf(request: Request): RequestContext {
  const context = contexts.get(request);
  if (context === undefined) throw new Error('a request without its context');
  return context;
}
