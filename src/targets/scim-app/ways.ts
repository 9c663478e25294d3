// Which way a target takes a change, PATCH or PUT, and under which condition: what an administrator says, what was learned,
// what the target says of itself.
import type { ResourceType } from '#core/resource.ts';
import { type Capabilities, type Learned, type Remote, TargetError, type TargetFailure } from '#core/target.ts';
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
  /**
   * Tries the way that is known, and the other one when the target does not know it. That one is told when it is only a
   * guess: a 404 to what is there may mean that there is no such way, or be about what was sent.
   */
  either<Answer>(
    place: Place,
    ways: Readonly<Record<'patch' | 'put', (isGuess: boolean) => Promise<Answer>>>,
    signal: AbortSignal,
  ): Promise<Answer>;
  /**
   * A write that is tried once more when it was refused as stale, and has to read first then. One that is stale with the
   * tag that was just read is tried without a condition: the target does not honour its own.
   */
  insist<Answer>(
    attempt: (match: (etag: string | undefined) => Match, isAgain: boolean) => Promise<Answer>,
  ): Promise<Answer>;
  /** The same for a write for which nothing has to be read but its tag. */
  fresh<Answer>(
    place: Place,
    etag: string | undefined,
    work: (match: Match) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer>;
}

export function makeWays({ settings: { dialect }, capabilities, learned, learn, read }: WayParts): Ways {
  /** Ways that a target has taken since it was opened. */
  const works = new Set<string>();

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
      dialect.ifMatch === 'auto' ? (learned().match ?? capabilities()?.etag === true) : dialect.ifMatch === 'always';
    return isWanted && etag !== undefined ? { etag } : {};
  }

  async function insist<Answer>(
    attempt: (match: (etag: string | undefined) => Match, isAgain: boolean) => Promise<Answer>,
  ): Promise<Answer> {
    let had = false;
    const noting =
      (choose: (etag: string | undefined) => Match) =>
      (etag: string | undefined): Match => {
        const chosen = choose(etag);
        had = chosen.etag !== undefined;
        return chosen;
      };
    try {
      return await attempt(noting(match), false);
    } catch (error) {
      passStale(error);
    }
    if (dialect.ifMatch !== 'auto') return attempt(match, true);
    const wasWithout = !had;
    try {
      const answer = await attempt(
        noting((etag) => (etag === undefined ? {} : { etag })),
        true,
      );
      if (wasWithout && had) learn({ match: true });
      return answer;
    } catch (error) {
      passStale(error);
      if (!had) throw error;
    }
    const answer = await attempt(() => ({}), true);
    learn({ match: false });
    return answer;
  }

  return {
    insist,
    async either({ type, id }, ways, signal) {
      const way = wayOf(type);
      try {
        const answer = await ways[way](false);
        works.add(`${type} ${way}`);
        return answer;
      } catch (error) {
        const isUnknownWay = error instanceof TargetError && (error.kind === 'unsupported' || error.kind === 'gone');
        if (!isUnknownWay || !isOpen(type)) throw error;
        const isGuess = error.kind === 'gone';
        if (isGuess && works.has(`${type} ${way}`)) throw error;
        // A target without PATCH may answer 404 to it, like to what is gone.
        if (isGuess && (await read(type, id, signal)) === undefined) throw error;
        const other = way === 'patch' ? 'put' : 'patch';
        const answer = await ways[other](isGuess).catch((further: unknown) => {
          throw isGuess && isRefusal(further) ? error : further;
        });
        learn({ write: { ...learned().write, [type]: other } });
        return answer;
      }
    },
    fresh({ type, id }, etag, work, signal) {
      return insist(async (choose, isAgain) => {
        if (!isAgain) return work(choose(etag));
        const remote = await read(type, id, signal);
        if (remote === undefined) throw gone(type, id);
        return work(choose(remote.etag));
      });
    },
  };
}

/** Nothing was done, and it is not about the moment. */
function isRefusal(error: unknown): boolean {
  return error instanceof TargetError && REFUSALS.has(error.kind);
}

const REFUSALS: ReadonlySet<TargetFailure> = new Set(['refused', 'conflict', 'gone', 'unsupported']);

/** Rethrows any other error than that of a stale write. */
function passStale(error: unknown): void {
  if (!(error instanceof TargetError) || error.kind !== 'stale') throw error;
}

export function gone(type: ResourceType, id: string): TargetError {
  return new TargetError(`The target has no ${type} "${id}".`, { kind: 'gone', reason: 'target-gone', status: 404 });
}
