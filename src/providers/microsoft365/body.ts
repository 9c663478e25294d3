import { UpstreamError } from '#core/errors.ts';

/** A page of 999 users is 1 to 8 MB; this bounds an answer that never ends. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * The whole body as text, and its size after decompression.
 * @throws {UpstreamError} `answer-too-large` as soon as it is known
 */
export async function readBody(response: Response): Promise<{ readonly text: string; readonly bytes: number }> {
  if (Number(response.headers.get('content-length')) > BODY_BYTES_MAX) throw await tooLarge(response);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) throw await tooLarge(undefined);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks, bytes).toString('utf8');
  return { text: text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text, bytes };
}

async function tooLarge(response: Response | undefined): Promise<UpstreamError> {
  await response?.body?.cancel();
  return new UpstreamError('An answer of Microsoft Graph is larger than 64 MiB.', {
    failure: 'source-incomplete',
    reason: 'answer-too-large',
    remedy: 'Look for a proxy between the gateway and Microsoft Graph.',
  });
}
