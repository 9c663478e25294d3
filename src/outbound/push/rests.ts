// How long a target is left alone: by our own back-off, and since it asked for it.
import type { TargetChanges, TargetRow } from '#store/target/targets.ts';

export interface Rests {
  begin(stored: TargetRow): void;
  until(): number;
  leftMs(): number;
  /** Failures of the target in a row. */
  failures(): number;
  /** What is to be stored of it; nothing where it rests for longer already. */
  lengthen(to: Date, isAsked: boolean): TargetChanges | undefined;
  /** It answered. False while it rests, and when it has not failed. */
  end(): boolean;
}

/** Until when a target is left alone, and how much of that it asked for. */
export function makeRests(now: () => number): Rests {
  let [until, askedUntil, failures] = [0, 0, 0];
  const leftMs = (): number => Math.max(0, until - now());
  return {
    begin({ rest_until: stored, rest_asked_until: asked, failures: inARow }) {
      [until, askedUntil, failures] = [stored?.getTime() ?? 0, asked?.getTime() ?? 0, inARow];
    },
    until: () => until,
    leftMs,
    failures: () => failures,
    lengthen(to, isAsked) {
      const at = to.getTime();
      if (until >= at && !(isAsked && askedUntil < at)) return undefined;
      // Several that were on their way fail together; that is one failure of the target.
      if (leftMs() === 0) failures += 1;
      until = Math.max(until, at);
      if (isAsked) askedUntil = Math.max(askedUntil, at);
      return { rest_until: new Date(until), failures, ...(isAsked && { rest_asked_until: new Date(askedUntil) }) };
    },
    end() {
      if (failures === 0 || leftMs() > 0) return false;
      [failures, askedUntil] = [0, 0];
      return true;
    },
  };
}
