// What goes wrong between us and Graph, as errors with a stable reason and a remedy.
import { retryAfterMs } from '#core/backoff.ts';
import { ConfigError, CredentialsError, type GatewayError, NotFoundError, UpstreamError } from '#core/errors.ts';
import { refusalIn } from '#platform/inside-fetch.ts';
import { isUntrusted } from '../sign-in/auth-errors.ts';
import type { Failed } from './pace.ts';

/** When the next run may try again, if nobody said. */
const LATER_MS = 60_000;

/** A 4xx that is neither the credential's fault nor an unknown object, or a 501: the request itself was refused. */
export const REQUEST_REFUSED = 'request-refused';
/** No more likely the next time. */
const NOT_IMPLEMENTED = 501;

/** What was asked for is not there, may not be asked for by us, or not in this way: to be lived without, where it can be. */
export function isNotGiven(error: unknown): boolean {
  if (error instanceof NotFoundError) return true;
  if (error instanceof CredentialsError) return error.failure === 'consent';
  return error instanceof UpstreamError && error.reason === REQUEST_REFUSED;
}

/**
 * What an answer that is no success means.
 * Sources: learn.microsoft.com/graph/errors and /graph/throttling, checked 2026-11.
 */
export function explainStatus(response: Response, body: string, now: number): Failed {
  const { status, headers } = response;
  const waitMs = retryAfterMs(headers, now);
  const [code = '', ...inner] = graphCodes(body);
  const facts = {
    status,
    graphCode: code,
    requestId: headers.get('request-id') ?? undefined,
    ...(inner.length > 0 && { innerCodes: inner }),
  };
  if (status === 429 || status === 509)
    return { retry: true, busy: true, waitMs, error: busyError('throttled', waitMs, facts) };
  if ((status >= 500 && status !== NOT_IMPLEMENTED) || status === 408)
    return { retry: true, busy: waitMs !== undefined, waitMs, error: busyError('server', waitMs, facts) };
  const { pathname, search } = new URL(response.url);
  return { retry: false, error: explainRefusal(facts, `${pathname}${search}`) };
}

type Facts = Readonly<Record<string, unknown>> & {
  readonly status: number;
  readonly graphCode: string;
  readonly requestId: string | undefined;
};

function busyError(failure: 'throttled' | 'server', waitMs: number | undefined, details: Facts): UpstreamError {
  const wait = waitMs === undefined ? 'again and again' : `and asks to wait ${Math.ceil(waitMs / 1000)} s`;
  return new UpstreamError(`Microsoft Graph answered ${details.status} ${wait}.`, {
    failure,
    remedy:
      failure === 'throttled'
        ? 'The next run tries again; run less often if it repeats.'
        : 'The next run tries again; if it repeats, look at the service health page of Microsoft 365.',
    retryAfterMs: waitMs ?? LATER_MS,
    details,
  });
}

function explainRefusal(facts: Facts, url: string): GatewayError {
  const { status, graphCode: code } = facts;
  if ((status === 401 || status === 403) && code === 'Authorization_IdentityNotFound') return notInTenant(facts);
  if (status === 401)
    return new CredentialsError('Microsoft Graph refuses the access token.', {
      failure: 'auth',
      reason: 'token-refused',
      remedy: 'Check that the application still exists, that its credential was not revoked, and endpoints.graph.',
      details: facts,
    });
  if (status === 403) return permissionMissing(facts, url);
  if (status === 404) return new NotFoundError('Microsoft Graph does not know this object.', { details: facts });
  return new UpstreamError(`Microsoft Graph refuses a request with ${status}${code === '' ? '' : ` (${code})`}.`, {
    failure: 'server',
    reason: REQUEST_REFUSED,
    remedy: 'Check endpoints.graph; look the code up in the error reference of Microsoft Graph.',
    details: facts,
  });
}

/** Tokens are given for an application that the tenant does not have; Graph says so then. */
function notInTenant(details: Facts): CredentialsError {
  return new CredentialsError('Microsoft Graph does not find the application in this tenant.', {
    failure: 'consent',
    reason: 'application-not-consented',
    remedy:
      'Check tenantId, and let an administrator grant admin consent under "API permissions" of the app registration; it can take some minutes.',
    details,
  });
}

/**
 * A step of a batch that is denied, as the same request by itself would be.
 * @param url as the step names it
 */
