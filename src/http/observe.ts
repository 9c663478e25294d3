// Every request is measured, and is a span where traces are made. Streams that stay open are not measured.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '#platform/log.ts';
import { activeTracer, type Incoming } from '#platform/trace.ts';
import { contextOf } from './context.ts';
import type { Metrics } from './metrics.ts';

export interface Observed {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly incoming: Incoming | undefined;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Express takes these away from a route's own path while an error travels up. */
const MOUNTS = ['/scim/v2', '/api/v1'];

/** @param answer begins to answer, and says the route when Express does not know it */
export function observe(
  { metrics, log }: { readonly metrics: Metrics; readonly log: Log },
  { request, response, incoming }: Observed,
  answer: () => string | undefined,
): void {
  const began = performance.now();
  const method = METHODS.has(request.method ?? '') ? (request.method ?? '') : 'OTHER';
  const facts = { 'http.request.method': method };
  const span = activeTracer()?.begin(method, 'server', facts, incoming);
  let known: string | undefined;
  response.once('close', () => {
    const route = known ?? routeOf(request);
    const isStream = String(response.getHeader('content-type') ?? '').startsWith('text/event-stream');
    const seconds = (performance.now() - began) / 1000;
    const status = response.writableFinished ? response.statusCode : 499;
    if (!isStream) metrics.request({ method, route, status }, seconds);
    if (log.isLevelEnabled('debug'))
      contextOf(request).log.debug({ method, route, status, ms: Math.round(seconds * 1000) }, 'request answered');
    if (span === undefined) return;
    span.rename(`${method} ${route}`);
    span.note({ 'http.route': route, 'http.response.status_code': status });
    span.end(status >= 500 ? new Error(`status ${status}`) : undefined);
  });
  if (span === undefined) known = answer();
  else
    span.within(() => {
      known = answer();
    });
}

/** The template of the route that took it: `/api/v1/apps/:id`; `other` for pages of the console and what is not there. */
function routeOf(
  request: IncomingMessage & { readonly route?: { readonly path?: unknown }; readonly originalUrl?: string },
): string {
  const path = request.route?.path;
  if (typeof path !== 'string') return 'other';
  const mount = MOUNTS.find((one) => request.originalUrl?.startsWith(one) === true) ?? '';
  return path.startsWith(mount) ? path : `${mount}${path}`;
}
