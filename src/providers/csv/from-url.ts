import { CredentialsError, UpstreamError } from '#core/errors.ts';
import { type Download, startDownload } from '#platform/download.ts';
import { incomplete } from './failures.ts';
import type { FileParts, RemoteFile } from './fetch-files.ts';
import { FILE_ROLES, type FileSource } from './settings.ts';

type UrlSource = Extract<FileSource, { kind: 'url' }>;

const DOWNLOAD_MAX_BYTES = 2 * 1024 ** 3;
/** A large file over a slow line. */
const DOWNLOAD_TIMEOUT_MS = 30 * 60_000;
const PROBE_TIMEOUT_MS = 30_000;

/** @param note told what the server says of each version, once it has begun to send it */
export function openUrls(
  source: UrlSource,
  parts: FileParts,
  note: (url: string, validators: Validators) => void = () => undefined,
): readonly RemoteFile[] {
  return FILE_ROLES.flatMap((role): RemoteFile[] => {
    const url = source[role];
    if (url === null) return [];
    return [{ role, name: nameOf(url), bytes: (signal) => readUrl(url, { source, parts, note }, signal) }];
  });
}

interface UrlReading {
  readonly source: UrlSource;
  readonly parts: FileParts;
  note(url: string, validators: Validators): void;
}

async function* readUrl(
  url: string,
  { source, parts: { outgoing }, note }: UrlReading,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const headers = headersOf(source);
  const limits = { maxBytes: DOWNLOAD_MAX_BYTES, timeoutMs: DOWNLOAD_TIMEOUT_MS };
  const download = await startDownload({ url, headers, ...limits, signal }, outgoing);
  if (download.status !== 200) {
    download.discard();
    throw refused(url, download.status);
  }
  const { etag, lastModified } = download;
  note(url, { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) });
  yield* download.body();
}

/** What the server says of one version of a file. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/**
 * Whether the server says that nothing changed, for each file; true only when it says so of all of them.
 * @throws what `startDownload` throws
 */
export async function isUnchanged(
  source: UrlSource,
  known: Readonly<Record<string, Validators>>,
  { outgoing }: FileParts,
  signal: AbortSignal,
): Promise<boolean> {
  for (const role of FILE_ROLES) {
    const url = source[role];
    if (url === null) continue;
    const { etag, lastModified } = known[url] ?? {};
    if (etag === undefined && lastModified === undefined) return false;
    const condition = etag === undefined ? { 'if-modified-since': lastModified ?? '' } : { 'if-none-match': etag };
    const download = await probe(url, { ...headersOf(source), ...condition }, outgoing, signal);
    download.discard();
    if (download.status !== 304) return false;
  }
  return true;
}

function probe(
  url: string,
  headers: Readonly<Record<string, string>>,
  outgoing: FileParts['outgoing'],
  signal: AbortSignal,
): Promise<Download> {
  return startDownload({ url, headers, maxBytes: 0, timeoutMs: PROBE_TIMEOUT_MS, signal }, outgoing);
}

function headersOf({ authorization }: UrlSource): Record<string, string> {
  return {
    accept: 'text/csv, text/plain;q=0.9, */*;q=0.1',
    'accept-encoding': 'identity',
    ...(authorization === undefined ? {} : { authorization }),
  };
}

/** The last part of the path; never the query, which may hold a secret. */
function nameOf(url: string): string {
  const { pathname, hostname } = new URL(url);
  const last = pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(last) || hostname;
  } catch {
    return last;
  }
}

function refused(url: string, status: number): Error {
  const { host } = new URL(url);
  if (status === 401 || status === 403)
    return new CredentialsError(`"${host}" refuses to give the file (${status}).`, {
      failure: 'auth',
      remedy: 'Correct source.authorization in the settings.',
    });
  if (status === 404 || status === 410)
    return incomplete(`"${host}" does not have the file (${status}).`, {
      reason: 'file-missing',
      remedy: 'Correct the URL in the settings, or put the file there.',
    });
  if (status >= 300 && status < 400)
    return incomplete(`"${host}" sends to another address (${status}), which is not followed.`, {
      reason: 'redirect-refused',
      remedy: 'Give the address that it leads to.',
    });
  return new UpstreamError(`"${host}" answers ${status}.`, {
    failure: 'server',
    remedy: 'Run again later; if it repeats, look at that server.',
    retryAfterMs: 60_000,
  });
}
