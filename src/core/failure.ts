import { type ErrorCode, GatewayError } from './errors.ts';

/** What kind of failure ended a run, or cut its read short. `server` is the source itself failing. */
export type Failure =
  | 'network'
  | 'auth'
  | 'consent'
  | 'throttled'
  | 'server'
  | 'source-incomplete'
  | 'config'
  | 'internal';

/** A failure as the API shows it: what kind, which exactly, in one sentence, and what to do. */
export interface RunError {
  readonly failure: Failure;
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
}

/** What to do when the error itself does not say. */
const REMEDIES: Readonly<Record<Failure, string>> = {
  network: 'Check the network connection, a proxy, and the endpoints in the settings of the provider.',
  auth: 'Check the credential in the settings of the provider, and test the connection.',
  consent: 'Grant the application the permissions that the connection test names.',
  throttled: 'The next run tries again; run less often if it repeats.',
  server: 'The next run tries again; if it repeats, look at the service health page of the source.',
  'source-incomplete': 'Run again; nothing was removed because of it.',
  config: 'Check the settings of the provider, save them again, and test the connection.',
  internal: 'Run again; if it repeats, report it with the log of this run (start it with logLevel "debug").',
};

const FAILURE_OF: Readonly<Record<ErrorCode, Failure>> = {
  ERR_INPUT: 'config',
  ERR_CONFIG: 'config',
  ERR_NOT_IMPLEMENTED: 'config',
  ERR_CREDENTIALS: 'auth',
  ERR_UPSTREAM: 'server',
  ERR_RATE: 'throttled',
  ERR_NOT_FOUND: 'source-incomplete',
  ERR_CHECKPOINT_EXPIRED: 'source-incomplete',
  ERR_UNAUTHENTICATED: 'internal',
  ERR_FORBIDDEN: 'internal',
  ERR_CONFLICT: 'internal',
  ERR_GONE: 'internal',
  ERR_PRECONDITION: 'internal',
  ERR_TOO_LARGE: 'internal',
  ERR_MEDIA_TYPE: 'internal',
  ERR_METHOD: 'internal',
  ERR_UNAVAILABLE: 'internal',
};

/** Any error as a run shows it; always with a remedy. What we did not throw on purpose keeps its message to the log. */
export function describeError(error: unknown): RunError {
  if (!(error instanceof GatewayError))
    return { failure: 'internal', code: 'internal', message: 'Internal error.', remedy: REMEDIES.internal };
  const failure = 'failure' in error ? (error.failure as Failure) : FAILURE_OF[error.code];
  return { failure, code: error.reason, message: error.message, remedy: error.remedy ?? REMEDIES[failure] };
}

/** What is said of a delivery that a process took up and did not finish. */
export const CUT_SHORT: RunError = {
  failure: 'internal',
  code: 'delivery-cut-short',
  message: 'The process that was sending this ended before it had an answer.',
  remedy: 'Nothing: it is looked up at the target and sent again.',
};

/** Of a run whose process ended, or lost the database, before the run was done. */
export const ABANDONED: RunError = {
  failure: 'internal',
  code: 'run-abandoned',
  message: 'The process that worked on this run ended, or lost the database, before the run was done.',
  remedy: 'Start a run: it finishes what this one left. If it repeats, look at the log of that process.',
};
