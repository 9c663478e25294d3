import {
  AuthenticationHandler,
  Client,
  type Context,
  GraphClientError,
  HTTPMessageHandler,
  type Middleware,
  ResponseType,
} from '@microsoft/microsoft-graph-client';
import {
  ConfigError,
  CredentialsError,
  type GatewayError,
  InputError,
  NotFoundError,
  UpstreamError,
} from '#core/errors.ts';
import type { Cost } from '#core/provider.ts';
import type { Clock } from '#platform/clock.ts';
import { isUntrusted, makeTokenSource, type TokenSource } from './auth.ts';
import { endpointsOf, type Microsoft365Settings } from './settings.ts';

/** A read of Graph: JSON in, or an error an administrator can act on. */
export interface Graph {
  readonly origin: string;
  /**
   * @param url a path below /v1.0, or a whole nextLink of the same origin
   * @throws {UpstreamError} `throttled`, `server`, `network` after all attempts; `source-incomplete` for an answer that is none
   * @throws {CredentialsError} the token is refused, or a permission is missing
   * @throws {NotFoundError} 404
   * @throws {InputError} any other 4xx, `reason` being Graph's own code
   */
  get(url: string, options: { signal: AbortSignal; advanced?: boolean }): Promise<unknown>;
  post(url: string, body: unknown, options: { signal: AbortSignal }): Promise<unknown>;
  tokens: TokenSource;
  cost(): Cost;
}

const ATTEMPTS_MAX = 8;
const TIMEOUT_MS = 120_000;
/** A page of 999 users is about 2 MB; this bounds an answer that never ends. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 60_000;
/** A longer wait than this is not worth keeping a run open for. */
const RETRY_AFTER_MAX_MS = 15 * 60_000;

interface Attempt {
  readonly retry: boolean;
  readonly waitMs?: number | undefined;
  /** True when every request of this provider must wait (429, 503 with Retry-After). */
  readonly pauseAll?: boolean;
  readonly error: GatewayError;
}

/** Opens Graph for these settings. Nothing is sent before the first read. */
export function openGraph(settings: Microsoft365Settings, clock: Clock): Graph {
  const { graph: origin } = endpointsOf(settings);
  const tokens = makeTokenSource(settings);
  const spent = { requests: 0, resourceUnits: 0, bytes: 0, throttledMs: 0 };
  let pausedUntil = 0;
  let fresh = false;
  const client = Client.initWithMiddleware({
    baseUrl: `${origin}/`,
    defaultVersion: 'v1.0',
    customHosts: new Set([new URL(origin).hostname]),
    middleware: chain(tokens, () => fresh),
  });

  async function send(
    method: 'get' | 'post',
    url: string,
    body: unknown,
    options: { signal: AbortSignal; advanced?: boolean },
  ) {
    checkOrigin(url, origin);
    let refreshed = false;
    for (let attempt = 1; ; attempt += 1) {
      const failed = await tryOnce(method, url, body, options);
      if (!('error' in failed)) return failed.value;
      if (failed.error instanceof CredentialsError && failed.error.reason === 'token-refused' && !refreshed) {
        // MSAL hands the same token out again until it is told not to.
        refreshed = true;
        fresh = true;
        continue;
      }
      if (!failed.retry || attempt >= ATTEMPTS_MAX) throw failed.error;
      await waitFor(failed, attempt, options.signal);
    }
  }

  async function tryOnce(
    method: 'get' | 'post',
    url: string,
    body: unknown,
    { signal, advanced }: { signal: AbortSignal; advanced?: boolean },
  ): Promise<Attempt | { readonly value: unknown }> {
    await untilUnpaused(signal);
    spent.requests += 1;
    try {
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      let request = client.api(url).responseType(ResponseType.RAW).options({ signal: timeout });
      if (advanced) request = request.header('ConsistencyLevel', 'eventual');
      const response: Response = method === 'get' ? await request.get() : await request.post(body);
      fresh = false;
      spent.resourceUnits += Number(response.headers.get('x-ms-resource-unit') ?? 0) || 0;
      const text = await readText(response);
      spent.bytes += text.length;
      return response.ok ? parseBody(text) : explainStatus(response, text, clock.now().getTime());
    } catch (error) {
      signal.throwIfAborted();
      return explainThrown(error);
    }
  }

  async function untilUnpaused(signal: AbortSignal): Promise<void> {
    for (;;) {
      const wait = pausedUntil - clock.now().getTime();
      if (wait <= 0) return;
      await clock.sleep(wait, signal);
    }
  }

  async function waitFor({ waitMs, pauseAll }: Attempt, attempt: number, signal: AbortSignal): Promise<void> {
    const cap = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (attempt - 1));
    const wait = waitMs ?? cap / 2 + Math.random() * (cap / 2);
    if (pauseAll) {
      pausedUntil = Math.max(pausedUntil, clock.now().getTime() + wait);
      spent.throttledMs += wait;
      return untilUnpaused(signal);
    }
    await clock.sleep(wait, signal);
  }

  return {
    origin,
    tokens,
    get: (url, options) => send('get', url, undefined, options),
    post: (url, body, options) => send('post', url, body, options),
    cost: () => ({ ...spent }),
  };
}

/** Our token, then the client's own fetch. Retrying is ours: the client's handler never retries 500 or a broken connection. */
function chain(tokens: TokenSource, fresh: () => boolean): Middleware {
  const keepCause = new KeepCause();
  const authentication = new AuthenticationHandler({ getAccessToken: () => tokens.token(fresh()) });
  keepCause.setNext(authentication);
  authentication.setNext(new HTTPMessageHandler());
  return keepCause;
}

