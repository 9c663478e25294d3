// What a failure means for the object and for its target. Pure.
import { objectRetryMs, targetRestMs } from '#core/backoff.ts';
import { describeError, type RunError } from '#core/failure.ts';
import { TargetError, type TargetFailure } from '#core/target.ts';

export interface Situation {
  /** Tries of this object, this one included. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** Failures of the target in a row before this one. */
  readonly failures: number;
  readonly now: Date;
  random(): number;
}

export interface Consequence {
  readonly state: 'pending' | 'dead';
  readonly readyAt: Date;
  readonly attempts: number;
  /** The whole target is left alone until then. */
  readonly restUntil: Date | undefined;
  /** That is what it said itself. */
  readonly isAsked: boolean;
  /** The target is taken out of service until a probe succeeds. */
  readonly quarantine: boolean;
  /** Whether it counts when it is judged how the target does. */
  readonly counts: boolean;
  readonly error: RunError & { readonly status: number | null; readonly kind?: TargetFailure };
  /** It is tried again once this resource of ours has left. */
  readonly awaits: string | null;
}

/** In a row: a minute or two of a target that refuses connections, some minutes of one that lets them run out of time. */
const UNREACHABLE_AFTER = 8;

/** It was asked, and did not answer. */
const LOST: ReadonlySet<string> = new Set(['timeout', 'connection-lost']);
/** Of an object whose connection is lost: these follow at once, the others with growing gaps. */
const QUICK_TRIES = 3;

/** Whoever waits for a link looks again as after so many tries; when it is given up they are asked for at once. */
const HEIR_TRIES = 3;

/** Says something of one object, of its members or of ours, and nothing of how the target does. */
const NOT_OF_TARGET: ReadonlySet<string> = new Set([
  ...['member-refused', 'member-list-refused', 'too-many-members', 'deletion-refused'],
  ...['required-attribute-missing', 'ambiguous-match', 'already-linked'],
]);

export function consequenceOf(error: unknown, situation: Situation): Consequence {
  const { attempts, maxAttempts, failures, now, random } = situation;
  const after = (ms: number): Date => new Date(now.getTime() + ms);
  const shown =
    error instanceof TargetError
      ? { ...describeError(error), status: error.status ?? null, kind: error.kind }
      : { ...describeError(error), status: null };
  const again = {
    state: 'pending',
    readyAt: now,
    attempts: attempts - 1,
    restUntil: undefined,
    isAsked: asksToRest(error),
    quarantine: false,
    counts: false,
    error: shown,
    awaits: error instanceof TargetError ? (error.holder ?? null) : null,
  } as const;
  const counted = {
    ...again,
    state: attempts >= maxAttempts ? ('dead' as const) : ('pending' as const),
    readyAt: after(objectRetryMs(attempts, random)),
    attempts,
    counts: true,
  };
  if (!(error instanceof TargetError)) return counted;
  const rested = after(targetRestMs(failures + 1, error.retryAfterMs, random));
  // It waits for somebody of ours who leaves, maybe for as long as the guard holds them: no try of its own has failed.
  if (error.kind === 'stale' && error.reason === 'already-linked')
    return { ...again, readyAt: after(error.retryAfterMs ?? objectRetryMs(HEIR_TRIES, random)) };
  switch (error.kind) {
    case 'throttled':
      return { ...again, restUntil: rested };
    case 'network': {
      const outage = { restUntil: rested, quarantine: failures + 1 >= UNREACHABLE_AFTER };
      // In an outage no object is to blame. One that loses a connection while others are taken may be.
      if (failures > 0 || !LOST.has(error.reason)) return { ...again, ...outage };
      const gapMs = attempts <= QUICK_TRIES ? 0 : objectRetryMs(attempts - QUICK_TRIES, random);
      return { ...counted, ...outage, readyAt: after(gapMs), counts: false };
    }
    case 'credentials':
    case 'contract':
      return { ...again, quarantine: true };
    case 'conflict':
    case 'refused':
    case 'unsupported':
      return {
        ...counted,
        state: 'dead',
        restUntil: again.isAsked ? rested : undefined,
        counts: !NOT_OF_TARGET.has(error.reason),
      };
    default:
      return { ...counted, restUntil: again.isAsked ? rested : undefined, counts: !NOT_OF_TARGET.has(error.reason) };
  }
}

/** Whatever it answers, it may say when it wants to be asked again. */
function asksToRest(error: unknown): boolean {
  return error instanceof TargetError && error.retryAfterMs !== undefined && error.retryAfterMs > 0;
}

/** The last outcomes of a target: when too many of them failed, something is wrong with it and not with the objects. */
export interface Window {
  note(ok: boolean): void;
  isFailing(): boolean;
  clear(): void;
}

const WINDOW = 100;
const FAILURES_MIN = 20;
const SHARE_MAX = 0.4;

export function makeWindow(): Window {
  let outcomes: boolean[] = [];
  return {
    note(ok) {
      outcomes.push(ok);
      if (outcomes.length > WINDOW) outcomes.shift();
    },
    isFailing() {
      const failed = outcomes.filter((ok) => !ok).length;
      return failed >= FAILURES_MIN && failed >= SHARE_MAX * outcomes.length;
    },
    clear() {
      outcomes = [];
    },
  };
}
