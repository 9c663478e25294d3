import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { ConflictError, type ErrorCode, GatewayError, InputError, NotFoundError, RateError } from '#core/errors.ts';
import { challengeTo } from '#http/auth.ts';
import { contextOf } from '#http/context.ts';
import { fromParser, PROBLEM_STATUS } from '#http/problem.ts';
import { send } from './answers.ts';

export const ERROR_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** The status of each code at the SCIM edge (RFC 7644 table 8): an app that reads us cannot mend what lies behind us. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  ...PROBLEM_STATUS,
  ERR_UPSTREAM: 500,
  ERR_CREDENTIALS: 500,
  ERR_CHECKPOINT_EXPIRED: 500,
  ERR_CONFIG: 500,
};

/** The SCIM answer to an error. RFC 7644 section 3.12: `status` is a string, `scimType` only where table 9 has one. */
export function scimError(error: unknown): { status: number; body: object } {
  const known = error instanceof GatewayError;
  const status = known ? STATUS[error.code] : 500;
  const typed = error instanceof InputError || error instanceof ConflictError;
  const scimType = typed && error.scimType !== undefined ? { scimType: error.scimType } : {};
  const detail = known ? error.message : 'Internal error.';
  return { status, body: { schemas: [ERROR_SCHEMA], status: String(status), ...scimType, detail } };
}

export function scimErrorHandler(translate: (error: unknown) => unknown): ErrorRequestHandler {
  return (thrown, request, response, next) => {
    if (response.headersSent) next(thrown);
    else answerError(translate(fromParser(thrown)), request, response);
  };
}

export function answerError(error: unknown, request: IncomingMessage, response: ServerResponse): void {
  const { status, body } = scimError(error);
  if (status >= 500 && status !== 501) contextOf(request).log.error({ err: error }, 'request failed');
  const challenge = challengeTo(request, status, error);
  if (challenge !== undefined) response.setHeader('www-authenticate', challenge);
  if (status === 503) response.setHeader('retry-after', '5');
  if (error instanceof RateError) response.setHeader('retry-after', String(Math.ceil(error.retryAfterMs / 1_000)));
  send(request, response, status, JSON.stringify(body));
}

export const noScimRoute: RequestHandler = (request) => {
  throw new NotFoundError(`There is no endpoint ${request.method} ${request.path}.`);
};
