// One signed POST, and what its answer means. Reports of runs and events of apps go out the same way.
import { UpstreamError } from '#core/errors.ts';
import { type OutgoingAnswer, type OutgoingPolicy, postOutgoing } from '#platform/fetch.ts';
import { type SignedMessage, signWebhookWith, type WebhookKey } from '#platform/webhook-signature.ts';

/** Within what the specification asks a sender to wait. */
const TIMEOUT_MS = 15_000;

/** Posts a message, signed with every key. @throws {GatewayError} what `postOutgoing` throws */
export function postWebhook(
  { url, keys }: { url: string; keys: readonly WebhookKey[] },
  message: SignedMessage,
  policy: OutgoingPolicy,
  signal?: AbortSignal,
): Promise<OutgoingAnswer> {
  const headers = { 'content-type': 'application/json', ...signWebhookWith(keys, message) };
  return postMessage({ url, headers, body: message.body }, policy, signal);
}

/** Posts a security event token (RFC 8935 section 2.1). @throws {GatewayError} what `postOutgoing` throws */
export function postSet(
  { url, authorization }: { url: string; authorization: string | undefined },
  token: string,
  policy: OutgoingPolicy,
  signal?: AbortSignal,
): Promise<OutgoingAnswer> {
  const headers = {
    'content-type': 'application/secevent+jwt',
    accept: 'application/json',
    ...(authorization === undefined ? {} : { authorization }),
  };
  return postMessage({ url, headers, body: token }, policy, signal);
}

function postMessage(
  { url, headers, body }: { url: string; headers: Readonly<Record<string, string>>; body: string },
  policy: OutgoingPolicy,
  signal: AbortSignal | undefined,
): Promise<OutgoingAnswer> {
  const post = { url, headers: { ...headers, 'user-agent': 'Sluice' }, body, timeoutMs: TIMEOUT_MS };
  return postOutgoing(signal === undefined ? post : { ...post, signal }, policy);
}

export function isTaken({ status }: OutgoingAnswer): boolean {
  return status >= 200 && status < 300;
}

/** An answer that is not 2xx, in words. */
export function refusalOf({ status, retryAfterMs }: OutgoingAnswer, what = 'the webhook'): UpstreamError {
  return new UpstreamError(`The receiver of ${what} answered ${status}.`, {
    failure: status === 429 ? 'throttled' : 'server',
    reason: 'webhook-refused',
    remedy:
      status >= 300 && status < 400
        ? 'Give the URL to which it redirects; redirects are not followed.'
        : 'Look at the log of the receiver; it answers 2xx to what it has taken.',
    retryAfterMs,
  });
}
