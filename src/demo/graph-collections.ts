// Collections of the simulated Graph: pages, links to the next one, and the properties that were asked for.
import type { IncomingMessage } from 'node:http';
import type { Fault } from './faults.ts';
import { GraphProblem } from './problem.ts';

const PAGE_DEFAULT = 100;
const PAGE_MAX = 999;

/** One page of a collection, as text. Source: learn.microsoft.com/graph/paging, checked 2026-11. */
export function listPage(
  objects: Iterable<object>,
  shape: (object: object) => unknown,
  {
    url,
    headers,
    fault,
    context,
    origin,
  }: { url: URL; headers: IncomingMessage['headers']; fault: Fault | undefined; context: string; origin: string },
): string {
  const top = Number(url.searchParams.get('$top') ?? PAGE_DEFAULT);
  if (!Number.isInteger(top) || top < 1 || top > PAGE_MAX)
    throw new GraphProblem(
      400,
      'Request_BadRequest',
      `Invalid page size specified: '${top}'. Must be between 1 and 999 inclusive.`,
    );
  if (url.searchParams.has('$skip'))
    throw new GraphProblem(400, 'Request_BadRequest', "'$skip' is not supported by the service.");
  if (url.searchParams.has('$filter') || url.searchParams.has('$orderby'))
    throw new GraphProblem(400, 'Request_UnsupportedQuery', 'This query is not supported by the simulated tenant.');
  const all = [...objects];
  const start = readSkipToken(url.searchParams.get('$skiptoken'));
  const empty = fault?.kind === 'emptyPage';
  const end = empty ? start : start + top;
  const page = pageWith(fault, all.slice(start, end));
  const again = fault?.kind === 'repeat' ? page.slice(0, 3) : [];
  const counted =
    headers['consistencylevel'] === 'eventual' && url.searchParams.get('$count') === 'true' && start === 0;
  if (fault?.kind === 'notAPage') return JSON.stringify({ message: 'a proxy says hello' });
  const more = fault?.kind !== 'short' && end < all.length;
  const link = more || empty ? nextLinkTo(url, end) : undefined;
  return JSON.stringify({
    '@odata.context': `${origin}/v1.0/$metadata#${context}`,
    ...(counted ? { '@odata.count': all.length } : {}),
    ...nextLinkOf(fault, link, url),
    value: [...page, ...again].map(shape),
  });
}

function pageWith(fault: Fault | undefined, page: readonly object[]): readonly object[] {
  if (fault?.kind === 'short') return page.slice(0, Math.max(0, page.length - fault.lacks));
  return fault?.kind === 'stale' ? [...page, ...fault.objects] : page;
}

function nextLinkTo(url: URL, next: number): string {
  const link = new URL(url);
  link.searchParams.set('$skiptoken', Buffer.from(`page:${next}`).toString('base64url'));
  return link.href;
}

function nextLinkOf(fault: Fault | undefined, link: string | undefined, url: URL): { '@odata.nextLink'?: string } {
  if (fault?.kind === 'loop') return { '@odata.nextLink': url.href };
  if (fault?.kind === 'foreignLink') return { '@odata.nextLink': `https://elsewhere.example/v1.0/users?$skiptoken=x` };
  return link === undefined ? {} : { '@odata.nextLink': link };
}

/** `$select`: what is left of an object; all of it without one, unless there is a `fallback`. */
export function selected(url: URL, keepType = false, fallback?: readonly string[]): (object: object) => unknown {
  const names = url.searchParams.get('$select')?.split(',') ?? fallback;
  if (names === undefined) return (object) => object;
  const wanted = keepType ? ['@odata.type', ...names] : names;
  return (object) => {
    const shaped: Record<string, unknown> = {};
    for (const name of wanted) if (name in object) shaped[name] = (object as Record<string, unknown>)[name];
    return shaped;
  };
}

function readSkipToken(token: string | null): number {
  if (token === null) return 0;
  const place = /^page:(\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1];
  if (place === undefined)
    throw new GraphProblem(
      400,
      'Directory_ExpiredPageToken',
      'The specified page token value has expired and can no longer be included in your request.',
    );
  return Number(place);
}
