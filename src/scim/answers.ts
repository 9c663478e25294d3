import type { IncomingMessage, ServerResponse } from 'node:http';

export const SCIM_TYPE = 'application/scim+json';

/** Sends JSON text. `application/json` goes to those who take nothing else (RFC 7644 section 3.1). */
export function send(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  const length = Buffer.byteLength(text);
  response.statusCode = status;
  response.setHeader('content-type', mediaType(request));
  response.setHeader('content-length', length);
  // Text of one byte a character goes out as it is in memory; what has others is encoded first.
  response.end(text, length === text.length ? 'latin1' : 'utf8');
}

export function mediaType(request: IncomingMessage): string {
  const accept = request.headers.accept;
  const wantsPlain = accept?.includes('application/json') === true && !accept.includes(SCIM_TYPE);
  return wantsPlain ? 'application/json' : SCIM_TYPE;
}

/** Writes parts as they come, no faster than they are taken. Ends early when the reader goes. */
export async function stream(response: ServerResponse, parts: AsyncIterable<string>): Promise<void> {
  for await (const part of parts) {
    if (response.destroyed) return;
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
