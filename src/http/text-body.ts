import { isAscii } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import express, { type Request, type RequestHandler } from 'express';
import { InputError, MediaTypeError } from '#core/errors.ts';

export interface TextBody {
  readonly limit: string | number;
  type(request: IncomingMessage): boolean;
}

/**
 * Reads a body as text into `request.body`, where there is one. JSON is UTF-8 (RFC 8259 section 8.1), and bytes that are
 * not would become one and the same sign, so that two names might become one.
 * @throws {TooLargeError} @throws {InputError} `not-utf8` @throws {MediaTypeError} it says to be written otherwise
 */
export function textBody({ limit, type }: TextBody): RequestHandler {
  const readBytes = express.raw({ limit, type });
  return (request, response, next) => {
    readBytes(request, response, (error?: unknown) => {
      if (error !== undefined) return next(error);
      try {
        if (Buffer.isBuffer(request.body)) request.body = decode(request.body, charsetOf(request));
      } catch (refused) {
        return next(refused);
      }
      next();
    });
  };
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer, charset: string): string {
  const isPlain = ASCII.has(charset);
  if (!isPlain && charset !== 'utf-8' && charset !== 'utf8')
    throw new MediaTypeError(`A body must be UTF-8, and this one says that it is "${charset.slice(0, 40)}".`, {
      remedy: 'Send UTF-8, with "charset=utf-8" or without a charset.',
    });
  try {
    if (!isPlain || isAscii(bytes)) return UTF_8.decode(bytes);
  } catch {
    // Said below.
  }
  throw new InputError('The body is not well-formed UTF-8, or not US-ASCII where it says so.', {
    scimType: 'invalidSyntax',
    reason: 'not-utf8',
    remedy: 'Encode it as UTF-8.',
  });
}

/** A part of UTF-8 by names of its own. */
const ASCII: ReadonlySet<string> = new Set(['us-ascii', 'ascii']);

function charsetOf({ headers }: Request): string {
  return /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1]?.toLowerCase() ?? 'utf-8';
}