/** The Graph client hands on only its own errors as they are, so what was thrown below travels inside one. */
class KeepCause implements Middleware {
  private next: Middleware | undefined;

  setNext(next: Middleware): void {
    this.next = next;
  }

  async execute(context: Context): Promise<void> {
    try {
      await this.next?.execute(context);
    } catch (cause) {
      throw Object.assign(new GraphClientError('below the Graph client'), { cause });
    }
  }
}

/** A nextLink to another host is refused before a token goes there. */
function checkOrigin(url: string, origin: string): void {
  if (!/^[a-z]+:/i.test(url)) return;
  if (URL.canParse(url) && new URL(url).origin === origin) return;
  throw new UpstreamError('A page of Graph points to another host.', {
    failure: 'source-incomplete',
    reason: 'foreign-next-link',
    remedy: 'Check endpoints.graph, and any proxy between the gateway and Graph.',
  });
}

async function readText(response: Response): Promise<string> {
  const announced = Number(response.headers.get('content-length') ?? 0);
  const text = announced > BODY_BYTES_MAX ? undefined : await response.text();
  if (text === undefined || text.length > BODY_BYTES_MAX)
    throw new UpstreamError('An answer of Graph is larger than 64 MiB.', {
      failure: 'source-incomplete',
      reason: 'answer-too-large',
    });
  return text;
}

function parseBody(text: string): Attempt | { readonly value: unknown } {
  if (text === '') return { value: undefined };
  try {
    return { value: JSON.parse(text) };
  } catch (cause) {
    const error = new UpstreamError('An answer of Graph is cut off or not JSON.', {
      failure: 'source-incomplete',
      reason: 'answer-broken',
      remedy: 'Run again; if it repeats, look for a proxy between the gateway and Graph.',
      retryAfterMs: 60_000,
      cause,
    });
    return { retry: true, error };
  }
}

/** Sources: learn.microsoft.com/graph/errors and /graph/throttling, checked 2026-11. */
function explainStatus(response: Response, text: string, now: number): Attempt {
  const { status } = response;
  const { code, message } = graphError(text);
  const waitMs = retryAfterMs(response.headers.get('retry-after'), now);
  if (status === 429 || status === 503 || status === 504) {
    const failure = status === 429 ? 'throttled' : 'server';
    const tooLong = waitMs !== undefined && waitMs > RETRY_AFTER_MAX_MS;
    const error = new UpstreamError(
      `Graph answered ${status}${tooLong ? ' and asks to wait for long' : ' again and again'}.`,
      {
        failure,
        remedy: 'The next run tries again; run less often if it repeats.',
        retryAfterMs: waitMs ?? BACKOFF_MAX_MS,
      },
    );
    return { retry: !tooLong, waitMs, pauseAll: status === 429 || waitMs !== undefined, error };
  }
  if (status >= 500)
    return {
      retry: true,
      error: new UpstreamError(`Graph answered ${status} again and again.`, {
        failure: 'server',
        remedy: 'The next run tries again; look at the service health page of Microsoft 365 if it repeats.',
        retryAfterMs: BACKOFF_MAX_MS,
      }),
    };
  return { retry: false, error: explainRefusal(status, code, message) };
}

function explainRefusal(status: number, code: string, message: string): GatewayError {
  if (status === 401)
    return new CredentialsError('Graph refuses the access token.', {
      failure: 'auth',
      reason: 'token-refused',
      remedy: 'Check that the application still exists and that its credential was not revoked.',
    });
  if (status === 403)
    return new CredentialsError('The application lacks a permission in Microsoft Graph.', {
      failure: 'consent',
      remedy: 'Grant User.Read.All and GroupMember.Read.All as application permissions, with admin consent.',
      details: { graphCode: code },
    });
  if (status === 404) return new NotFoundError('Graph does not know this object.', { details: { graphCode: code } });
  return new InputError(`Graph refuses a request with ${status}: ${message.slice(0, 200)}`, {
    reason: code === '' ? 'graph-refused' : code,
    remedy: 'Look the code up in the error reference of Microsoft Graph.',
  });
}

function graphError(text: string): { code: string; message: string } {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    return { code: String(error?.code ?? ''), message: String(error?.message ?? '') };
  } catch {
    return { code: '', message: '' };
  }
}

/** Seconds or an HTTP date (RFC 9110 section 10.2.3), in milliseconds from now. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** What was thrown on the way: by the sign-in, by the network, by a body that broke off. */
function explainThrown(thrown: unknown): Attempt {
  const error = unwrap(thrown);
  if (error instanceof UpstreamError) return { retry: error.failure === 'network', error };
  if (error instanceof CredentialsError || error instanceof ConfigError) return { retry: false, error };
  if (isUntrusted(error))
    return {
      retry: false,
      error: new ConfigError('The certificate of the Graph endpoint is not trusted.', {
        reason: 'certificate-untrusted',
        remedy: 'Start the gateway with NODE_EXTRA_CA_CERTS naming the authority that issued it.',
        cause: error,
      }),
    };
  return {
    retry: true,
    error: new UpstreamError('Microsoft Graph cannot be reached, or breaks off its answers.', {
      failure: 'network',
      remedy: 'Check the network, a proxy, and the endpoint in the settings.',
      retryAfterMs: BACKOFF_MAX_MS,
      cause: error,
    }),
  };
}

function unwrap(thrown: unknown): unknown {
  return thrown instanceof GraphClientError && 'cause' in thrown ? thrown.cause : thrown;
}
