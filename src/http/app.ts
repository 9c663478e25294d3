// The HTTP face: Express with what all edges share. Building it has no side effects; main listens.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, { type Express, type RequestHandler, type Router } from 'express';
import type { Log } from '#platform/log.ts';
import { asCaller, incomingTrace } from '#platform/trace.ts';
import { giveContext } from './context.ts';
import { holdFields, releaseFields } from './fields.ts';
import type { Metrics } from './metrics.ts';
import { observe } from './observe.ts';
import { noRoute, problemHandler } from './problem.ts';
import { securityHeaders } from './security-headers.ts';

/**
 * Answers a request without Express, and then says by which route: for what is asked so often that Express would be half
 * the cost.
 */
export type FastPath = (request: IncomingMessage, response: ServerResponse) => string | undefined;

/** Whether requests should come here, and why not. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string }[];
}

export interface AppParts {
  /** Absent on a replica that only works in the background: it says how it is, and nothing else. */
  readonly edges:
    | { readonly admin: Router; readonly scim: Router; readonly hooks: Router; readonly fast: FastPath }
    | undefined;
  /** The console's pages and what they load. */
  readonly pages?: RequestHandler;
  /** Proxies that may say whom they speak for, in `X-Forwarded-For`; without any, the peer is the client. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Whether we are reached by https: browsers then never come otherwise. */
  isSecure?(): boolean;
  readonly log: Log;
  /** Answers within a few seconds. */
  readiness(): Promise<Readiness>;
  readonly metrics: Metrics;
  /** Names a lost database connection, so that it is answered as 503. */
  translate(error: unknown): unknown;
}

const FIELDS = securityHeaders(false).flat();
const SECURE_FIELDS = securityHeaders(true).flat();

export function createApp(parts: AppParts): RequestListener {
  const app = createExpress(parts);
  const fast = parts.edges?.fast;
  return (request, response) => {
    const { id } = giveContext(parts.log, request);
    holdFields(response, ['x-request-id', id, ...(parts.isSecure?.() === true ? SECURE_FIELDS : FIELDS)]);
    const incoming = incomingTrace(request.headers);
    observe(parts, { request, response, incoming }, () => {
      const route = fast?.(request, response);
      if (route !== undefined) return route;
      releaseFields(response);
      asCaller({ request: id, incoming }, () => app(request, response));
      return undefined;
    });
  };
}

function createExpress(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  if (parts.trustedProxies !== undefined) app.set('trust proxy', [...parts.trustedProxies]);
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  const readiness = together(() => parts.readiness());
  app.get('/readyz', async (_request, response) => {
    const { ready, checks } = await readiness();
    response.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not ready', checks });
  });
  app.get('/metrics', onlyAsWritten('/metrics'), async (_request, response) => {
    response.setHeader('content-type', parts.metrics.contentType);
    response.end(await parts.metrics.text());
  });
  if (parts.edges !== undefined) {
    if (parts.pages !== undefined) app.use(parts.pages);
    app.get('/', (_request, response) => {
      response.json({ name: 'Sluice', scim: '/scim/v2', api: '/api/v1', docs: '/api/docs' });
    });
    app.use('/scim/v2', parts.edges.scim);
    app.use(parts.edges.hooks);
    app.use(parts.edges.admin);
  }
  app.use(noRoute);
  app.use(problemHandler(parts.translate));
  return app;
}

/** What anybody may ask, and the database answers: whoever asks at the same time shares one answer. */
function together<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let asking: Promise<Answer> | undefined;
  return () => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

/** A proxy that keeps a path inside compares it as it is written: other spellings of it are nothing here. */
function onlyAsWritten(path: string): RequestHandler {
  return (request, _response, next) => next(request.path === path ? undefined : 'route');
}
