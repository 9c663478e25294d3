import { ConfigError, UpstreamError } from '#core/errors.ts';
import { type Exchange, TargetError, type TargetFailure } from '#core/target.ts';
import type { Clock } from '#platform/clock.ts';
import type { HttpAnswer, HttpClient } from '#platform/http-client.ts';
import { type Mask, makeMask } from '#platform/mask.ts';
import type { Authorizer } from './auth.ts';
import { type Pace, waitAsked } from './pace.ts';

export interface ScimRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base URL, encoded: `/Users/1`. */
  readonly path: string;
  readonly body?: unknown;
  readonly etag?: string | undefined;
}

export interface ScimAnswer {
  readonly status: number;
  /** Undefined without a body. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  readonly etag: string | undefined;
  readonly location?: string | undefined;
}

/** Talks SCIM to one target. A failure is a `TargetError` that says how to take it; nothing is sent twice but after a 401. */
export interface ScimClient {
  send(request: ScimRequest, signal: AbortSignal): Promise<ScimAnswer>;
  /** Words of an answer, without the credentials of now. */
  readonly mask: Mask;
}

/** What is shown of an exchange, and how. */
interface Told {
  readonly exchange: Exchange;
  readonly mask: Mask;
}

type Tell = (status: number | null, response: string | null) => Exchange;

export interface ClientParts {
  readonly http: HttpClient;
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  /** Never shown, whoever repeats them. */
  readonly secrets: readonly string[];
  readonly authorizer: Authorizer;
  readonly pace: Pace;
  readonly clock: Clock;
  /** What would change something is traced, and not sent. */
  readonly dryRun: boolean;
  trace(exchange: Exchange, of: AbortSignal): void;
  /** Asked right before each request that changes something. */
  readonly permit: (() => Promise<void>) | undefined;
}

const USER_AGENT = 'Sluice';
const SCIM_TYPE = 'application/scim+json';
const SHOWN_MAX = 2_000;
/** Of a credential that begins within that, so that no half of it is seen. */
const SECRET_MAX = 20_000;
/** GitHub's secondary limit answers 403 and says when to come back. */
const THROTTLED = new Set([429, 503]);
/** When a rate limit does not say for how long; a whole target rests, not one request. */
const REST_MS = 2_000;

export function makeScimClient(parts: ClientParts): ScimClient {
  const { http, baseUrl, authorizer, pace, clock } = parts;
  let { contentType } = parts;
  let mask = { for: '', of: makeMask(parts.secrets) };

  async function send(request: ScimRequest, signal: AbortSignal): Promise<ScimAnswer> {
    await pace.turn(request.method === 'GET' ? 'read' : 'write', signal);
    const authorization = await within(request, () => authorizer.header(signal));
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const mask = maskFor(authorization);
    const tell = teller(request, { body, mask }, signal);
    if (parts.dryRun && request.method !== 'GET') {
      tell(null, null);
      return pretended(request);
    }
    const [as, answer] = [contentType, await exchange(request, { authorization, body }, tell, signal)];
    const told = tell(answer.status, answer.text === '' ? null : answer.text);
    // Whatever it answers, and also with the last request of a window: what follows would be refused.
    pace.rest(waitAsked(answer.headers, clock.now()) ?? 0);
    if (mayTryOtherwise(answer.status, authorization, as)) return send(request, signal);
    return read(request, answer, { exchange: told, mask });
  }

  /** The same for as long as the credential is. */
  function maskFor(authorization = ''): Mask {
    if (mask.for !== authorization) {
      const credential = authorization.replace(/^\w+ /, '');
      mask = { for: authorization, of: makeMask([...parts.secrets, credential]) };
    }
    return mask.of;
  }

  /** Each exchange is traced once, whatever came of it. */
  function teller(
    request: ScimRequest,
    { body, mask }: { body: string | undefined; mask: Mask },
    signal: AbortSignal,
  ): Tell {
    const started = clock.now().getTime();
    const { method, path } = request;
    return (status, response) => {
      const told = shownExchange(
        { method, path, status, ms: clock.now().getTime() - started },
        { request: body, response, mask },
      );
      parts.trace(told, signal);
      return told;
    };
  }

  async function exchange(
    request: ScimRequest,
    { authorization, body }: { authorization: string | undefined; body: string | undefined },
    tell: Tell,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { method, path } = request;
    if (method !== 'GET') await parts.permit?.();
    // It may have been asked for while this one waited for its permission.
    pace.checkRest();
    try {
      return await http.request(
        { method, url: `${baseUrl}${path}`, headers: headersOf(request, authorization), body },
        signal,
      );
    } catch (error) {
      if (signal.aborted) throw error;
      throw unanswered(error, request, tell(null, null));
    }
  }

  /** After a refusal before anything was done: with another credential, or as plain JSON. */
  function mayTryOtherwise(status: number, authorization: string | undefined, sentAs: string): boolean {
    if (status === 401) return authorizer.refused(authorization);
    // Of several at once, the first changes it for all.
    if (status !== 415 || sentAs !== SCIM_TYPE) return false;
    contentType = 'application/json';
    return true;
  }

  function headersOf({ body, etag }: ScimRequest, authorization: string | undefined): Record<string, string> {
    return {
      ...parts.headers,
      'user-agent': USER_AGENT,
      accept: contentType === 'application/json' ? 'application/json' : 'application/scim+json, application/json',
      ...(body === undefined ? {} : { 'content-type': contentType }),
      ...(authorization === undefined ? {} : { authorization }),
      ...(etag === undefined ? {} : { 'if-match': etag }),
    };
  }

  function read(request: ScimRequest, answer: HttpAnswer, told: Told): ScimAnswer {
    const { status, headers, text } = answer;
    const body = parse(text);
    if (status >= 200 && status < 300) {
      if (body === null) throw noScim(request, status, told.exchange);
      const meta = body?.['meta'];
      const version = typeof meta === 'object' && meta !== null && 'version' in meta ? String(meta.version) : undefined;
      return { status, body, etag: headers['etag'] ?? version, location: headers['location'] };
    }
    throw refused(request, answer, body, told);
  }

  /** A rate limit makes the whole target rest, not one request. */
  function refused(
    request: ScimRequest,
    { status, headers }: HttpAnswer,
    body: Refused['body'],
    told: Told,
  ): TargetError {
    const asked = waitAsked(headers, clock.now());
    const isThrottled = THROTTLED.has(status) || (status === 403 && asked !== undefined);
    if (isThrottled && status !== 503 && asked === undefined) pace.rest(REST_MS);
    return refusal(request, { status, body, asked, isThrottled }, told);
  }

  return { send, mask: (text) => mask.of(text) };
}

let pretences = 0;

/** As if it had been carried out. */
function pretended({ method, body }: ScimRequest): ScimAnswer {
  pretences += 1;
  const made = typeof body === 'object' && body !== null ? { ...body, id: `dry-run-${pretences}` } : undefined;
  return { status: method === 'POST' ? 201 : 204, body: method === 'POST' ? made : undefined, etag: undefined };
}

async function within<T>(request: ScimRequest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TargetError || !(error instanceof UpstreamError || error instanceof ConfigError)) throw error;
    // No request of ours has gone out yet.
    throw new TargetError(error.message, {
      kind: 'network',
      reason: error.reason,
      ...(error.remedy && { remedy: error.remedy }),
      cause: { error, request },
    });
  }
}

