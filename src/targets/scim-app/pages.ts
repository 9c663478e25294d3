// Everything of a type, page by page. Targets cut counts silently, say wrong totals, and repeat items between pages.
import type { ResourceType } from '#core/resource.ts';
import { type Payload, type Remote, TargetError } from '#core/target.ts';
import type { ScimClient } from './client.ts';
import { placeOf, remoteOf, withoutMembers } from './remote.ts';

export interface PageOptions {
  readonly pageSize: number;
  /** Groups are shown without their members. */
  readonly membersHidden?: boolean;
  /** They are not asked for. */
  readonly withoutMembers?: boolean;
  /** The target asked to be left alone: waits for as long, and the page is asked for again. Without it that is the end. */
  waitOut?(asked: TargetError): Promise<void>;
}

/** So many pages in a row with nothing new in them are the end of it. */
const STALE_PAGES_MOST = 2;

/**
 * Each resource once. The list is over when a page is empty, or brings nothing new: some give a page for the whole. Where that
 * leaves fewer than `totalResults` says, the target may count from 0, or take startIndex for the number of a page: both are
 * tried. A page that is too large for an answer, such as of large groups, is asked for in halves.
 */
export async function* readPages(
  client: ScimClient,
  type: ResourceType,
  { pageSize, membersHidden = false, withoutMembers: isCut = false, waitOut }: PageOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly Remote[]> {
  const seen = new Set<string>();
  let total = Number.NaN;
  let size = pageSize;

  async function ask(startIndex: number): Promise<Payload | undefined> {
    for (;;) {
      const cut = isCut && type === 'Group' ? '&excludedAttributes=members' : '';
      const path = `${placeOf(type)}?startIndex=${startIndex}&count=${size}${cut}`;
      try {
        return (await client.send({ method: 'GET', path }, signal)).body;
      } catch (error) {
        if (error instanceof TargetError && error.kind === 'gone') return nothingThere();
        await mend(error);
      }
    }
  }

  /** Some answer 404 to a list with nobody in it, or behind its end; that the service is there has been looked at. */
  function nothingThere(): Payload {
    return { totalResults: seen.size === 0 ? 0 : total, Resources: [] };
  }

  /** So that the page can be asked for again. @throws the error itself where it cannot */
  async function mend(error: unknown): Promise<void> {
    if (!(error instanceof TargetError)) throw error;
    if (error.kind === 'throttled' && waitOut !== undefined) return waitOut(error);
    if (error.reason !== 'answer-too-large' || size === 1) throw error;
    size = Math.ceil(size / 2);
  }

  async function readFrom(startIndex: number): Promise<{ readonly count: number; readonly fresh: readonly Remote[] }> {
    const body = await ask(startIndex);
    const given = body?.['Resources'] ?? body?.['resources'];
    total = Number(body?.['totalResults']);
    // Behind the last resource some have no list at all.
    if (!Array.isArray(given) && total !== 0 && seen.size === 0) throw noList(type);
    const items: readonly unknown[] = Array.isArray(given) ? given : [];
    const remotes = items.map((item) => remoteOf(item as Payload)).filter((remote) => remote !== undefined);
    const fresh = remotes.filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) seen.add(id);
    return { count: items.length, fresh: membersHidden ? fresh.map(withoutMembers) : fresh };
  }

  let startIndex = 1;
  for (let stale = 0; stale < STALE_PAGES_MOST; ) {
    const { count, fresh } = await readFrom(startIndex);
    if (count === 0) break;
    stale = fresh.length === 0 ? stale + 1 : 0;
    if (fresh.length > 0) yield fresh;
    startIndex += count;
    // One more look behind the total, unless the target has shown that it counts more than a page, or brings nothing new.
    const hasCounted = count < size && total > count;
    if (seen.size >= total && (hasCounted || fresh.length === 0)) return;
  }
  for (let index = 0, stale = 0; seen.size < total && stale < STALE_PAGES_MOST; index = index === 0 ? 2 : index + 1) {
    const { fresh } = await readFrom(index);
    stale = fresh.length === 0 ? stale + 1 : 0;
    if (fresh.length > 0) yield fresh;
  }
}

function noList(type: ResourceType): TargetError {
  return new TargetError(`The target's list of ${placeOf(type)} is no SCIM list.`, {
    kind: 'contract',
    reason: 'not-scim',
    remedy: 'Check the base URL: it should be that of a SCIM service.',
  });
}
