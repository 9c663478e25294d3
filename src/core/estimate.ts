/** The parts of a run, in the order in which they come. */
export const RUN_PHASES = ['reading', 'planning', 'applying'] as const;
export type RunPhase = (typeof RUN_PHASES)[number];

export interface PhaseTime {
  /** When the run first came to this phase, RFC 3339. */
  readonly startedAt: string;
  readonly ms: number;
  /** Objects read, items planned, or items applied. */
  readonly done: number;
}

export type RunTimes = Partial<Readonly<Record<RunPhase, PhaseTime>>>;

export interface Underway {
  readonly phase: RunPhase;
  readonly done: number;
  readonly total: number | null;
  /** Time spent in this phase. */
  readonly ms: number;
}

/** A run's own pace is trusted after this share of a phase; before, that of earlier runs. */
const OWN_PACE_AFTER = 0.1;

/**
 * How long a run will still take, in ms, from what earlier ones took; null when nothing is known yet. The median of
 * each phase is what is expected, and the run's own pace corrects it as soon as it means something.
 */
export function estimateMsLeft(now: Underway, earlier: readonly RunTimes[]): number | null {
  const expected = (phase: RunPhase): PhaseTime | undefined => medianOf(earlier.map((times) => times[phase]));
  const whole = (phase: RunPhase): number => expected(phase)?.ms ?? 0;
  if (now.phase === 'applying') return restOf(now, now.total, expected('applying'));
  if (earlier.length === 0) return null;
  if (now.phase === 'planning') return Math.max(0, whole('planning') - now.ms) + whole('applying');
  const reading = expected('reading');
  if (reading === undefined) return null;
  const rest = restOf(now, Math.max(now.done, reading.done), reading);
  return rest === null ? null : rest + whole('planning') + whole('applying');
}

/** The rest of one phase: what is left to do, at the pace of this run or else of earlier ones. */
function restOf({ done, ms }: Underway, total: number | null, earlier: PhaseTime | undefined): number | null {
  if (total === null) return null;
  const left = Math.max(0, total - done);
  if (left === 0) return 0;
  const own = done > 0 ? ms / done : undefined;
  const usual = earlier !== undefined && earlier.done > 0 ? earlier.ms / earlier.done : undefined;
  const pace = done >= total * OWN_PACE_AFTER ? (own ?? usual) : (usual ?? own);
  return pace === undefined ? null : Math.round(left * pace);
}

function medianOf(times: readonly (PhaseTime | undefined)[]): PhaseTime | undefined {
  const known = times.filter((time) => time !== undefined).sort((a, b) => a.ms - b.ms);
  return known[Math.floor((known.length - 1) / 2)];
}
