// The console's files: read once, served from memory, each with its compressed forms made at the build.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Request, RequestHandler, Response } from 'express';

/** Nothing inline, nothing from elsewhere, no exception. Source: W3C CSP Level 3 and Trusted Types, checked 2026-11. */
const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
};

/** What never is a page of the console. */
const OTHERS = /^\/(api|scim|hooks|connect|\.well-known|healthz|readyz|metrics|assets)(\/|$)/;

interface File {
  readonly plain: Buffer;
  readonly br: Buffer | undefined;
  readonly gz: Buffer | undefined;
  readonly type: string;
  readonly etag: string;
}

/**
 * Serves the files of the folder, and index.html for every other path that a browser asks for as a page. Without the
 * folder (not built) it passes everything on.
 */
export function consoleFiles(folder: string): RequestHandler {
  const files = readFiles(folder);
  const index = files.get('/index.html');
  return (request, response, next) => {
    if (index === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return next();
    const file = files.get(request.path);
    if (file !== undefined && request.path !== '/index.html') return send(request, response, file, request.path);
    const wantsPage = (request.get('accept') ?? '').includes('text/html') && !OTHERS.test(request.path);
    if (wantsPage) return send(request, response, index, '/index.html');
    next();
  };
}

function send(request: Request, response: Response, file: File, path: string): void {
  const accepts = String(request.headers['accept-encoding'] ?? '');
  const [body, encoding] =
    file.br !== undefined && /\bbr\b/.test(accepts)
      ? [file.br, 'br']
      : file.gz !== undefined && /\bgzip\b/.test(accepts)
        ? [file.gz, 'gzip']
        : [file.plain, undefined];
  response.setHeader('content-type', file.type);
  response.setHeader('content-security-policy', CONSOLE_POLICY);
  response.setHeader('vary', 'accept-encoding');
  response.setHeader('etag', file.etag);
  const hashed = path.startsWith('/assets/');
  response.setHeader('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (request.get('if-none-match') === file.etag) {
    response.status(304).end();
    return;
  }
  if (encoding !== undefined) response.setHeader('content-encoding', encoding);
  response.status(200).end(request.method === 'HEAD' ? undefined : body);
}

function readFiles(folder: string): ReadonlyMap<string, File> {
  const files = new Map<string, File>();
  if (!existsSync(folder)) return files;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const path = join(folder, name);
    const plain = readFileSync(path);
    const packed = (ending: string) => (existsSync(path + ending) ? readFileSync(path + ending) : undefined);
    const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
    files.set(`/${name.replaceAll('\\', '/')}`, { plain, br: packed('.br'), gz: packed('.gz'), type, etag });
  }
  return files;
}
