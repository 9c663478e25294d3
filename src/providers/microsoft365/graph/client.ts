import {
  AuthenticationHandler,
  AuthenticationHandlerOptions,
  Client,
  type Context,
  GraphClientError,
  type Middleware,
  ResponseType,
} from '@microsoft/microsoft-graph-client';
import type { Cost, SourceRequest } from '#core/cost.ts';
import { CredentialsError, GatewayError, UpstreamError } from '#core/errors.ts';
import type { Trace } from '#core/provider.ts';
import type { Clock } from '#platform/clock.ts';
import { insideFetch } from '#platform/inside-fetch.ts';
import { inSpan, type OpenSpan, traceHeaders } from '#platform/trace.ts';
import type { Microsoft365Settings } from '../settings.ts';
import { claimsIn, makeTokenSource, type RefusedToken, type TokenSource } from '../sign-in/auth.ts';
import { endpointsOf } from '../sign-in/endpoints.ts';
import { readBody } from './body.ts';
import { makeBudget } from './budget.ts';
import { explainStatus, explainThrown, incomplete } from './failures.ts';
import { type Gate, type Limits, makePace, type Outcome, type Pace } from './pace.ts';

export interface RequestOptions {
  readonly signal: AbortSignal;
  /** Advanced queries: `ConsistencyLevel: eventual`, on every page. Source: graph/aad-advanced-queries, checked 2026-11. */
  readonly advanced?: boolean;
}

/** Makes what was asked for of a body. Throws an `incomplete` error where it is none; the request is then tried again. */
export type ReadAnswer<Value> = (body: unknown) => Value;

/** Requests to Graph. All share one pause and one account of cost. */
export interface Graph {
  /**
   * @param url a path below /v1.0 that begins with a slash, or the whole of a nextLink
   * @throws {UpstreamError} `throttled`, `server` or `network` after all tries; `source-incomplete` for an answer that is none or a link to another host; reason `request-refused` for any other 4xx
   * @throws {CredentialsError} the token is refused, or a permission is missing
   * @throws {ConfigError} the certificate is not trusted, the tenant or application is unknown
   * @throws {NotFoundError} 404
   */
  get<Value>(url: string, read: ReadAnswer<Value>, options: RequestOptions): Promise<Value>;
  post<Value>(url: string, body: object, read: ReadAnswer<Value>, options: RequestOptions): Promise<Value>;
  patch<Value>(url: string, body: object, read: ReadAnswer<Value>, options: RequestOptions): Promise<Value>;
  delete(url: string, options: RequestOptions): Promise<void>;
  readonly tokens: TokenSource;
  readonly pace: Pace;
  /** Takes account of one step of a batch, which costs what a request by itself does. */
  spend(status: number, headers: Pick<Headers, 'get'>): void;
  cost(): Cost;
}

/** A token is refused that often at most for one request: it may be revoked again while we fetch the next. */
const REFUSALS_MAX = 3;

/** What arrived whole and is not what was asked for, or no JSON from its first letter: few tries will do. */
const WRONG_ANSWERS_MAX = 3;
const ANSWER_CUT = 'answer-broken';

interface Sent extends RequestOptions {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly body?: object;
}

/** Who is told of requests, and whom they wait with. */
export interface Around {
  readonly trace?: Trace | undefined;
  readonly gate?: Gate | undefined;
  readonly onRequest?: ((request: SourceRequest) => void) | undefined;
}

