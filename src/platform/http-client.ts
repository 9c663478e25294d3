// Outgoing HTTP with connections that are kept: for a target that gets many requests. Guarded like everything that goes
// out: private addresses refused when a name is looked up, redirects not followed, time and size bounded.
import { Agent, type Dispatcher } from 'undici';
import { ConfigError, type GatewayError, UpstreamError } from '#core/errors.ts';
import { checkOutgoingUrl, guardedLookup, type OutgoingPolicy, UNTRUSTED } from './fetch.ts';
import { inSpan, type SpanFacts, traceHeaders } from './trace.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** By lower-case name; of several the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Who we are to a server that asks for a certificate, and whom we trust in place of the usual authorities. All PEM. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string | null;
}

export interface HttpClient {
  /**
   * Whatever the status, an answer is an answer. Nothing is sent twice.
   * @throws {InputError} `url-refused`
   * @throws {ConfigError} `certificate-untrusted`
   * @throws {UpstreamError} `unreachable`, `address-refused` when nothing was sent; `timeout`, `connection-lost`,
   * `answer-too-large` when the request may have been carried out
   */
  request(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  close(): Promise<void>;
}

const CONNECT_MS = 5_000;
/** For the whole answer. */
const ANSWER_MS = 30_000;
const ANSWER_MAX = 16 * 1024 * 1024;
const KEEP_ALIVE_MS = 10_000;

export interface HttpClientOptions {
  readonly connections: number;
  /** For the whole answer. */
  readonly answerMs?: number;
  readonly tls?: TlsIdentity | undefined;
}

export function makeHttpClient(
  policy: OutgoingPolicy,
  { connections, answerMs = ANSWER_MS, tls }: HttpClientOptions,
): HttpClient {
  const agent = new Agent({
    connections,
    pipelining: 1,
    connect: {
      lookup: guardedLookup(policy),
      timeout: CONNECT_MS,
      ...(tls && { cert: tls.certificate, key: tls.key, ...(tls.ca === null ? {} : { ca: tls.ca }) }),
    },
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxResponseSize: ANSWER_MAX,
  });
  const checked = new Map<string, URL>();

  function checkedUrl(text: string): URL {
    const url = new URL(text);
    if (!checked.has(url.origin)) {
      checkOutgoingUrl(url.origin, policy);
      checked.set(url.origin, url);
    }
    return url;
  }

  return {
    async request(request, signal) {
      signal.throwIfAborted();
      const url = checkedUrl(request.url);
      const facts = { 'http.request.method': request.method, 'server.address': url.hostname };
      return inSpan(`target ${request.method}`, facts, (note) => exchange(request, url, signal, note), 'client');
    },
    async close() {
      await agent.destroy();
    },
  };

  async function exchange(
    { method, headers, body }: HttpRequest,
    url: URL,
    signal: AbortSignal,
    note: (facts: SpanFacts) => void,
  ): Promise<HttpAnswer> {
    try {
      const options = {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: { ...headers, ...traceHeaders() },
        body: body ?? null,
      };
      const answer = await dispatch(agent, options, { signal, withinMs: CONNECT_MS + answerMs });
      note({ 'http.response.status_code': answer.status });
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error, url.host);
    }
  }
}

/** Below `undici.request`, which makes a stream of each answer: a third of what a request costs. */
function dispatch(
  agent: Agent,
  options: Dispatcher.DispatchOptions,
  { signal, withinMs }: { readonly signal: AbortSignal; readonly withinMs: number },
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let controller: Dispatcher.DispatchController | undefined;
    let stopped: Error | undefined;
    let status = 0;
    let headers: HttpAnswer['headers'] = {};
    const stop = (reason: Error): void => {
      stopped = reason;
      over();
      reject(reason);
      controller?.abort(reason);
    };
    const give = (): void => stop(signal.reason);
    // Of one that comes drop by drop, the gaps between its parts are short.
    const timer = setTimeout(() => stop(new AnswerTimeout()), withinMs);
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', give);
    };
    const fail = (error: unknown): void => {
      over();
      reject(error);
    };
    signal.addEventListener('abort', give, { once: true });
    try {
      agent.dispatch(options, {
        onRequestStart(started) {
          controller = started;
          // One that was over while it waited for a connection is not sent.
          if (stopped !== undefined || signal.aborted) started.abort(stopped ?? signal.reason);
        },
        // Once for each answer that is only information, too.
        onResponseStart(_, code, given) {
          status = code;
          headers = firstOfEach(given);
        },
        onResponseData(_, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          over();
          resolve({ status, headers, text: textOf(chunks) });
        },
        onResponseError(_, error) {
          fail(error);
        },
      });
    } catch (error) {
      fail(error);
    }
  });
}

class AnswerTimeout extends Error {
  readonly code = 'ERR_ANSWER_TIMEOUT';
}

function firstOfEach(headers: Readonly<Record<string, string | string[] | undefined>>): HttpAnswer['headers'] {
  const first: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    first[name] = (Array.isArray(value) ? value[0] : value) ?? '';
  }
  return first;
}

const BYTE_ORDER_MARK = '\uFEFF';

function textOf(chunks: readonly Buffer[]): string {
  const [first = Buffer.alloc(0), ...others] = chunks;
  const text = (others.length === 0 ? first : Buffer.concat(chunks)).toString('utf8');
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

/** Codes that say that nothing was sent. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function explain(error: unknown, host: string): GatewayError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof UpstreamError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const { reason, message, remedy } = describe(code, host);
  if (reason === 'certificate-untrusted') return new ConfigError(message, { reason, remedy, cause: error });
  return new UpstreamError(message, { failure: 'network', reason, remedy, cause: error });
}

interface Broken {
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
}

function describe(code: string, host: string): Broken {
  if (UNTRUSTED.test(code) && !code.startsWith('UND_'))
    return {
      reason: 'certificate-untrusted',
      message: `The certificate of "${host}" is not trusted (${code}).`,
      remedy: 'Give it a certificate of a known authority, or name its own in NODE_EXTRA_CA_CERTS.',
    };
  if (NOT_SENT.has(code))
    return {
      reason: 'unreachable',
      message: `"${host}" cannot be reached (${code}).`,
      remedy: 'Check the URL, and that the gateway may reach the host.',
    };
  if (code.endsWith('_TIMEOUT') || code === 'ETIMEDOUT')
    return {
      reason: 'timeout',
      message: `"${host}" did not answer in time.`,
      remedy: 'Check that the target is not overloaded.',
    };
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
    return {
      reason: 'answer-too-large',
      message: `The answer of "${host}" is too large.`,
      remedy: 'Check the URL: it should be a SCIM service.',
    };
  return {
    reason: 'connection-lost',
    message: `"${host}" closed the connection before it had answered${code === '' ? '' : ` (${code})`}.`,
    remedy: 'The gateway looks what became of it; if it repeats, look at the log of the target.',
  };
}
