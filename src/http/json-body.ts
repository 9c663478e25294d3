import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { InputError, MediaTypeError } from '#core/errors.ts';
import { hasHalfCharacter, parseJson } from '#core/json.ts';
import { textBody } from './text-body.ts';

/**
 * Reads a JSON body into `request.body`, where there is one. It is held to the same rules as at the SCIM edge: what is
 * nested as deep as no setting is would end the stack of whoever walks it.
 * @throws {TooLargeError} @throws {InputError} `malformed-json`, `too-deep`, `duplicate-key`, `character-refused`, and as `textBody`
 */
export function jsonBody(limit: string): RequestHandler {
  const readText = textBody({ limit, type: mayBeJson });
  return (request, response, next) => {
    readText(request, response, (error?: unknown) => {
      if (error !== undefined) return next(error);
      try {
        if (typeof request.body === 'string') request.body = request.body === '' ? undefined : read(request.body);
      } catch (refused) {
        return next(refused);
      }
      next();
    });
  };
}

/** How JSON is named (RFC 8259 section 11, RFC 6839 section 3.1). What does not say what it is may be that. */
function mayBeJson({ headers }: IncomingMessage): boolean {
  return JSON_TYPE.test(headers['content-type'] || 'application/json');
}

const JSON_TYPE = /^application\/([\w.!#$&^-]+\+)?json\s*(;|$)/i;

/**
 * Refuses what changes something with a body of another kind. Passed over it would count as no body at all, and the request
 * would do what is done without one: a run where a preview was asked for, settings put back to how they are shipped.
 * @throws {MediaTypeError}
 */
export const refuseOtherBody: RequestHandler = (request, _response, next) => {
  const { method, headers } = request;
  const changes = method !== 'GET' && method !== 'HEAD' && method !== 'DELETE';
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (changes && hasBody && !mayBeJson(request))
    throw new MediaTypeError(`The body has the type "${headers['content-type']?.slice(0, 80)}".`, {
      remedy: 'Send JSON, with "Content-Type: application/json".',
    });
  next();
};

function read(text: string): unknown {
  const value = parseJson(text);
  if (hasHalfCharacter(value))
    throw new InputError('The body has half of a character: one of a pair of surrogates.', {
      scimType: 'invalidValue',
      reason: 'character-refused',
      remedy: 'Leave it out.',
    });
  return value;
}