/** Opens Graph for these settings. Nothing is sent before the first read. */
export function openGraph(settings: Microsoft365Settings, clock: Clock, limits: Limits, around: Around = {}): Graph {
  const { graph: origin } = endpointsOf(settings);
  const tokens = makeTokenSource(settings, clock, limits);
  const pace = makePace(clock, limits, around.gate);
  const budget = makeBudget(clock, pace);
  const spent = { requests: 0, resourceUnits: 0, bytes: 0 };
  const client = Client.initWithMiddleware({
    baseUrl: `${origin}/`,
    defaultVersion: 'v1.0',
    customHosts: new Set([new URL(origin).hostname]),
    middleware: middlewareChain(),
  });

  async function send<Value>(sent: Sent, read: ReadAnswer<Value>): Promise<Value> {
    let refused: RefusedToken | undefined;
    let refusals = 0;
    const attempt = async (): Promise<Outcome<Value>> => {
      const token = await tokens.token(sent.signal, refused);
      const facts = { 'http.request.method': sent.method, 'server.address': new URL(origin).hostname };
      const outcome = await inSpan(`graph ${sent.method}`, facts, (note) => tryOnce(sent, token, read, note), 'client');
      if (!isTokenRefused(outcome) || refusals >= REFUSALS_MAX) return outcome;
      refusals += 1;
      refused = { token, claims: outcome.claims };
      return { ...outcome, retry: true, ...(refusals === 1 ? { waitMs: 0 } : {}) };
    };
    return pace.run(attempt, sent.signal);
  }

  async function tryOnce<Value>(
    sent: Sent,
    token: string,
    read: ReadAnswer<Value>,
    note: OpenSpan['note'],
  ): Promise<Answered<Value>> {
    spent.requests += 1;
    const { tell, count, ms } = makeTeller(around, describe(sent, origin), clock, note);
    try {
      const response = await request(sent, token);
      const resourceUnits = Number(response.headers.get('x-ms-resource-unit')) || 0;
      count(response.status, resourceUnits);
      spent.resourceUnits += resourceUnits;
      budget.spend(response.status, response.headers);
      const { text, bytes } = await readBody(response);
      spent.bytes += bytes;
      const { status, headers } = response;
      tell({
        status,
        ms: ms(),
        bytes,
        resourceUnits,
        requestId: headers.get('request-id'),
        wait: headers.get('retry-after'),
      });
      if (!response.ok) return { ...explainStatus(response, text, clock.now().getTime()), claims: claimsIn(headers) };
      return { value: read(status === 204 ? undefined : parseJson(text)) };
    } catch (error) {
      sent.signal.throwIfAborted();
      count(0);
      tell({ broken: errorName(error), ms: ms() });
      const thrown = error instanceof GraphClientError && 'cause' in error ? error.cause : error;
      if (!isIncomplete(thrown)) return explainThrown(thrown);
      const whole = thrown.reason !== ANSWER_CUT;
      return { retry: true, error: thrown, ...(whole ? { attemptsMax: WRONG_ANSWERS_MAX } : {}) };
    }
  }

  /** Raw, because the client's own parsing would read the body twice and throw its errors away. */
  function request({ method, url, body, signal, advanced }: Sent, token: string): Promise<Response> {
    const built = client
      .api(url)
      .responseType(ResponseType.RAW)
      .middlewareOptions([
        new AuthenticationHandlerOptions({ getAccessToken: async () => token }),
        new ExactUrl(wholeUrl(url, origin)),
      ])
      .options({ signal: AbortSignal.any([signal, AbortSignal.timeout(limits.timeoutMs)]), redirect: 'manual' });
    const request = built.headers({
      ...traceHeaders(),
      ...(advanced === true ? { ConsistencyLevel: 'eventual' } : {}),
    });
    if (method === 'DELETE') return request.delete();
    if (body === undefined) return request.get();
    return method === 'PATCH' ? request.patch(body) : request.post(body);
  }

  return {
    tokens,
    pace,
    spend: (status, headers) => budget.spend(status, headers),
    get: (url, read, options) => send({ ...options, method: 'GET', url: checked(url, origin) }, read),
    post: (url, body, read, options) => send({ ...options, method: 'POST', url: checked(url, origin), body }, read),
    patch: (url, body, read, options) => send({ ...options, method: 'PATCH', url: checked(url, origin), body }, read),
    delete: (url, options) => send({ ...options, method: 'DELETE', url: checked(url, origin) }, () => undefined),
    cost: () => ({ ...spent, throttledMs: Math.round(pace.throttledMs()) }),
  };
}

