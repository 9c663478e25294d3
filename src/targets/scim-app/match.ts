// Looks for a resource at the target, and believes only what it sees: a target that ignores filters answers everybody.
import { parsePath } from '#core/filter.ts';
import type { ResourceType } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { type Payload, type Remote, type Target, TargetError } from '#core/target.ts';
import { readAt } from '#core/target-mapping.ts';
import type { ScimClient } from './client.ts';
import { type PageOptions, readPages } from './pages.ts';
import { placeOf, remoteOf } from './remote.ts';

export interface Matcher {
  find: Target['find'];
  /** Something was made or removed there, so that what was read before may not hold. */
  forget(): void;
}

export interface MatchParts {
  readonly client: ScimClient;
  readonly keys: Readonly<Record<ResourceType, readonly string[]>>;
  readonly pages: PageOptions;
  /** False when the target does not filter; learned when it refuses to. */
  canFilter(): boolean;
  cannotFilter(): void;
}

/** How targets say that they do not know a filter. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 404, 405, 422, 500, 501]);
/** More than this is never read of a list that a filter should have made short. */
const HITS_MOST = 10;

export function makeMatcher({ client, keys, pages, canFilter, cannotFilter }: MatchParts): Matcher {
  let index: Promise<ReadonlyMap<string, readonly Remote[]>> | undefined;
  let indexed: ResourceType | undefined;
  /** Attributes by which it does not filter. */
  const deaf = new Set<string>();

  const find: Target['find'] = async (type, payload, signal, thorough) => {
    const hits = await findSpelled(type, payload, (value) => value, signal);
    if (hits.length > 0 || thorough === undefined) return hits;
    // Some keep names in lower case, and compare them by case.
    return findSpelled(type, payload, foldCase, signal);
  };

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
      const hits = found ?? (await byIndex(type, signal)).get(indexKey(path, value)) ?? [];
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
      const isIgnored = hits.length < all.length && Number(body?.['totalResults'] ?? 0) > all.length;
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

  /** Everybody there, by each key; read once for all who look. */
  async function byIndex(type: ResourceType, signal: AbortSignal): Promise<ReadonlyMap<string, readonly Remote[]>> {
    if (index === undefined || indexed !== type) {
      indexed = type;
      index = readIndex(type, signal);
      index.catch(() => {
        index = undefined;
      });
    }
    return index;
  }

  async function readIndex(type: ResourceType, signal: AbortSignal): Promise<ReadonlyMap<string, readonly Remote[]>> {
    const map = new Map<string, Remote[]>();
    for await (const page of readPages(client, type, pages, signal))
      for (const remote of page)
        for (const path of keys[type]) {
          const value = keyOf(remote.document ?? {}, path);
          if (value === undefined) continue;
          const key = indexKey(path, value);
          map.set(key, [...(map.get(key) ?? []), { id: remote.id, document: remote.document, etag: remote.etag }]);
        }
    return map;
  }

  return {
    find,
    forget() {
      index = undefined;
    },
  };
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
