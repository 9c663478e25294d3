import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { UpstreamError } from '#core/errors.ts';
import { checkOutgoingUrl, explainOutgoing, guardedLookup, type OutgoingPolicy } from './fetch.ts';

export interface Download {
  readonly status: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /**
   * The body, once. Throws when it breaks off, grows over the limit, or the time is over.
   * @throws {UpstreamError} `download-cut-off`, `download-too-large`, `timeout`, `unreachable`
   */
  body(): AsyncGenerator<Uint8Array>;
  /** Lets go of a body that nobody wants. */
  discard(): void;
}

export interface DownloadRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  /** From looking the name up to the last byte. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Sends one GET and hands on the answer, whatever its status; redirects are not followed. The address is checked when
 * the name is looked up, and that address is the one connected to.
 * @throws {InputError} what `checkOutgoingUrl` throws
 * @throws {UpstreamError} `address-refused`, `timeout`, `unreachable`
 * @throws {ConfigError} `certificate-untrusted`
 */
export async function startDownload(asked: DownloadRequest, policy: OutgoingPolicy): Promise<Download> {
  const url = checkOutgoingUrl(asked.url, policy);
  const timeout = AbortSignal.timeout(asked.timeoutMs);
  const signal = AbortSignal.any([timeout, asked.signal]);
  const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = send(url, { headers: asked.headers, agent: false, lookup: guardedLookup(policy), signal });
      request.once('error', reject);
      request.once('response', resolve);
      request.end();
    });
    return {
      status: response.statusCode ?? 0,
      etag: response.headers.etag,
      lastModified: response.headers['last-modified'],
      body: () => readBody(response, url.host, asked, timeout),
      discard: () => void response.destroy(),
    };
  } catch (error) {
    asked.signal.throwIfAborted();
    throw explainOutgoing(error, url.host, timeout.aborted);
  }
}

async function* readBody(
  response: IncomingMessage,
  host: string,
  { maxBytes, signal }: DownloadRequest,
  timeout: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(host, maxBytes);
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UpstreamError) throw error;
    if (timeout.aborted) throw explainOutgoing(error, host, true);
    throw cutOff(host, error);
  }
  const length = response.headers['content-length'];
  const isFramed = length !== undefined || /\bchunked\b/i.test(response.headers['transfer-encoding'] ?? '');
  // Without a length nobody can tell a whole answer from one that was cut off.
  if (!response.complete || !isFramed || (length !== undefined && Number(length) !== bytes)) throw cutOff(host);
}

function cutOff(host: string, cause?: unknown): UpstreamError {
  return new UpstreamError(`The answer of "${host}" broke off, or does not say how long it is.`, {
    failure: 'source-incomplete',
    reason: 'download-cut-off',
    remedy: 'Run again; if it repeats, look for a proxy in between, and let the server send Content-Length.',
    retryAfterMs: 60_000,
    cause,
  });
}

function tooLarge(host: string, maxBytes: number): UpstreamError {
  return new UpstreamError(`The answer of "${host}" is larger than ${Math.floor(maxBytes / 1024 ** 2)} MB.`, {
    failure: 'source-incomplete',
    reason: 'download-too-large',
    remedy: 'Check that the URL leads to the file that is meant.',
  });
}
