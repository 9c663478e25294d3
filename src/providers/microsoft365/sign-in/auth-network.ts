import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import { retryAfterMs } from '#core/backoff.ts';
import { ConfigError, GatewayError, UpstreamError } from '#core/errors.ts';
import type { Clock } from '#platform/clock.ts';
import { type Fetch, refusalIn } from '#platform/inside-fetch.ts';
import { readBody } from '../graph/body.ts';
import { type Limits, makePace, type Outcome } from '../graph/pace.ts';
import { isUntrusted } from './auth-errors.ts';

/**
 * MSAL's way to the network. Trying again happens here, below MSAL, because MSAL remembers a 429 or 5xx and answers
 * with it for a minute without asking; and what went wrong is kept here, because MSAL drops it.
 */
export interface AuthNetwork extends INetworkModule {
  /** What the last call failed with: an error of ours, or the text of a refusal. Cleared by reading. */
  takeFailure(): GatewayError | string | undefined;
}

/** A token answer is a few kilobytes; a metadata document some more. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/** @param send carries one request: the machine's own identity is asked for in another way than the sign-in service */
export function makeAuthNetwork(clock: Clock, limits: Limits, send: Fetch): AuthNetwork {
  const pace = makePace(clock, limits, undefined, 'The sign-in service of Microsoft');
  const forever = new AbortController().signal;
  let failure: GatewayError | string | undefined;

  async function ask<Body>(method: string, url: string, given: NetworkRequestOptions = {}) {
    try {
      const answer = await pace.run(() => tryOnce<Body>(method, url, given), forever);
      failure = answer.status >= 400 ? JSON.stringify(answer.body) : undefined;
      return answer;
    } catch (error) {
      if (error instanceof GatewayError) failure = error;
      throw error;
    }
  }

  async function tryOnce<Body>(
    method: string,
    url: string,
    { headers, body }: NetworkRequestOptions,
  ): Promise<Outcome<NetworkResponse<Body>>> {
    try {
      const signal = AbortSignal.timeout(limits.timeoutMs);
      const init = { method, redirect: 'manual', signal, ...(headers && { headers }), ...(body && { body }) } as const;
      const response = await send(url, init);
      const { text } = await readBody(response, ANSWER_BYTES_MAX);
      return readAnswer<Body>(response, text, clock.now().getTime());
    } catch (cause) {
      if (cause instanceof GatewayError) return { retry: false, error: cause };
      const refused = refusalIn(cause);
      if (refused !== undefined) return { retry: false, error: refused };
      return { retry: !isUntrusted(cause), error: isUntrusted(cause) ? untrusted(cause) : unreachable(cause) };
    }
  }

  return {
    sendGetRequestAsync: (url, options) => ask('GET', url, options),
    sendPostRequestAsync: (url, options) => ask('POST', url, options),
    takeFailure() {
      const taken = failure;
      failure = undefined;
      return taken;
    },
  };
}

function readAnswer<Body>(response: Response, text: string, now: number): Outcome<NetworkResponse<Body>> {
  const { status, headers } = response;
  if (status === 429 || status >= 500) {
    const waitMs = retryAfterMs(headers, now);
    const wait = waitMs === undefined ? 'again and again' : `and asks to wait ${Math.ceil(waitMs / 1000)} s`;
    const error = new UpstreamError(`The sign-in service of Microsoft answered ${status} ${wait}.`, {
      failure: status === 429 ? 'throttled' : 'server',
      reason: 'sign-in-unavailable',
      remedy: 'The next run tries again; if it repeats, look at the service health page of Microsoft 365.',
      retryAfterMs: waitMs ?? 60_000,
    });
    return { retry: true, busy: status === 429 || waitMs !== undefined, waitMs, error };
  }
  try {
    // Headers stay here: a Retry-After beside a refusal would make MSAL refuse by itself for a while.
    return { value: { status, headers: {}, body: JSON.parse(text) as Body } };
  } catch {
    return { retry: status < 300, error: notTheService(status) };
  }
}

function notTheService(status: number): UpstreamError {
  return new UpstreamError(`What answers in place of the sign-in service sends no JSON (status ${status}).`, {
    failure: 'server',
    reason: 'sign-in-broken',
    remedy: 'Check endpoints.login, and any proxy between the gateway and it.',
  });
}

function untrusted(cause: unknown): ConfigError {
  return new ConfigError('The certificate of the sign-in service is not trusted.', {
    reason: 'certificate-untrusted',
    remedy: 'Start the gateway with NODE_EXTRA_CA_CERTS naming a file with the authority that issued it.',
    cause,
  });
}

function unreachable(cause: unknown): UpstreamError {
  return new UpstreamError('The sign-in service of Microsoft cannot be reached.', {
    failure: 'network',
    reason: 'sign-in-unreachable',
    remedy: 'Check the network, a proxy, and endpoints.login in the settings.',
    retryAfterMs: 60_000,
    cause,
  });
}
