// Everything of a type, page by page. Targets cut counts silently, say wrong totals, and repeat items between pages.
import type { ResourceType } from '#core/resource.ts';
import { type Payload, type Remote, TargetError } from '#core/target.ts';
import type { ScimClient } from './client.ts';
import { placeOf, remoteOf } from './remote.ts';

export interface PageOptions {
  readonly pageSize: number;
}

/** So many pages in a row with nothing new in them are the end of it. */
const STALE_PAGES_MOST = 2;

/** Each resource once. The list is over when a page is empty, or brings nothing new; `totalResults` is only a hint. */
export async function* readPages(
  client: ScimClient,
  type: ResourceType,
  { pageSize }: PageOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly Remote[]> {
  const seen = new Set<string>();
  let startIndex = 1;
  for (let stale = 0; stale < STALE_PAGES_MOST; ) {
    const { body } = await client.send(
      { method: 'GET', path: `${placeOf(type)}?startIndex=${startIndex}&count=${pageSize}` },
      signal,
    );
    const given = body?.['Resources'] ?? body?.['resources'];
    const total = Number(body?.['totalResults']);
    if (!Array.isArray(given) && !(total === 0)) throw noList(type);
    const items = Array.isArray(given) ? given : [];
    if (items.length === 0) return;
    const remotes = items.map((item) => remoteOf(item as Payload)).filter((remote) => remote !== undefined);
    const fresh = remotes.filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) seen.add(id);
    stale = fresh.length === 0 ? stale + 1 : 0;
    if (fresh.length > 0) yield fresh;
    startIndex += items.length;
    // One more look behind the total, unless the list was short enough to come whole.
    if (Number.isFinite(total) && seen.size >= total && items.length < pageSize) return;
  }
}

function noList(type: ResourceType): TargetError {
  return new TargetError(`The target's list of ${placeOf(type)} is no SCIM list.`, {
    kind: 'contract',
    reason: 'not-scim',
    remedy: 'Check the base URL: it should be that of a SCIM service.',
  });
}