/** Tells of one request: the log of its run, whoever counts, and its span. Only the first status counts. */
function makeTeller(
  { trace, onRequest }: Around,
  request: { readonly method: string; readonly path: string },
  clock: Clock,
  note: OpenSpan['note'],
) {
  const began = clock.now().getTime();
  const ms = (): number => clock.now().getTime() - began;
  let isCounted = false;
  return {
    ms,
    tell: (facts: object): void => trace?.('graph request', { ...request, ...facts }),
    count(status: number, resourceUnits = 0): void {
      if (isCounted) return;
      isCounted = true;
      note({ 'url.path': request.path, 'http.response.status_code': status || undefined });
      onRequest?.({ status, resourceUnits, seconds: ms() / 1000 });
    },
  };
}

/** Method and path; the query may name people, and is left out. */
function describe({ method, url }: Sent, origin: string): { method: string; path: string } {
  return { method, path: new URL(wholeUrl(url, origin)).pathname };
}

function errorName(error: unknown): string {
  const thrown = error instanceof GraphClientError && 'cause' in error ? error.cause : error;
  if (thrown instanceof GatewayError) return thrown.reason;
  return thrown instanceof Error ? thrown.name : 'unknown';
}

/** With what a refusal of the token wants of the next one. */
type Answered<Value> = Outcome<Value> & Pick<RefusedToken, 'claims'>;

function isTokenRefused<Value>(outcome: Answered<Value>): outcome is Exclude<Answered<Value>, { value: Value }> {
  return 'error' in outcome && outcome.error instanceof CredentialsError && outcome.error.reason === 'token-refused';
}

function isIncomplete(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && error.failure === 'source-incomplete' && error.reason !== 'answer-too-large';
}

function wholeUrl(url: string, origin: string): string {
  return url.startsWith('/') ? `${origin}/v1.0${url}` : url;
}

/** A link to another host is refused before a token goes there. */
function checked(url: string, origin: string): string {
  const whole = wholeUrl(url, origin);
  if (URL.canParse(whole) && new URL(whole).origin === origin) return url;
  throw new UpstreamError('A page of Microsoft Graph points to another host.', {
    failure: 'source-incomplete',
    reason: 'foreign-next-link',
    remedy: 'Check endpoints.graph, and any proxy between the gateway and Microsoft Graph.',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (/^\s*[[{]/.test(text)) throw incomplete('An answer of Microsoft Graph is cut off.', ANSWER_CUT, cause);
    throw incomplete('What answers in place of Microsoft Graph sends no JSON.', 'answer-no-json', cause);
  }
}

/** The URL as it was given: the client takes a URL apart and sorts its query, which a nextLink may not survive. */
class ExactUrl {
  readonly url: string;
  constructor(url: string) {
    this.url = url;
  }
}

/** Our URL, our token, then our fetch, which looks at addresses. The client's retry handler never retries a 500 or a broken connection. */
function middlewareChain(): Middleware {
  const outer = new OuterMiddleware();
  const authentication = new AuthenticationHandler({
    getAccessToken: () => Promise.reject(new GraphClientError('every request brings its own token')),
  });
  outer.setNext(authentication);
  authentication.setNext(new SendMiddleware());
  return outer;
}

class SendMiddleware implements Middleware {
  async execute(context: Context): Promise<void> {
    context.response = await insideFetch(context.request as string, context.options);
  }
}

/** Sets the exact URL; and keeps what is thrown below, since the client hands on only its own errors as they are. */
class OuterMiddleware implements Middleware {
  private next: Middleware | undefined;

  setNext(next: Middleware): void {
    this.next = next;
  }

  async execute(context: Context): Promise<void> {
    const exact = context.middlewareControl?.getMiddlewareOptions(ExactUrl);
    if (exact instanceof ExactUrl) context.request = exact.url;
    try {
      await this.next?.execute(context);
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause;
      throw Object.assign(new GraphClientError('below the Graph client'), { cause });
    }
  }
}
