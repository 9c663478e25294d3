// How a target does: whether it rests, whether it is in quarantine, and how much it is given at once.
import { probeGapMs, QUARANTINE_MOST_MS } from '#core/backoff.ts';
import { describeError } from '#core/failure.ts';
import { type Target, TargetError } from '#core/target.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Db } from '#store/database.ts';
import { changeTarget, NO_REST, type TargetRow } from '#store/target/targets.ts';
import { makeRests } from './rests.ts';
import { type Consequence, consequenceOf, makeWindow } from './settle.ts';

export interface HealthParts {
  readonly appId: string;
  readonly clock: Clock;
  readonly log: Log;
  random(): number;
  /** Called when a person has ended a rest or a quarantine before its time. */
  endRest?(): void;
  write<T>(work: (tx: Db) => Promise<T>): Promise<T>;
}

export interface Health {
  /** Takes up what is stored, at the beginning of a turn, and whenever nothing is on its way. */
  begin(row: TargetRow): void;
  /** With other settings everything is judged anew. */
  reset(concurrency: number): void;
  /** Nothing may be sent now. */
  isResting(): boolean;
  /** How long it rests yet. */
  restMs(): number;
  /** How many requests may be on their way at once: halved when it asks for rest, and slowly given back. */
  width(): number;
  /** A delivery came to its end. */
  noteGood(): Promise<void>;
  /** A delivery failed: what that means for it, and done what it means for the target. */
  noteBad(error: unknown, attempt: { readonly attempts: number; readonly maxAttempts: number }): Promise<Consequence>;
  quarantine(error: unknown): Promise<void>;
  /** Half open: one cheap read. Answers whether the target is back. */
  probe(target: Target, signal: AbortSignal): Promise<boolean>;
  /** False while a quarantine has time to go. */
  isProbeDue(): boolean;
}

/** After so many good answers in a row one more request is on its way at once again. */
const RECOVER_AFTER = 50;

export function makeHealth({ appId, clock, log, random, write, endRest }: HealthParts): Health {
  const recent = makeWindow();
  let row: TargetRow | undefined;
  let isOut = false;
  let most = 1;
  let width = 1;
  let goodInARow = 0;

  const now = (): number => clock.now().getTime();
  const rests = makeRests(now);

  async function rest(until: Date, isAsked: boolean): Promise<void> {
    width = Math.max(1, Math.floor(width / 2));
    const changes = rests.lengthen(until, isAsked);
    if (changes !== undefined) await write((tx) => changeTarget(tx, appId, changes));
  }

  async function quarantine(error: unknown): Promise<void> {
    if (isOut || row === undefined) return;
    isOut = true;
    const { quarantine: known, config_version: configVersion } = row;
    const { code, message, remedy } = describeError(error);
    const since = known?.since ?? clock.now().toISOString();
    const probes = known === null ? 0 : known.probes + 1;
    const isOver = now() - Date.parse(since) >= QUARANTINE_MOST_MS;
    // Nor before the time that it asked for.
    const asked = error instanceof TargetError ? (error.retryAfterMs ?? 0) : 0;
    const probeAt = new Date(now() + Math.max(probeGapMs(probes), asked)).toISOString();
    // That holds for people as well.
    const rest = asked > 0 ? rests.lengthen(new Date(now() + asked), true) : undefined;
    log.warn({ code, probes }, isOver ? 'target disabled' : 'target in quarantine');
    await write(async (tx) => {
      const told = { reason: code, message, remedy: remedy ?? null, since, probes, probeAt };
      const state = isOver ? 'disabled' : 'quarantined';
      const changes = { state, quarantine: told, ...rest } as const;
      // Whoever paused it meanwhile, or gave it other settings, has the last word.
      if (!(await changeTarget(tx, appId, changes, { states: ['active', 'quarantined'], configVersion }))) return;
      // Told of once for each reason.
      if (known?.reason === code && !isOver) return;
      const action = isOver ? 'target.disabled' : 'target.quarantined';
      await writeAudit(tx, { actor: 'push', action, object: appId, detail: { code, message } });
    });
  }

  function isProbeDue(): boolean {
    return row?.quarantine == null || Date.parse(row.quarantine.probeAt) <= now();
  }

  return {
    begin(stored) {
      const until = stored.rest_until?.getTime() ?? 0;
      const isBack = (isOut || row?.quarantine != null) && stored.quarantine === null;
      if (isBack || (until < rests.until() && rests.leftMs() > 0)) endRest?.();
      rests.begin(stored);
      [row, isOut] = [stored, false];
    },
    reset(concurrency) {
      most = concurrency;
      width = concurrency;
      recent.clear();
    },
    isResting: () => isOut || rests.leftMs() > 0,
    restMs: rests.leftMs,
    width: () => Math.min(width, most),
    async noteGood() {
      recent.note(true);
      goodInARow += 1;
      if (goodInARow % RECOVER_AFTER === 0) width = Math.min(most, width + 1);
      if (!rests.end()) return;
      await write((tx) => changeTarget(tx, appId, NO_REST));
    },
    async noteBad(error, { attempts, maxAttempts }) {
      goodInARow = 0;
      const failures = rests.failures();
      const consequence = consequenceOf(error, { attempts, maxAttempts, failures, now: clock.now(), random });
      if (consequence.counts) recent.note(false);
      if (consequence.restUntil !== undefined) await rest(consequence.restUntil, consequence.isAsked);
      if (consequence.quarantine) await quarantine(error);
      else if (recent.isFailing()) await quarantine(tooManyFailures(error));
      return consequence;
    },
    quarantine,
    isProbeDue,
    async probe(target, signal) {
      if (row === undefined || !isProbeDue()) return false;
      const known = { states: ['quarantined'], configVersion: row.config_version } as const;
      try {
        await target.probe(signal);
      } catch (error) {
        if (!signal.aborted) await quarantine(error);
        return false;
      }
      recent.clear();
      row = { ...row, quarantine: null };
      await write(async (tx) => {
        const back = { state: 'active', quarantine: null, ...NO_REST } as const;
        if (!(await changeTarget(tx, appId, back, known))) return;
        log.info('target is back');
        await writeAudit(tx, { actor: 'push', action: 'target.recovered', object: appId });
      });
      return true;
    },
  };
}

function tooManyFailures(cause: unknown): TargetError {
  return new TargetError('Too many of its last answers were failures.', {
    kind: 'server',
    reason: 'too-many-failures',
    remedy: 'Look at the failed deliveries: most have the same cause.',
    cause,
  });
}
