// Everybody at a target who can be looked for, read once for all who look: for a target that does not filter, or hides by it.
import type { ResourceType } from '#core/resource.ts';
import type { Payload, Remote, Target, TargetError } from '#core/target.ts';
import type { Clock } from '#platform/clock.ts';
import type { ScimClient } from './client.ts';
import { keyOf, sameKey } from './keys.ts';
import { resting } from './pace.ts';
import { type PageOptions, readPages } from './pages.ts';
import { unlessAborted } from './wait.ts';

export interface KnownIdsParts {
  readonly client: ScimClient;
  readonly keys: Readonly<Record<ResourceType, readonly string[]>>;
  readonly pages: PageOptions;
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  read: Target['read'];
}

export interface KnownIds {
  /** Whoever carries the value is read as they are now. Everybody is read first when they are not known yet. */
  find(type: ResourceType, path: string, value: string, signal: AbortSignal): Promise<readonly Remote[]>;
  /** We made it, or changed it, since everybody was read. */
  note(type: ResourceType, payload: Payload, id: string): void;
  /** What was read to its end longer ago than this is read anew when somebody looks. */
  forget(olderThanMs: number): void;
  /** Something may have been made there just now, and may be shown a little later: whoever looks next has it read anew. */
  doubt(): void;
  /** A rest that a person has ended is over for reading everybody, too. */
  endRest(): void;
  /** Stops reading. */
  close(): void;
}

/** What was made is shown within about this time. */
const SHOWN_MS = 5_000;
/** Whoever looks again waits at least this long before it. */
const AGAIN_MS = 300;
/** Of a target that asks to be left alone, and does not say for how long, or nothing that is to come; then twice as long each time. */
const REST_MS = 2_000;
/** So often in a row it is asked for the same page again. */
const RESTS_MOST = 8;

/** Ids alone, by what they carry, since a target may have very many. */
type Ids = Map<string, string[]>;

interface Known {
  readonly startedAt: number;
  readonly ids: Promise<Ids>;
  /** Rejects when the target rests, for whoever waits: they come again, and it goes on where it was. */
  rests(): Promise<never>;
  /** Undefined while it is being read. */
  endedAt: number | undefined;
  /** In doubt while it was being read: it is of no use to whoever looks from then on. */
  isDoubted: boolean;
  /** The next one, for those: of each type one is read at a time. */
  next: Promise<Ids> | undefined;
}