/** Nothing came back. Whether the request was carried out is not known, unless nothing was sent. */
function unanswered(error: unknown, { method }: ScimRequest, exchange: Exchange): unknown {
  if (!(error instanceof UpstreamError) && !(error instanceof ConfigError)) return error;
  const wasSent =
    error.reason !== 'unreachable' && error.reason !== 'address-refused' && error instanceof UpstreamError;
  return new TargetError(error.message, {
    kind: error instanceof ConfigError || error.reason === 'answer-too-large' ? 'contract' : 'network',
    reason: error.reason,
    unknown: wasSent && method !== 'GET',
    exchange,
    cause: error,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
  });
}

/** Null when it is not JSON; undefined when there is nothing. */
function parse(text: string): Readonly<Record<string, unknown>> | undefined | null {
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function noScim({ method }: ScimRequest, status: number, exchange: Exchange): TargetError {
  return new TargetError(`The target answered ${status} with something that is not JSON.`, {
    kind: 'contract',
    reason: 'not-scim',
    status,
    unknown: method !== 'GET',
    exchange,
    remedy: 'Check the base URL: it should be that of a SCIM service, such as https://example.com/scim/v2.',
  });
}

interface Refused {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | undefined | null;
  readonly asked: number | undefined;
  readonly isThrottled: boolean;
}

/** RFC 6585 section 3: it takes changes with If-Match only. */
const PRECONDITION_NEEDED = 428;
/** Words of targets that answer 400 for a value that is taken. */
export const TAKEN = /already (exists|in use|taken)|duplicate|must be unique|uniqueness/i;

function refusal({ method, path }: ScimRequest, refused: Refused, { exchange, mask }: Told): TargetError {
  const { status, body, asked } = refused;
  const detail = typeof body?.['detail'] === 'string' ? mask(body['detail']).slice(0, 300) : '';
  const scimType = typeof body?.['scimType'] === 'string' ? body['scimType'] : '';
  const kind = kindOf(refused, `${scimType} ${detail}`);
  const { reason, remedy } = WORDS[kind];
  return new TargetError(
    `The target answered ${status} to ${method} ${path.split('?')[0]}${detail === '' ? '.' : `: ${detail}`}`,
    {
      kind,
      reason: kind === 'refused' && scimType !== '' ? `target-${scimType}` : reason,
      status,
      // A failure of the server may come after it has done its work.
      unknown: kind === 'server' && method !== 'GET',
      retryAfterMs: asked,
      exchange,
      remedy,
    },
  );
}

function kindOf({ status, isThrottled }: Refused, words: string): TargetFailure {
  if (isThrottled) return 'throttled';
  if (status === 401 || status === 403) return 'credentials';
  if (status === 404 || status === 410) return 'gone';
  if (status === 405 || status === 501) return 'unsupported';
  if (status === 409 || (status === 400 && TAKEN.test(words))) return 'conflict';
  if (status === 412 || status === PRECONDITION_NEEDED) return 'stale';
  if (status === 408 || status === 425 || status >= 500) return 'server';
  if (status >= 300 && status < 400) return 'contract';
  return 'refused';
}

const WORDS: Readonly<Record<TargetFailure, { readonly reason: string; readonly remedy: string }>> = {
  network: { reason: 'unreachable', remedy: 'Check that the target can be reached.' },
  throttled: { reason: 'target-throttled', remedy: 'Nothing: the gateway waits as long as it is asked to.' },
  server: {
    reason: 'target-failed',
    remedy: 'Nothing yet: it is tried again; if it repeats, ask whoever runs the target.',
  },
  credentials: {
    reason: 'target-refused-us',
    remedy: 'Enter a valid credential, with permission to read and write users and groups.',
  },
  contract: { reason: 'not-scim', remedy: 'Check the base URL: it should be that of a SCIM service.' },
  gone: { reason: 'target-gone', remedy: 'Nothing: it is made again.' },
  conflict: {
    reason: 'target-conflict',
    remedy: 'Another resource there has the same value: remove it, or change the value here.',
  },
  stale: { reason: 'target-changed', remedy: 'Nothing: it is read again, and tried again.' },
  unsupported: { reason: 'target-unsupported', remedy: 'Set the dialect of the target to what it takes.' },
  refused: {
    reason: 'target-refused',
    remedy:
      'Look at the answer: correct the value here, change the mapping, or leave the attribute out (exclude); then replay.',
  },
};

/** Masked only when somebody looks: of most exchanges nobody sees the answer. */
function shownExchange(
  facts: Omit<Exchange, 'request' | 'response'>,
  { request, response, mask }: { request: string | undefined; response: string | null; mask: Mask },
): Exchange {
  return {
    ...facts,
    get request() {
      return request === undefined ? null : masked(request);
    },
    get response() {
      return response === null ? null : mask(response.slice(0, SHOWN_MAX + SECRET_MAX)).slice(0, SHOWN_MAX);
    },
  };
}

/** Values of passwords, whatever they are called. */
function masked(body: string): string {
  const shown = body.length > SHOWN_MAX ? `${body.slice(0, SHOWN_MAX)}…` : body;
  return shown.replaceAll(/("[^"]*(?:password|secret|token)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"?/gi, '$1"[redacted]"');
}
