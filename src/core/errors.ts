/**
 * Every error thrown on purpose. Each class has one `code`; an edge maps codes to statuses in a table typed by
 * `ErrorCode`, so that a new code does not compile until every edge has an answer. `reason` is the stable word an
 * API client may switch on, `remedy` the sentence that says what to do. Messages never hold secrets, tokens or bodies.
 */
export type ErrorCode =
  | 'ERR_INPUT'
  | 'ERR_UNAUTHENTICATED'
  | 'ERR_FORBIDDEN'
  | 'ERR_NOT_FOUND'
  | 'ERR_METHOD'
  | 'ERR_CONFLICT'
  | 'ERR_GONE'
  | 'ERR_PRECONDITION'
  | 'ERR_TOO_LARGE'
  | 'ERR_MEDIA_TYPE'
  | 'ERR_RATE'
  | 'ERR_NOT_IMPLEMENTED'
  | 'ERR_UPSTREAM'
  | 'ERR_CREDENTIALS'
  | 'ERR_CHECKPOINT_EXPIRED'
  | 'ERR_CONFIG'
  | 'ERR_UNAVAILABLE';

/** The words of RFC 7644 table 9 and RFC 9865 section 2.1. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidVers'
  | 'sensitive'
  | 'invalidCursor'
  | 'expiredCursor'
  | 'invalidCount';

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Stable kebab-case word; each class has a default. */
  readonly reason?: string;
  /** One sentence that says what to do about it. */
  readonly remedy?: string | undefined;
  /** Facts an API client may use (a run's id, the fields that are wrong). Shown to the caller. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export abstract class GatewayError extends Error {
  abstract readonly code: ErrorCode;
  readonly reason: string;
  readonly remedy: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, fallbackReason: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.reason = options.reason ?? fallbackReason;
    this.remedy = options.remedy;
    this.details = options.details ?? {};
  }
}

/** The caller sent something that cannot be taken. `scimType` is set where RFC 7644 table 9 has a word for it. */
export class InputError extends GatewayError {
  readonly code = 'ERR_INPUT';
  readonly scimType: ScimType | undefined;

  constructor(message: string, options: ErrorOptions & { scimType?: ScimType } = {}) {
    super(message, 'invalid-input', options);
    this.scimType = options.scimType;
  }
}

export class UnauthenticatedError extends GatewayError {
  readonly code = 'ERR_UNAUTHENTICATED';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'unauthenticated', options);
  }
}

export class ForbiddenError extends GatewayError {
  readonly code = 'ERR_FORBIDDEN';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'forbidden', options);
  }
}

export class NotFoundError extends GatewayError {
  readonly code = 'ERR_NOT_FOUND';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'not-found', options);
  }
}

/** The resource is there, but does not take this method. */
export class MethodError extends GatewayError {
  readonly code = 'ERR_METHOD';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'method-not-allowed', options);
  }
}

/** The request is right, but something that exists stands against it. */
export class ConflictError extends GatewayError {
  readonly code = 'ERR_CONFLICT';
  readonly scimType: ScimType | undefined;

  constructor(message: string, options: ErrorOptions & { scimType?: ScimType } = {}) {
    super(message, 'conflict', options);
    this.scimType = options.scimType;
  }
}

/** It was there, and is not kept any more: the caller has to begin in another way. */
export class GoneError extends GatewayError {
  readonly code = 'ERR_GONE';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'gone', options);
  }
}

/** If-Match named a version that is not the present one. */
export class PreconditionError extends GatewayError {
  readonly code = 'ERR_PRECONDITION';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'precondition-failed', options);
  }
}

export class TooLargeError extends GatewayError {
  readonly code = 'ERR_TOO_LARGE';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'too-large', options);
  }
}

export class MediaTypeError extends GatewayError {
  readonly code = 'ERR_MEDIA_TYPE';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'unsupported-media-type', options);
  }
}

/** The caller sends too much, too fast. */
export class RateError extends GatewayError {
  readonly code = 'ERR_RATE';
  readonly retryAfterMs: number;
  constructor(message: string, options: ErrorOptions & { retryAfterMs: number }) {
    super(message, 'too-many-requests', options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

export class NotImplementedError extends GatewayError {
  readonly code = 'ERR_NOT_IMPLEMENTED';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'not-implemented', options);
  }
}

/** How an upstream failure is shown to an administrator. */
export type UpstreamFailure = 'network' | 'throttled' | 'server' | 'source-incomplete';

/** The system at the other end failed. `retryAfterMs` is set only when trying again may help. */
export class UpstreamError extends GatewayError {
  readonly code = 'ERR_UPSTREAM';
  readonly failure: UpstreamFailure;
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: ErrorOptions & { failure: UpstreamFailure; retryAfterMs?: number | undefined },
  ) {
    super(message, options.failure, options);
    this.failure = options.failure;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** How a refused credential is shown: wrong or expired (`auth`), or without the permission it needs (`consent`). */
export class CredentialsError extends GatewayError {
  readonly code = 'ERR_CREDENTIALS';
  readonly failure: 'auth' | 'consent';
  constructor(message: string, options: ErrorOptions & { failure: 'auth' | 'consent' }) {
    super(message, options.failure === 'auth' ? 'credentials-refused' : 'permission-missing', options);
    this.failure = options.failure;
  }
}

/** The provider no longer knows where we left off: a full read follows. */
export class CheckpointExpiredError extends GatewayError {
  readonly code = 'ERR_CHECKPOINT_EXPIRED';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'checkpoint-expired', options);
  }
}

/** The process or a provider is set up in a way that cannot work. */
export class ConfigError extends GatewayError {
  readonly code = 'ERR_CONFIG';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'config', options);
  }
}

/** We cannot answer now, but may later (the database is away, a statement ran out of time). */
export class UnavailableError extends GatewayError {
  readonly code = 'ERR_UNAVAILABLE';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, 'unavailable', options);
  }
}
