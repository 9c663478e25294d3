// What reading a source costs.

/** What a read has cost so far. */
export interface Cost {
  readonly requests: number;
  readonly resourceUnits: number;
  readonly bytes: number;
  readonly throttledMs: number;
}

/** One request to a source, for whoever counts them. `status` is 0 when no answer came. */
export interface SourceRequest {
  readonly status: number;
  readonly seconds: number;
  readonly resourceUnits: number;
}

export type SourceOutcome = 'ok' | 'throttled' | 'refused' | 'failed' | 'broken';

/** What came of it, in few words. */
export function outcomeOfStatus(status: number): SourceOutcome {
  if (status === 0) return 'broken';
  if (status === 429 || status === 503) return 'throttled';
  if (status >= 500) return 'failed';
  return status >= 400 ? 'refused' : 'ok';
}
