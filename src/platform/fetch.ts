import { type LookupAddress, lookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { retryAfterMs } from '#core/backoff.ts';
import { ConfigError, GatewayError, InputError, UpstreamError } from '#core/errors.ts';
import { isLoopbackAddress, isPublicAddress } from './addresses.ts';
import { systemClock } from './clock.ts';
import { inSpan, traceHeaders } from './trace.ts';

/** Where an administrator's URL may lead. */
export interface OutgoingPolicy {
  /** Lets plain http and loopback addresses through, for a demonstration on one machine. Never private networks. */
  readonly allowLoopback: boolean;
  /** Looks a name up, in place of the system. */
  readonly lookup?: typeof lookup;
}

export interface OutgoingPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For everything: looking the name up, connecting, sending, and reading the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface OutgoingAnswer {
  readonly status: number;
  /** From Retry-After, in seconds or as a date beside the answer's own date; undefined when absent. */
  readonly retryAfterMs: number | undefined;
  /** The beginning of the body, for whoever must know what went wrong. */
  readonly text: string;
}

/** An answer to a notification has nothing to say that is longer. */
const ANSWER_MAX = 16 * 1024;

/**
 * The URL when an administrator may give it.
 * @throws {InputError} `url-refused`: not https, with credentials in it, or a private address by its name
 */
export function checkOutgoingUrl(text: string, { allowLoopback }: OutgoingPolicy): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw refusedUrl('It is no URL.');
  const host = hostOf(url);
  const loopback = host === 'localhost' || host.endsWith('.localhost') || isLoopbackAddress(host);
  if (url.protocol !== 'https:' && !(allowLoopback && loopback && url.protocol === 'http:'))
    throw refusedUrl('It must begin with https://.');
  if (url.username !== '' || url.password !== '') throw refusedUrl('It must not hold a user name or password.');
  const named = isIP(host) !== 0 && !isPublicAddress(host);
  if (loopback ? !allowLoopback : named) throw refusedUrl('It must not lead to a private or local address.');
  return url;
}

/**
 * Sends one POST and reads the answer, whatever its status; redirects are not followed. The address is checked when
 * the name is looked up, and that address is the one connected to, so that a name cannot change its mind in between.
 * @throws {InputError} what `checkOutgoingUrl` throws
 * @throws {UpstreamError} `address-refused`, `timeout`, `unreachable`
 * @throws {ConfigError} `certificate-untrusted`
 */
export function postOutgoing(post: OutgoingPost, policy: OutgoingPolicy): Promise<OutgoingAnswer> {
  const facts = { 'http.request.method': 'POST', 'server.address': URL.parse(post.url)?.hostname };
  const work = async (note: (facts: { readonly 'http.response.status_code': number }) => void) => {
    const answer = await sendPost(post, policy);
    note({ 'http.response.status_code': answer.status });
    return answer;
  };
  return inSpan('webhook POST', facts, work, 'client');
}

async function sendPost(post: OutgoingPost, policy: OutgoingPolicy): Promise<OutgoingAnswer> {
  const url = checkOutgoingUrl(post.url, policy);
  const timeout = AbortSignal.timeout(post.timeoutMs);
  const signal = post.signal === undefined ? timeout : AbortSignal.any([timeout, post.signal]);
  const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
  try {
    return await new Promise<OutgoingAnswer>((resolve, reject) => {
      const headers = { ...post.headers, ...traceHeaders(), 'content-length': Buffer.byteLength(post.body) };
      const request = send(url, { method: 'POST', headers, agent: false, lookup: guardedLookup(policy), signal });
      request.once('error', reject);
      request.once('response', (response) => {
        readAnswer(response).then(resolve, reject);
      });
      request.end(post.body);
    });
  } catch (error) {
    post.signal?.throwIfAborted();
    throw explainOutgoing(error, url.host, timeout.aborted);
  }
}

/** Hands on only addresses that may be connected to. */
export function guardedLookup({ allowLoopback, lookup: resolve = lookup }: OutgoingPolicy): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error !== null) return callback(error, '');
      const allowed = found.filter(
        ({ address }) => isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address)),
      );
      const first = allowed[0];
      if (first === undefined) return callback(addressRefused(hostname), '');
      if (options.all === true) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
}

async function readAnswer(response: IncomingMessage): Promise<OutgoingAnswer> {
  let text = '';
  response.setEncoding('utf8');
  // Leaving the loop destroys the response, and with it the connection.
  for await (const chunk of response) {
    text += chunk;
    if (text.length > ANSWER_MAX) break;
  }
  return {
    status: response.statusCode ?? 0,
    retryAfterMs: retryAfterMs({ get: (name) => String(response.headers[name] ?? '') }, systemClock.now().getTime()),
    text: text.slice(0, ANSWER_MAX),
  };
}

/** Without the brackets of an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function refusedUrl(why: string): InputError {
  return new InputError(`The URL cannot be used. ${why}`, {
    reason: 'url-refused',
    remedy: 'Give an https URL of a public host.',
  });
}

function addressRefused(hostname: string): UpstreamError {
  return new UpstreamError(`"${hostname}" leads to a private or local address.`, {
    failure: 'network',
    reason: 'address-refused',
    remedy: 'Give an https URL of a host with a public address.',
  });
}

/** Codes of Node and OpenSSL for a certificate that cannot be trusted, or that is another host's. */
export const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/;

export function explainOutgoing(error: unknown, host: string, late: boolean): GatewayError {
  if (error instanceof GatewayError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (late)
    return new UpstreamError(`"${host}" did not answer in time.`, {
      failure: 'network',
      reason: 'timeout',
      remedy: 'Check that the receiver answers within some seconds; it should take the message and work on it later.',
      cause: error,
    });
  if (UNTRUSTED.test(code))
    return new ConfigError(`The certificate of "${host}" is not trusted (${code}).`, {
      reason: 'certificate-untrusted',
      remedy: 'Give the receiver a certificate of a known authority, or name its own in NODE_EXTRA_CA_CERTS.',
      cause: error,
    });
  return new UpstreamError(`"${host}" cannot be reached${code === '' ? '' : ` (${code})`}.`, {
    failure: 'network',
    reason: 'unreachable',
    remedy: 'Check the URL, and that the gateway may reach the host.',
    cause: error,
  });
}
