// Looks for a resource at the target, and believes only what it sees: a target that ignores filters answers everybody.
import type { ResourceType } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { type Payload, type Remote, type Target, TargetError } from '#core/target.ts';
import type { ScimClient } from './client.ts';
import { FAILURE, makeFilterDoubt } from './filter-doubt.ts';
import { keyOf } from './keys.ts';
import { type KnownIds, type KnownIdsParts, makeKnownIds } from './known-ids.ts';
import { placeOf, remoteOf } from './remote.ts';

export interface Matcher extends Pick<KnownIds, 'note' | 'endRest' | 'close'> {
  find: Target['find'];
  /** Something may have been made there that was not there when everybody was read. */
  forget(why: 'unknown' | 'conflict'): void;
}

export interface MatchParts extends KnownIdsParts {
  /** False when the target does not filter; learned when it refuses to. */
  canFilter(): boolean;
  cannotFilter(): void;
}

/** How targets say that they do not know a filter. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 404, 405, 422, 501]);
/** More than this is never read of a list that a filter should have made short. */
const HITS_MOST = 10;

/**
 * Everybody is read again after a conflict only when they were last read before this: a thousand conflicts in a row must
 * not read a target a thousand times.
 */
const ALL_MS = 10 * 60_000;

export function makeMatcher(parts: MatchParts): Matcher {
  const { client, keys, canFilter, cannotFilter } = parts;
  const all = makeKnownIds(parts);
  /** Attributes by which it does not filter. */
  const deaf = new Set<string>();
  const isForTheFilter = makeFilterDoubt(client);

  const find: Target['find'] = async (type, payload, signal, thorough) => {
    if (canFilter()) all.forget(ALL_MS);
    const hits = await findSpelled(type, payload, (value) => value, signal);
    if (hits.length > 0 || thorough === undefined) return hits;
    // Some keep names in lower case, and compare them by case.
    const folded = await findSpelled(type, payload, foldCase, signal);
    if (folded.length > 0 || thorough === 'spelled') return folded;
    return findAmongAll(type, payload, signal);
  };

  async function findAmongAll(type: ResourceType, payload: Payload, signal: AbortSignal): Promise<readonly Remote[]> {
    for (const path of keys[type]) {
      const value = keyOf(payload, path);
      const hits = value === undefined ? [] : await all.find(type, path, value, signal);
      if (hits.length > 0) return hits;
    }
    return [];
  }

  async function findSpelled(
    type: ResourceType,
    payload: Payload,
    spell: (value: string) => string,
    signal: AbortSignal,
  ): Promise<readonly Remote[]> {
    const usable = keys[type].filter((path) => keyOf(payload, path) !== undefined);
    for (const path of usable) {
      const value = spell(keyOf(payload, path) ?? '');
      const isDeaf = deaf.has(`${type} ${path}`);
      const found = canFilter() && !isDeaf ? await byFilter(type, path, value, signal) : undefined;
      // That one attribute is not filtered by says nothing of the others.
      if (found === undefined && canFilter() && !usable.every((key) => deaf.has(`${type} ${key}`))) continue;
      const hits = found ?? (await all.find(type, path, value, signal));
      if (hits.length > 0) return hits;
    }
    return [];
  }

  /** Undefined when the filter was ignored or refused. */
  async function byFilter(
    type: ResourceType,
    path: string,
    value: string,
    signal: AbortSignal,
  ): Promise<Remote[] | undefined> {
    const ask = (): Promise<Remote[] | undefined> => askFor(client, { type, path, value }, signal);
    try {
      const hits = await ask();
      if (hits !== undefined) return hits;
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      const { status = 0 } = error;
      const isRefused = REFUSALS.has(status) || (status === FAILURE && (await isForTheFilter(type, path, ask, signal)));
      if (!isRefused) throw error;
      deaf.add(`${type} ${path}`);
      if (!keys[type].every((key) => deaf.has(`${type} ${key}`))) return undefined;
    }
    cannotFilter();
    return undefined;
  }

  return {
    find,
    note: all.note,
    forget: (why) => (why === 'unknown' ? all.doubt() : all.forget(ALL_MS)),
    endRest: all.endRest,
    close: all.close,
  };
}

/** Undefined when the filter was ignored. */
async function askFor(
  client: ScimClient,
  { type, path, value }: { readonly type: ResourceType; readonly path: string; readonly value: string },
  signal: AbortSignal,
): Promise<Remote[] | undefined> {
  const filter = encodeURIComponent(`${path} eq ${JSON.stringify(value)}`);
  const cut = type === 'Group' ? '&excludedAttributes=members' : '';
  const { body } = await client.send(
    { method: 'GET', path: `${placeOf(type)}?filter=${filter}&startIndex=1&count=${HITS_MOST}${cut}` },
    signal,
  );
  const shown = resourcesOf(body).map((resource) => remoteOf(resource));
  const hits = shown.filter(
    (remote) => remote !== undefined && keyOf(remote.document ?? {}, path, value) !== undefined,
  ) as Remote[];
  // Where it does not say how many there are, there may be more.
  const isWhole = Number(body?.['totalResults']) <= shown.length;
  const isIgnored = hits.length < shown.length && !isWhole;
  return hits.length > 0 || !isIgnored ? hits : undefined;
}

function resourcesOf(body: Payload | undefined): readonly Payload[] {
  const list = body?.['Resources'] ?? body?.['resources'];
  return Array.isArray(list) ? list.filter((item) => typeof item === 'object' && item !== null) : [];
}
