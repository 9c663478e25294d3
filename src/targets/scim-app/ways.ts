// Which way a target takes a change, PATCH or PUT, and under which condition: what an administrator says, what was learned,
// what the target says of itself.
import type { ResourceType } from '#core/resource.ts';
import { type Capabilities, type Learned, type Remote, TargetError } from '#core/target.ts';
import { PRECONDITION_NEEDED } from './client.ts';
import type { ScimSettings } from './settings.ts';

export interface WayParts {
  readonly settings: Pick<ScimSettings, 'dialect'>;
  capabilities(): Capabilities | undefined;
  learned(): Learned;
  learn(news: Learned): void;
  read(type: ResourceType, id: string, signal: AbortSignal): Promise<Remote | undefined>;
}

/** One resource at the target. */
export interface Place {
  readonly type: ResourceType;
  readonly id: string;
}

/** The condition of a write. */
export interface Match {
  readonly etag?: string;
}

export interface Ways {
  /** Tries the way that is known, and the other one when the target does not know it. */
  either<Answer>(
    place: Place,
    ways: Readonly<Record<'patch' | 'put', () => Promise<Answer>>>,
    signal: AbortSignal,
  ): Promise<Answer>;
  match(etag: string | undefined): Match;
  /** A write that is tried once more, with what was read then, when it was refused as stale. */
  fresh<Answer>(
    place: Place,
    etag: string | undefined,
    work: (match: Match) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer>;
  /** Rethrows any other error than that of a stale write, from which is learned whether a condition is needed. */
  passStale(error: unknown): void;
}

export function makeWays({ settings: { dialect }, capabilities, learned, learn, read }: WayParts): Ways {
  function isOpen(type: ResourceType): boolean {
    return (type === 'User' ? dialect.users : dialect.groups) === 'auto';
  }

  function wayOf(type: ResourceType): 'patch' | 'put' {
    const chosen = type === 'User' ? dialect.users : dialect.groups;
    if (chosen !== 'auto') return chosen;
    return learned().write?.[type] ?? (capabilities()?.patch === false ? 'put' : 'patch');
  }

  function match(etag: string | undefined): Match {
    const isWanted =
      dialect.ifMatch === 'auto'
        ? learned().match === true || capabilities()?.etag === true
        : dialect.ifMatch === 'always';
    return isWanted && etag !== undefined ? { etag } : {};
  }

  function passStale(error: unknown): void {
    if (!(error instanceof TargetError) || error.kind !== 'stale') throw error;
    if (error.status === PRECONDITION_NEEDED && dialect.ifMatch === 'auto') learn({ match: true });
  }

  return {
    match,
    passStale,
    async either({ type, id }, ways, signal) {
      const way = wayOf(type);
      try {
        return await ways[way]();
      } catch (error) {
        const isUnknownWay = error instanceof TargetError && (error.kind === 'unsupported' || error.kind === 'gone');
        if (!isUnknownWay || !isOpen(type)) throw error;
        // A target without PATCH may answer 404 to it, like to what is gone.
        if (error.kind === 'gone' && (await read(type, id, signal)) === undefined) throw error;
        const other = way === 'patch' ? 'put' : 'patch';
        const answer = await ways[other]();
        learn({ write: { ...learned().write, [type]: other } });
        return answer;
      }
    },
    async fresh({ type, id }, etag, work, signal) {
      try {
        return await work(match(etag));
      } catch (error) {
        passStale(error);
        const remote = await read(type, id, signal);
        if (remote === undefined) throw gone(type, id);
        return work(match(remote.etag));
      }
    },
  };
}

export function gone(type: ResourceType, id: string): TargetError {
  return new TargetError(`The target has no ${type} "${id}".`, { kind: 'gone', reason: 'target-gone', status: 404 });
}
