import type { Request, RequestHandler } from 'express';
import { InputError, MediaTypeError, TooLargeError } from '#core/errors.ts';
import { parseJson } from '#core/json.ts';
import { textBody } from '#http/text-body.ts';

/** Room for a group of 100,000 members. */
const BODY_MAX_BYTES = 8 * 1024 * 1024;
const MEDIA_TYPE = /^application\/(scim\+json|json)\s*(;|$)/i;

const readText = textBody({ type: () => true, limit: BODY_MAX_BYTES });

/** Reads a body of either media type (RFC 7644 section 3.1) as text. @throws {MediaTypeError}, and as `textBody` */
export const jsonBody: RequestHandler = (request, response, next) => {
  const type = request.headers['content-type'];
  if (type !== undefined && !MEDIA_TYPE.test(type))
    throw new MediaTypeError(`The body has the type "${type.slice(0, 80)}".`, {
      remedy: 'Send "application/scim+json" or "application/json".',
    });
  readText(request, response, next);
};

/**
 * The body as JSON.
 * @param maxBytes less than every body may have
 * @throws {InputError} `invalidSyntax` @throws {TooLargeError}
 */
export function readBody(request: Request, maxBytes = BODY_MAX_BYTES): unknown {
  const text: unknown = request.body;
  if (typeof text !== 'string' || text === '')
    throw new InputError('The request needs a body.', { scimType: 'invalidSyntax', reason: 'body-missing' });
  if (text.length > maxBytes || Buffer.byteLength(text) > maxBytes)
    throw new TooLargeError(`The body is larger than ${maxBytes} bytes.`, { remedy: 'Send less at a time.' });
  return parseJson(text);
}