export function explainDenied(url: string, body: unknown): CredentialsError {
  const [code = ''] = graphCodes(JSON.stringify(body ?? null));
  return permissionMissing({ status: 403, graphCode: code, requestId: undefined }, `/v1.0${url}`);
}

/** The least permission for what was read. Source: learn.microsoft.com/graph/permissions-reference, checked 2026-11. */
const PERMISSION_FOR: readonly (readonly [RegExp, string])[] = [
  [/\/v1\.0\/(users|\$batch)/, 'User.Read.All'],
  [/\/v1\.0\/groups/, 'GroupMember.Read.All'],
  [/\/v1\.0\/organization/, 'Organization.Read.All'],
  [/\/v1\.0\/subscriptions/, 'Group.Read.All'],
];

function permissionMissing(facts: Facts, url: string): CredentialsError {
  const permission = PERMISSION_FOR.find(([pattern]) => pattern.test(url))?.[1];
  const denied = facts.graphCode === 'Authorization_RequestDenied' || facts.graphCode === '';
  const message =
    permission === undefined || !denied
      ? `Microsoft Graph denies access${facts.graphCode === '' ? '' : ` (${facts.graphCode})`}.`
      : `The application lacks the permission ${permission} in Microsoft Graph.`;
  const hidden = /\/members/.test(url) ? ' A group that hides its members also needs Member.Read.Hidden.' : '';
  const leave = url.includes('employeeLeaveDateTime')
    ? ' The field employeeLeaveDateTime also needs User-LifeCycleInfo.Read.All.'
    : '';
  return new CredentialsError(message, {
    failure: 'consent',
    remedy: `Grant ${permission ?? 'User.Read.All and GroupMember.Read.All'} as an application permission under "API permissions", with admin consent; a new grant can take some minutes.${hidden}${leave}`,
    details: { ...facts, permission },
  });
}

/** Errors within errors, as deep as they are looked at. */
const INNER_MAX = 5;

/**
 * Graph's error codes, the most general first, as far as they look like ones; the words of a body are never repeated.
 * Source: learn.microsoft.com/graph/errors, "innerError object", checked 2026-11.
 */
function graphCodes(body: string): readonly string[] {
  const codes: string[] = [];
  try {
    let { error } = JSON.parse(body) as { error?: GraphError | null };
    for (let depth = 0; typeof error === 'object' && error !== null && depth <= INNER_MAX; depth += 1) {
      const { code, innerError, innererror }: GraphError = error;
      if (typeof code === 'string' && /^[\w.-]{1,80}$/.test(code)) codes.push(code);
      error = innerError ?? innererror;
    }
  } catch {
    // A body that is no JSON says no code.
  }
  return codes;
}

interface GraphError {
  readonly code?: unknown;
  readonly innerError?: GraphError | null;
  readonly innererror?: GraphError | null;
}

/** Whether Graph gave such a code as the reason, or within it. */
export function saysCode({ details }: GatewayError, pattern: RegExp): boolean {
  const { graphCode, innerCodes } = details;
  return [graphCode, ...(Array.isArray(innerCodes) ? innerCodes : [])].some((code) => pattern.test(String(code)));
}

/** An answer that is none: cut off, not JSON, or not what was asked for. Such a read proves nothing. */
export function incomplete(message: string, reason: string, cause?: unknown): UpstreamError {
  return new UpstreamError(message, {
    failure: 'source-incomplete',
    reason,
    remedy: 'Run again; if it repeats, look for a proxy between the gateway and Microsoft Graph.',
    retryAfterMs: LATER_MS,
    cause,
  });
}

/** What was thrown on the way: a connection refused or broken off, a name not found, a time limit. */
export function explainThrown(thrown: unknown): Failed {
  const ours = refusalIn(thrown);
  if (ours !== undefined) return { retry: false, error: ours };
  if (isUntrusted(thrown))
    return {
      retry: false,
      error: new ConfigError('The certificate of the Graph endpoint is not trusted.', {
        reason: 'certificate-untrusted',
        remedy: 'Start the gateway with NODE_EXTRA_CA_CERTS naming a file with the authority that issued it.',
        cause: thrown,
      }),
    };
  return {
    retry: true,
    error: new UpstreamError('Microsoft Graph cannot be reached, or breaks off its answers.', {
      failure: 'network',
      reason: 'graph-unreachable',
      remedy: 'Check the network, a proxy, and endpoints.graph in the settings.',
      retryAfterMs: LATER_MS,
      cause: thrown,
    }),
  };
}
