import type { IncomingMessage, ServerResponse } from 'node:http';
import { setField, writeHead } from '#http/fields.ts';

export const SCIM_TYPE = 'application/scim+json';

/** Sends JSON text, as the media type that the caller likes best. */
export function send(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  const length = Buffer.byteLength(text);
  setField(response, 'content-type', mediaType(request));
  setField(response, 'content-length', String(length));
  writeHead(response, status);
  // Text of one byte a character goes out as it is in memory; what has others is encoded first.
  const encoding = length === text.length ? 'latin1' : 'utf8';
  response.end(length < APART_BYTES ? text : Buffer.from(text, encoding), encoding);
}

/** A shorter text is joined to the head, and is one write; joining a longer one costs more than the second write. */
const APART_BYTES = 16_384;

const PLAIN_TYPE = 'application/json';
/** A longer one is none that anybody means, and takes long to read, before it is known who asks. */
const ACCEPT_MAX = 1_000;

/** Of both media types the one that the caller likes best; SCIM's own to whoever takes neither (RFC 7644 section 3.1). */
export function mediaType(request: IncomingMessage): string {
  const { accept } = request.headers;
  if (accept === undefined || accept === SCIM_TYPE || accept === '*/*' || accept.length > ACCEPT_MAX) return SCIM_TYPE;
  const ranges = accept.toLowerCase().split(',');
  const [own, plain] = [liking(ranges, SCIM_TYPE), liking(ranges, PLAIN_TYPE)];
  const isLiked = plain.weight === own.weight ? plain.closeness > own.closeness : plain.weight > own.weight;
  return isLiked && plain.weight > 0 ? PLAIN_TYPE : SCIM_TYPE;
}

/** What the range that names a type most closely says of it (RFC 9110 section 12.5.1). Parameters but `q` are passed over. */
function liking(ranges: readonly string[], type: string): { readonly closeness: number; readonly weight: number } {
  let found = { closeness: -1, weight: 0 };
  for (const range of ranges) {
    const closeness = ['*/*', 'application/*', type].indexOf(range.split(';', 1)[0]?.trim() ?? '');
    const weight = Number(/; *q=([\d.]+)/.exec(range)?.[1] ?? 1);
    if (closeness > found.closeness) found = { closeness, weight };
  }
  return found;
}

/** Says where the resource of an answer is found: in both headers, as the RFCs ask (7643 section 3.1, 7644 section 3.11). */
export function setPlace(response: ServerResponse, location: string): void {
  setField(response, 'location', location);
  setField(response, 'content-location', location);
}

/** Writes parts as they come, no faster than they are taken. Ends early when the reader goes. */
export async function stream(
  request: IncomingMessage,
  response: ServerResponse,
  parts: AsyncIterable<string>,
): Promise<void> {
  setField(response, 'content-type', mediaType(request));
  for await (const part of parts) {
    if (response.destroyed) return;
    // Not before: what fails until then is answered as an error.
    if (!response.headersSent) writeHead(response, response.statusCode);
    if (response.write(part)) continue;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        response.off('drain', go).off('close', go);
        resolve();
      };
      response.on('drain', go).on('close', go);
    });
  }
  response.end();
}
