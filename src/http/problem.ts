import type { ErrorRequestHandler, RequestHandler } from 'express';
import {
  type ErrorCode,
  GatewayError,
  InputError,
  MediaTypeError,
  NotFoundError,
  RateError,
  TooLargeError,
} from '#core/errors.ts';
import { challengeTo } from './auth.ts';
import { contextOf } from './context.ts';

/** The status of each code at the admin edge. A new code does not compile until it has one. */
export const PROBLEM_STATUS: Readonly<Record<ErrorCode, number>> = {
  ERR_INPUT: 400,
  ERR_UNAUTHENTICATED: 401,
  ERR_FORBIDDEN: 403,
  ERR_NOT_FOUND: 404,
  ERR_METHOD: 405,
  ERR_CONFLICT: 409,
  ERR_GONE: 410,
  ERR_PRECONDITION: 412,
  ERR_TOO_LARGE: 413,
  ERR_MEDIA_TYPE: 415,
  ERR_RATE: 429,
  ERR_NOT_IMPLEMENTED: 501,
  ERR_UPSTREAM: 502,
  ERR_CREDENTIALS: 502,
  ERR_CHECKPOINT_EXPIRED: 502,
  ERR_CONFIG: 422,
  ERR_UNAVAILABLE: 503,
};

/** An RFC 9457 problem. `code` is the word a client may switch on. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly remedy?: string;
  readonly requestId: string;
  readonly [extra: string]: unknown;
}

/** Ends a request of the admin edge that threw. What we did not throw on purpose is 500 with nothing but its id. */
export function problemHandler(translate: (error: unknown) => unknown): ErrorRequestHandler {
  return (thrown, request, response, next) => {
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const { id, log } = contextOf(request);
    const error = translate(fromParser(thrown));
    const known = error instanceof GatewayError;
    const status = known ? PROBLEM_STATUS[error.code] : 500;
    if (known) log.info({ code: error.code, reason: error.reason, status }, 'request refused');
    else log.error({ err: error }, 'request failed');
    const problem: Problem = {
      // First, so that no fact takes the place of a member of RFC 9457.
      ...(known ? error.details : {}),
      type: 'about:blank',
      title: TITLES[status] ?? 'Error',
      status,
      detail: known ? error.message : 'Internal error.',
      code: known ? error.reason : 'internal',
      ...(known && error.remedy !== undefined ? { remedy: error.remedy } : {}),
      requestId: id,
    };
    const challenge = challengeTo(request, status, error);
    if (challenge !== undefined) response.setHeader('www-authenticate', challenge);
    if (status === 503) response.setHeader('retry-after', '5');
    if (error instanceof RateError) response.setHeader('retry-after', String(Math.ceil(error.retryAfterMs / 1_000)));
    response.status(status).type('application/problem+json').send(JSON.stringify(problem));
  };
}

/** Ends a request of the admin edge that no route took. */
export const noRoute: RequestHandler = (request) => {
  throw new NotFoundError(`There is nothing at ${request.method} ${request.path}.`, {
    reason: 'no-such-route',
    remedy: 'See /api/docs for what there is.',
  });
};

/** What Express' body parser throws, in our words. */
export function fromParser(error: unknown): unknown {
  if (error instanceof URIError)
    return new InputError('The path is not well encoded.', { reason: 'malformed-path', remedy: 'Encode it as UTF-8.' });
  if (!(error instanceof Error)) return error;
  if (!('type' in error)) return 'status' in error && error.status === 400 ? unreadable() : error;
  if (error.type === 'entity.too.large')
    return new TooLargeError('The body is too large.', { remedy: 'Send less at a time.' });
  if (error.type === 'entity.parse.failed')
    return new InputError('The body is not JSON.', {
      scimType: 'invalidSyntax',
      reason: 'malformed-json',
      remedy: 'Send valid JSON.',
    });
  if (error.type === 'encoding.unsupported' || error.type === 'charset.unsupported')
    return new MediaTypeError('The body has an encoding that is not supported.', {
      remedy: 'Send UTF-8 without compression.',
    });
  return error.type === 'request.aborted' || error.type === 'request.size.invalid' ? unreadable() : error;
}

/** Broken off, or not compressed as it says. */
function unreadable(): InputError {
  return new InputError('The body cannot be read.', {
    scimType: 'invalidSyntax',
    reason: 'malformed-body',
    remedy: 'Send it whole, and compressed as Content-Encoding says.',
  });
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};
