// Where a receiver asks for its security event tokens (RFC 8936): with the token by which it reads SCIM.
import { type Request, Router } from 'express';
import { InputError, NotFoundError, UnauthenticatedError } from '#core/errors.ts';
import type { PolledSets, SetPoll } from '#core/events.ts';
import { principalOf } from '#http/auth.ts';
import { jsonBody, readBody } from './body.ts';
import type { ScimParts } from './parts.ts';
import { refuseMethod } from './resources.ts';

const PATH = '/SecurityEvents';
const BODY_MAX_BYTES = 1024 * 1024;
/** Answers to so many tokens in one request. */
const ANSWERS_MAX = 5_000;

/** What the route is handed. */
export interface SecurityEvents {
  /** Undefined when the app has no stream of tokens that is asked for. Nothing is handed out after waiting before `stay` resolved. */
  poll(
    appId: string,
    request: SetPoll,
    waiting: { readonly signal: AbortSignal; stay(): Promise<void> },
  ): Promise<PolledSets | undefined>;
}

export function securityEventRoutes({
  securityEvents,
  authenticator,
}: Pick<ScimParts, 'securityEvents' | 'authenticator'>): Router {
  return Router()
    .post(PATH, jsonBody, async (request, response) => {
      const { appId } = principalOf(request);
      const poll = readPoll(request);
      const left = new AbortController();
      response.once('close', () => left.abort());
      const stay = async (): Promise<void> => {
        if (!(await authenticator.isStillGood(request))) throw tokenOver();
      };
      const waiting = { signal: left.signal, stay };
      const found = appId === null ? undefined : await securityEvents?.poll(appId, poll, waiting);
      if (found === undefined) throw noStream();
      response.json(found);
    })
    .all(PATH, refuseMethod('POST'));
}

/** @throws {InputError} `invalidValue` */
function readPoll(request: Request): SetPoll {
  const body = readBody(request, BODY_MAX_BYTES);
  if (!isObject(body)) throw wrong('The body must be a JSON object.');
  const { maxEvents, returnImmediately, ack, setErrs } = body;
  if (maxEvents !== undefined && !(Number.isSafeInteger(maxEvents) && Number(maxEvents) >= 0))
    throw wrong('"maxEvents" must be a whole number, 0 or more.');
  if (returnImmediately !== undefined && typeof returnImmediately !== 'boolean')
    throw wrong('"returnImmediately" must be true or false.');
  if (
    ack !== undefined &&
    !(Array.isArray(ack) && ack.length <= ANSWERS_MAX && ack.every((one) => typeof one === 'string'))
  )
    throw wrong(`"ack" must be an array of "jti" values, at most ${ANSWERS_MAX}.`);
  if (setErrs !== undefined && !areErrors(setErrs))
    throw wrong('"setErrs" must be an object of errors by "jti", each with "err" and "description".');
  return {
    maxEvents: maxEvents as number | undefined,
    returnImmediately: returnImmediately as boolean | undefined,
    ack: ack as readonly string[] | undefined,
    setErrs: setErrs as SetPoll['setErrs'],
  };
}

function areErrors(value: unknown): boolean {
  if (!isObject(value)) return false;
  const errors = Object.values(value);
  return (
    errors.length <= ANSWERS_MAX &&
    errors.every(
      (one) =>
        isObject(one) &&
        typeof one['err'] === 'string' &&
        (one['description'] === undefined || typeof one['description'] === 'string'),
    )
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(message: string): InputError {
  return new InputError(message, { scimType: 'invalidValue', remedy: 'See RFC 8936 section 2.2.' });
}

function tokenOver(): UnauthenticatedError {
  return new UnauthenticatedError('The bearer token was revoked, or has expired, while it waited.', {
    remedy: 'Send "Authorization: Bearer" with a token that is valid here.',
  });
}

function noStream(): NotFoundError {
  return new NotFoundError('This token belongs to no app whose security event tokens are polled.', {
    reason: 'stream-not-found',
    remedy: 'Set up "events" of the app with the delivery method "poll".',
  });
}