export function makeKnownIds({ client, keys, pages, clock, read }: KnownIdsParts): KnownIds {
  const known = new Map<ResourceType, Known>();
  const closing = new AbortController();
  const rests = makeRests(clock, closing.signal);
  let shownAt = 0;

  /** Under no deadline of whoever asks first: reading everybody may take longer than one delivery. */
  async function readAll(type: ResourceType, rest: (ms: number) => Promise<void>): Promise<Ids> {
    const ids: Ids = new Map();
    let rests = 0;
    // What was read so far is not read again after a rest.
    async function waitOut(asked: TargetError): Promise<void> {
      const { reason, retryAfterMs: said = 0 } = asked;
      // It was not asked: it rests.
      if (reason === 'target-resting') return rest(Math.max(1, said));
      if (rests === RESTS_MOST) throw asked;
      const least = rests > 0 || said <= 0 ? REST_MS * 2 ** rests : 0;
      rests += 1;
      await rest(Math.max(said, least));
    }
    for await (const page of readPages(client, type, { ...pages, withoutMembers: true, waitOut }, closing.signal)) {
      rests = 0;
      for (const remote of page) addTo(ids, keys[type], remote);
    }
    return ids;
  }

  function start(type: ResourceType): Promise<Ids> {
    let rested = untilItRests();
    let restsUntil: number | undefined;
    const rest = async (ms: number): Promise<void> => {
      restsUntil = clock.elapsed() + ms;
      rested.reject(resting(ms));
      await rests.wait(ms);
      restsUntil = undefined;
      rested = untilItRests();
    };
    const ids = readAll(type, rest);
    const made: Known = {
      ...{ startedAt: clock.elapsed(), ids, endedAt: undefined, isDoubted: false, next: undefined },
      async rests() {
        if (restsUntil !== undefined) throw resting(Math.max(1, restsUntil - clock.elapsed()));
        return rested.promise;
      },
    };
    known.set(type, made);
    ids.then(
      () => {
        made.endedAt = clock.elapsed();
        if (made.isDoubted) known.delete(type);
      },
      () => known.delete(type),
    );
    return ids;
  }

  function idsOf(type: ResourceType): Promise<Ids> {
    const there = known.get(type);
    if (there === undefined) return start(type);
    if (there.endedAt === undefined) return there.isDoubted ? nextOf(type, there) : there.ids;
    const isEarly = there.startedAt < shownAt && clock.elapsed() - there.endedAt >= AGAIN_MS;
    return isEarly ? start(type) : there.ids;
  }

  function nextOf(type: ResourceType, there: Known): Promise<Ids> {
    if (there.next === undefined) {
      const again = (): Promise<Ids> => idsOf(type);
      there.next = there.ids.then(again, again);
      // Whoever waits for it is told, if anybody still does.
      there.next.catch(() => undefined);
    }
    return there.next;
  }

  return {
    async find(type, path, value, signal) {
      const reading = idsOf(type);
      const there = known.get(type);
      const isUnderWay = there !== undefined && there.endedAt === undefined;
      const ids = await unlessAborted(isUnderWay ? Promise.race([reading, there.rests()]) : reading, signal);
      const hits: Remote[] = [];
      for (const id of ids.get(sameKey(path, value)) ?? []) {
        const remote = await read(type, id, signal);
        if (remote !== undefined && keyOf(remote.document ?? {}, path, value) !== undefined) hits.push(remote);
      }
      return hits;
    },
    note(type, payload, id) {
      const add = (ids: Ids): void => addTo(ids, keys[type], { id, document: payload });
      // One that is not read to the end is told to whoever looks.
      known.get(type)?.ids.then(add, () => undefined);
    },
    forget(olderThanMs) {
      for (const [type, { endedAt }] of known)
        if (endedAt !== undefined && clock.elapsed() - endedAt >= olderThanMs) known.delete(type);
    },
    doubt() {
      for (const [type, one] of known) {
        if (one.endedAt === undefined) one.isDoubted = true;
        else known.delete(type);
      }
      shownAt = clock.elapsed() + SHOWN_MS;
    },
    endRest: rests.end,
    close: () => closing.abort(new Error('the target is closed')),
  };
}

interface Rests {
  wait(ms: number): Promise<void>;
  /** Whoever waits goes on. */
  end(): void;
}

function makeRests(clock: KnownIdsParts['clock'], closing: AbortSignal): Rests {
  const waiting = new Set<AbortController>();
  return {
    async wait(ms) {
      const ended = new AbortController();
      waiting.add(ended);
      try {
        await clock.sleep(ms, AbortSignal.any([closing, ended.signal]));
      } catch (error) {
        if (closing.aborted || !ended.signal.aborted) throw error;
      } finally {
        waiting.delete(ended);
      }
    },
    end() {
      for (const one of waiting) one.abort();
    },
  };
}

function untilItRests(): PromiseWithResolvers<never> {
  const rests = Promise.withResolvers<never>();
  // Often nobody waits.
  rests.promise.catch(() => undefined);
  return rests;
}

function addTo(ids: Ids, paths: readonly string[], { id, document }: Pick<Remote, 'id' | 'document'>): void {
  for (const path of paths) {
    const value = keyOf(document ?? {}, path);
    if (value === undefined) continue;
    const key = sameKey(path, value);
    const same = ids.get(key);
    if (same === undefined) ids.set(key, [id]);
    else if (!same.includes(id)) same.push(id);
  }
}
