// The listener: how long a client may take, and what becomes of bytes that are no request.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { securityHeaders } from './security-headers.ts';

const SERVER_OPTIONS = {
  /** A filter of the longest length we take, and more, is answered by us and not by Node. */
  maxHeaderSize: 256 * 1024,
  /** Connections that send a byte now and then are closed: whoever means it has sent the head by then. */
  headersTimeout: 15_000,
  /** For the body too: the largest upload on a slow line. */
  requestTimeout: 300_000,
  /** Longer than proxies keep an idle connection (60 s mostly), so that none sends a request at the moment we close it. */
  keepAliveTimeout: 75_000,
  /** How often these are looked at. */
  connectionsCheckingInterval: 5_000,
  /** Answered below, with our headers. */
  requireHostHeader: false,
} as const;

/** More fields than any client sends; the rest would be dropped without a word, and is refused as too large. */
const FIELDS_MAX = 200;

/**
 * An HTTP server that keeps no connection for long without a request, and answers nothing without security headers. Once it
 * is closed, each connection ends with the answer that is under way.
 * @param isSecure whether we are reached by https, and only so
 */
export function makeServer(listener: RequestListener, isSecure: () => boolean = () => false): Server {
  const refuse = (socket: Duplex, status: number): void => refuseBytes(socket, status, isSecure());
  const take: RequestListener = (request, response) => {
    if (!server.listening) response.shouldKeepAlive = false;
    if (request.httpVersion === '1.1' && countHosts(request.rawHeaders) !== 1) refuse(request.socket, 400);
    else if (request.rawHeaders.length / 2 >= FIELDS_MAX) refuse(request.socket, 431);
    else listener(request, response);
  };
  const server = createServer(SERVER_OPTIONS, take);
  server.maxHeadersCount = FIELDS_MAX;
  // An expectation that we do not know changes nothing about the answer (RFC 9110 section 10.1.1).
  server.on('checkExpectation', take);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuse(socket, STATUS[error.code ?? ''] ?? 400));
  return server;
}

/** None, or two of which we and a proxy might each take another, are refused (RFC 9112 section 3.2). */
function countHosts(fields: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

const STATUS: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

const PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function refuseBytes(socket: Duplex, status: number, secure: boolean): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const fields = [...securityHeaders(secure), ['content-length', '0'], ['connection', 'close']];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${PHRASES[status]}\r\n${lines}\r\n`, () => socket.destroy());
}
