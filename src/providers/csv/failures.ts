// What goes wrong with a file, as errors with a stable reason and a remedy. A file that was not read to its end, or
// that cannot be trusted, is an incomplete read: it removes nobody.
import { ConfigError, UpstreamError } from '#core/errors.ts';

/** When the next run may try again, if nobody said. */
const LATER_MS = 60_000;

export interface FileProblem {
  readonly reason: string;
  readonly remedy: string;
  readonly cause?: unknown;
}

/** Nobody may be removed for what this file does not show. */
export function incomplete(message: string, problem: FileProblem): UpstreamError {
  return new UpstreamError(message, { failure: 'source-incomplete', retryAfterMs: LATER_MS, ...problem });
}

/** Nothing of the file can be used before somebody mends the settings or the file. */
export function unusable(message: string, problem: FileProblem): ConfigError {
  return new ConfigError(message, problem);
}
