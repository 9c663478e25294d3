import type { RequestHandler } from 'express';
import { InputError } from '#core/errors.ts';
import { hasHalfCharacter, parseJson } from '#core/json.ts';
import { textBody } from './text-body.ts';

/**
 * Reads a JSON body into `request.body`, where there is one. It is held to the same rules as at the SCIM edge: what is
 * nested as deep as no setting is would end the stack of whoever walks it.
 * @throws {TooLargeError} @throws {InputError} `malformed-json`, `too-deep`, `duplicate-key`, `character-refused`, and as `textBody`
 */
export function jsonBody(limit: string): RequestHandler {
  const readText = textBody({ limit, type: ['application/json', 'application/*+json'] });
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
