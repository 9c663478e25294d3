// Everybody at a target who can be looked for, read once for all who look: for a target that does not filter, or hides by it.
import type { ResourceType } from '#core/resource.ts';
import type { Payload, Remote, Target } from '#core/target.ts';
import type { Clock } from '#platform/clock.ts';
import type { ScimClient } from './client.ts';
import { keyOf, sameKey } from './keys.ts';
import { type PageOptions, readPages } from './pages.ts';
import { unlessAborted } from './wait.ts';

export interface KnownIdsParts {
  readonly client: ScimClient;
  readonly keys: Readonly<Record<ResourceType, readonly string[]>>;
  readonly pages: PageOptions;
  readonly clock: Pick<Clock, 'elapsed'>;
  read: Target['read'];
}

export interface KnownIds {
  /** Whoever carries the value is read as they are now. Everybody is read first when they are not known yet. */
  find(type: ResourceType, path: string, value: string, signal: AbortSignal): Promise<readonly Remote[]>;
  /** We made it, or changed it, since everybody was read. */
  note(type: ResourceType, payload: Payload, id: string): void;
  /** What was read longer ago than this is read anew when somebody looks. */
  forget(olderThanMs: number): void;
  /** Something may have been made there just now, and may be shown a little later. */
  doubt(): void;
  /** Stops reading. */
  close(): void;
}

/** What was made is shown within about this time. */
const SHOWN_MS = 5_000;
/** Whoever looks again waits at least this long before it. */
const AGAIN_MS = 300;

/** Ids alone, by what they carry, since a target may have very many. */
interface Known {
  readonly readAt: number;
  readonly ids: Promise<Map<string, string[]>>;
}

export function makeKnownIds({ client, keys, pages, clock, read }: KnownIdsParts): KnownIds {
  const known = new Map<ResourceType, Known>();
  const closing = new AbortController();
  let shownAt = 0;

  /** Under no deadline of whoever asks first: reading everybody may take longer than one delivery. */
  async function readAll(type: ResourceType): Promise<Map<string, string[]>> {
    const ids = new Map<string, string[]>();
    for await (const page of readPages(client, type, { ...pages, withoutMembers: true }, closing.signal))
      for (const remote of page) addTo(ids, keys[type], remote);
    return ids;
  }

  function knownOf(type: ResourceType): Known {
    const there = known.get(type);
    const isEarly = there !== undefined && there.readAt < shownAt && clock.elapsed() - there.readAt >= AGAIN_MS;
    if (there !== undefined && !isEarly) return there;
    const made = { readAt: clock.elapsed(), ids: readAll(type) };
    known.set(type, made);
    made.ids.catch(() => {
      if (known.get(type) === made) known.delete(type);
    });
    return made;
  }

  return {
    async find(type, path, value, signal) {
      const ids = await unlessAborted(knownOf(type).ids, signal);
      const hits: Remote[] = [];
      for (const id of ids.get(sameKey(path, value)) ?? []) {
        const remote = await read(type, id, signal);
        if (remote !== undefined && keyOf(remote.document ?? {}, path, value) !== undefined) hits.push(remote);
      }
      return hits;
    },
    note(type, payload, id) {
      const add = (ids: Map<string, string[]>): void => addTo(ids, keys[type], { id, document: payload });
      // One that is not read to the end is told to whoever looks.
      known.get(type)?.ids.then(add, () => undefined);
    },
    forget(olderThanMs) {
      for (const [type, { readAt }] of known) if (clock.elapsed() - readAt >= olderThanMs) known.delete(type);
    },
    doubt() {
      known.clear();
      shownAt = clock.elapsed() + SHOWN_MS;
    },
    close: () => closing.abort(new Error('the target is closed')),
  };
}

function addTo(
  ids: Map<string, string[]>,
  paths: readonly string[],
  { id, document }: Pick<Remote, 'id' | 'document'>,
): void {
  for (const path of paths) {
    const value = keyOf(document ?? {}, path);
    if (value === undefined) continue;
    const key = sameKey(path, value);
    const same = ids.get(key);
    if (same === undefined) ids.set(key, [id]);
    else if (!same.includes(id)) same.push(id);
  }
}
