import { UpstreamError } from '#core/errors.ts';

const MEBIBYTE = 1024 * 1024;
/** A page of 999 users is 1 to 8 MB; this bounds an answer that never ends. */
const BODY_BYTES_MAX = 64 * MEBIBYTE;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * The whole body as text, and its size after decompression.
 * @param max bytes after decompression
 * @throws {UpstreamError} `answer-too-large` as soon as it is known
 */
export async function readBody(
  response: Response,
  max = BODY_BYTES_MAX,
): Promise<{ readonly text: string; readonly bytes: number }> {
  if (Number(response.headers.get('content-length')) > max) throw await tooLarge(response, max);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > max) throw await tooLarge(undefined, max);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks, bytes).toString('utf8');
  return { text: text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text, bytes };
}

async function tooLarge(response: Response | undefined, max: number): Promise<UpstreamError> {
  await response?.body?.cancel();
  return new UpstreamError(`An answer of Microsoft is larger than ${max / MEBIBYTE} MiB.`, {
    failure: 'source-incomplete',
    reason: 'answer-too-large',
    remedy: 'Look for a proxy between the gateway and Microsoft.',
  });
}
