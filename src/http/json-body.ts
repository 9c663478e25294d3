import express, { type RequestHandler } from 'express';
import { parseJson } from '#core/json.ts';

/**
 * Reads a JSON body into `request.body`, where there is one. It is held to the same rules as at the SCIM edge: what is
 * nested as deep as no setting is would end the stack of whoever walks it.
 * @throws {TooLargeError} @throws {InputError} `malformed-json`, `too-deep`, `duplicate-key`
 */
export function jsonBody(limit: string): RequestHandler {
  return express.json({
    limit,
    type: ['application/json', 'application/*+json'],
    verify: (_request, _response, bytes) => {
      if (bytes.length > 0) parseJson(bytes.toString('utf8'));
    },
  });
}
