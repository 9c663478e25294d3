// Looks for a resource at the target, and believes only what it sees: a target that ignores filters answers everybody.
import { parsePath } from '#core/filter.ts';
import type { ResourceType } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { type Payload, type Remote, type Target, TargetError } from '#core/target.ts';
import { readAt } from '#core/target-mapping.ts';
import type { Clock } from '#platform/clock.ts';
import type { ScimClient } from './client.ts';
import { type PageOptions, readPages } from './pages.ts';
import { placeOf, remoteOf } from './remote.ts';

export interface Matcher {
  find: Target['find'];
  /** Something may have been made there that was not there when everybody was read. */
  forget(why: 'unknown' | 'conflict'): void;
}

export interface MatchParts {
  readonly client: ScimClient;
  readonly keys: Readonly<Record<ResourceType, readonly string[]>>;
  readonly pages: PageOptions;
  readonly clock: Pick<Clock, 'elapsed'>;
  read: Target['read'];
  /** False when the target does not filter; learned when it refuses to. */
  canFilter(): boolean;
  cannotFilter(): void;
}

/** How targets say that they do not know a filter. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 404, 405, 422, 500, 501]);
/** More than this is never read of a list that a filter should have made short. */
const HITS_MOST = 10;

/**
 * Everybody is read again after a conflict only when they were last read before this: a thousand conflicts in a row must
 * not read a target a thousand times.
 */
const INDEX_MS = 10 * 60_000;

/** Ids by what they carry. */
interface Index {
  readonly readAt: number;
  readonly ids: Promise<ReadonlyMap<string, readonly string[]>>;
}

export function makeMatcher(parts: MatchParts): Matcher {
  const { client, keys, clock, read, canFilter, cannotFilter } = parts;
  const indexes = new Map<ResourceType, Index>();
  /** Attributes by which it does not filter. */
  const deaf = new Set<string>();

  const find: Target['find'] = async (type, payload, signal, thorough) => {
    if (canFilter()) dropIndexes(INDEX_MS);
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
      const hits = value === undefined ? [] : await byIndex(type, path, value, signal);
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
    for (const path of keys[type]) {
      const given = keyOf(payload, path);
      if (given === undefined) continue;
      const value = spell(given);
      const isDeaf = deaf.has(`${type} ${path}`);
      const found = canFilter() && !isDeaf ? await byFilter(type, path, value, signal) : undefined;
      // That one attribute is not filtered by says nothing of the others.
      if (found === undefined && canFilter() && !keys[type].every((key) => deaf.has(`${type} ${key}`))) continue;
      const hits = found ?? (await byIndex(type, path, value, signal));
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
    const filter = encodeURIComponent(`${path} eq ${JSON.stringify(value)}`);
    const cut = type === 'Group' ? '&excludedAttributes=members' : '';
    try {
      const { body } = await client.send(
        { method: 'GET', path: `${placeOf(type)}?filter=${filter}&startIndex=1&count=${HITS_MOST}${cut}` },
        signal,
      );
      const all = resourcesOf(body).map((resource) => remoteOf(resource));
      const hits = all.filter(
        (remote) => remote !== undefined && keyOf(remote.document ?? {}, path, value) !== undefined,
      ) as Remote[];
      // Where it does not say how many there are, there may be more.
      const isWhole = Number(body?.['totalResults']) <= all.length;
      const isIgnored = hits.length < all.length && !isWhole;
      if (hits.length > 0 || !isIgnored) return hits;
    } catch (error) {
      const isRefused = error instanceof TargetError && REFUSALS.has(error.status ?? 0);
      if (!isRefused) throw error;
      deaf.add(`${type} ${path}`);
      if (!keys[type].every((key) => deaf.has(`${type} ${key}`))) return undefined;
    }
    cannotFilter();
    return undefined;
  }

  /** Read once for all who look; who is found is read as they are now. */
  async function byIndex(
    type: ResourceType,
    path: string,
    value: string,
    signal: AbortSignal,
  ): Promise<readonly Remote[]> {
    const index = indexes.get(type) ?? { readAt: clock.elapsed(), ids: readIndex(parts, type, signal) };
    indexes.set(type, index);
    index.ids.catch(() => {
      if (indexes.get(type) === index) indexes.delete(type);
    });
    const hits: Remote[] = [];
    for (const id of (await index.ids).get(indexKey(path, value)) ?? []) {
      const remote = await read(type, id, signal);
      if (remote !== undefined && keyOf(remote.document ?? {}, path, value) !== undefined) hits.push(remote);
    }
    return hits;
  }

  function dropIndexes(olderThanMs: number): void {
    for (const [type, { readAt: at }] of indexes) if (clock.elapsed() - at > olderThanMs) indexes.delete(type);
  }

  return {
    find,
    forget(why) {
      if (why === 'unknown') indexes.clear();
      else dropIndexes(INDEX_MS);
    },
  };
}

/** Ids alone, since a target may have very many. */
async function readIndex(
  { client, keys, pages }: Pick<MatchParts, 'client' | 'keys' | 'pages'>,
  type: ResourceType,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const map = new Map<string, string[]>();
  for await (const page of readPages(client, type, pages, signal))
    for (const { id, document } of page)
      for (const path of keys[type]) {
        const value = keyOf(document ?? {}, path);
        if (value === undefined) continue;
        const key = indexKey(path, value);
        const same = map.get(key);
        if (same === undefined) map.set(key, [id]);
        else same.push(id);
      }
  return map;
}

function resourcesOf(body: Payload | undefined): readonly Payload[] {
  const list = body?.['Resources'] ?? body?.['resources'];
  return Array.isArray(list) ? list.filter((item) => typeof item === 'object' && item !== null) : [];
}

/** The value at a path; with `wanted`, only when it is that one. User names and addresses are compared without case. */
function keyOf(resource: Payload, text: string, wanted?: string): string | undefined {
  const path = parsePath(text);
  const all = path.sub !== undefined && path.filter === undefined ? resource[path.attribute] : undefined;
  const values = Array.isArray(all)
    ? all.map((item) => (item as Payload)[path.sub ?? 'value'])
    : [readAt(resource, path)];
  const texts = values.filter((value) => typeof value === 'string' && value !== '') as string[];
  if (wanted === undefined) return texts[0];
  return texts.find((value) => (text === 'externalId' ? value === wanted : foldCase(value) === foldCase(wanted)));
}

function indexKey(path: string, value: string): string {
  return `${path} ${path === 'externalId' ? value : foldCase(value)}`;
}
