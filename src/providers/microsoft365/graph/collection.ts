import { UpstreamError } from '#core/errors.ts';
import { makePageLoop } from '#core/page-loop.ts';
import type { Graph } from './client.ts';
import { incomplete, saysCode } from './failures.ts';
import { inOneCase } from './ids.ts';

/** Graph's largest page. Source: learn.microsoft.com/graph/api/user-list, checked 2026-11. */
export const PAGE_SIZE = 999;
/** More pages than any tenant has, even in small ones. */
const PAGES_MAX = 50_000;
/** An empty page may have a next one, even itself once more; so many in a row lead nowhere. */
const EMPTY_PAGES_MAX = 100;
/** A page link lives for minutes; a list whose link has expired begins again. */
const RESTARTS_MAX = 2;

/** Made once: without a reason, each of some thousand lists would make an error with its stack. */
const READ_ENOUGH = new Error('nobody reads the list any further');

export interface CollectionPage<Item> {
  readonly items: readonly Item[];
  readonly nextLink: string | undefined;
}

export interface CollectionOptions {
  readonly signal: AbortSignal;
  readonly advanced?: boolean;
}

/**
 * All pages of a list, the next one asked for while this one is used. Items may come twice; pages may be empty.
 * Source: learn.microsoft.com/graph/paging, checked 2026-11.
 * @throws {UpstreamError} `source-incomplete`: a page that is none, a link to another host or one followed before, or a list without an end
 * @throws {GatewayError} what `Graph.get` throws
 */
export async function* collection<Item extends { readonly id: string }>(
  graph: Graph,
  first: string,
  options: CollectionOptions,
): AsyncGenerator<readonly Item[]> {
  for (let restarts = 0; ; restarts += 1)
    try {
      return yield* onePass<Item>(graph, first, options);
    } catch (error) {
      if (!isExpiredPage(error)) throw error;
      if (restarts >= RESTARTS_MAX)
        throw incomplete('A list of Graph expires while it is read.', 'page-expired', error);
    }
}

async function* onePass<Item extends { readonly id: string }>(
  graph: Graph,
  first: string,
  { signal, advanced = false }: CollectionOptions,
): AsyncGenerator<readonly Item[]> {
  const stop = new AbortController();
  const bounded = AbortSignal.any([signal, stop.signal]);
  const guard = makeLoopGuard();
  const ask = (url: string): Promise<CollectionPage<Item>> => {
    const page = graph.get(url, (body) => readPage<Item>(body), { signal: bounded, advanced });
    // Awaited in the next turn; until then a failure must not count as unhandled.
    page.catch(() => undefined);
    return page;
  };
  try {
    for (let next: Promise<CollectionPage<Item>> | undefined = ask(first); next !== undefined; ) {
      const { items, nextLink }: CollectionPage<Item> = await next;
      guard(items, nextLink);
      next = nextLink === undefined ? undefined : ask(nextLink);
      yield items;
    }
  } finally {
    stop.abort(READ_ENOUGH);
  }
}

/**
 * One page of a list, ids in one letter case.
 * @throws {UpstreamError} `source-incomplete`: no list, an object without an id, or a next link that is no whole link
 */
export function readPage<Item extends { readonly id: string }>(body: unknown): CollectionPage<Item> {
  const page = (body ?? {}) as { readonly value?: unknown; readonly '@odata.nextLink'?: unknown };
  if (!Array.isArray(page.value)) throw incomplete('A page of Graph has no list of objects.', 'page-without-list');
  const items = page.value as readonly (Partial<Item> | null)[];
  if (!items.every((item) => typeof item?.id === 'string' && item.id !== ''))
    throw incomplete('A page of Graph has an object without an id.', 'page-broken');
  const link = page['@odata.nextLink'] ?? undefined;
  if (link !== undefined && (typeof link !== 'string' || !/^https?:\/\//i.test(link)))
    throw incomplete('A page of Graph has a next link that is no link.', 'page-broken');
  return { items: (items as readonly Item[]).map(inOneCase), nextLink: link };
}

/** Throws when a list turns in a circle or never ends. Keeps the links and the outer ids of each page. */
function makeLoopGuard(): (items: readonly { readonly id: string }[], nextLink: string | undefined) => void {
  const followed = new Set<string>();
  const loop = makePageLoop(EMPTY_PAGES_MAX);
  return (items, nextLink) => {
    if (nextLink === undefined) return;
    if (followed.has(nextLink) && items.length > 0)
      throw incomplete('Graph repeats a page link, so the list has no end.', 'page-loop');
    followed.add(nextLink);
    if (followed.size > PAGES_MAX)
      throw incomplete(`A list of Graph has more than ${PAGES_MAX} pages.`, 'too-many-pages');
    const turns = loop(items.map(({ id }) => id));
    if (turns === 'empty') throw incomplete('Graph sends empty pages without an end.', 'page-loop');
    if (turns === 'repeated') throw incomplete('Graph sends the same page again and again.', 'page-loop');
  };
}

/** Source: learn.microsoft.com/graph/paging, "DirectoryPageTokenNotFoundException", checked 2026-11. */
function isExpiredPage(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  const { status } = error.details;
  return (status === 400 || status === 410) && saysCode(error, /PageToken/i);
}
