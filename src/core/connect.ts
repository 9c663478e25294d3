/** Connecting to a source: what an administrator of it grants, what it says of itself, and when a credential ends. */

export interface Permission {
  readonly name: string;
  /** What it is for, in words. */
  readonly feature: string;
}

/** When the credential of the settings ends, as far as anybody knows. */
export interface CredentialFacts {
  /** As in the settings: `clientSecret`. */
  readonly kind: string;
  /** Undefined when nobody knows; null when it never ends. */
  readonly expiresAt?: string | null;
  /** Who says so. */
  readonly said?: 'certificate' | 'source' | 'settings';
}

export interface HybridFacts {
  /** A directory of the organization's own is synchronised into the source. */
  readonly enabled: boolean;
  readonly lastSyncAt: string | null;
}

/** What a source says of itself, and of what it lets us do. Absent is unknown. */
export interface ConnectionFacts {
  /** The source by its own id: a tenant id. */
  readonly sourceId?: string;
  readonly name?: string;
  readonly domains?: readonly string[];
  readonly hybrid?: HybridFacts;
  readonly granted?: readonly string[];
  readonly missing?: readonly Permission[];
  readonly credential: CredentialFacts;
}

/** How a kind sends an administrator of the source to grant what it needs, and reads the answer. */
export interface Connector<Settings = unknown> {
  /** What of the settings, or of a draft, says where to ask. @throws {InputError} a draft that says too little */
  target(settings: Settings | undefined, draft: unknown): unknown;
  consentUrl(target: unknown, way: { readonly redirectUri: string; readonly state: string }): string;
  /** What is asked for. */
  permissions(settings: Settings | undefined): readonly Permission[];
  /**
   * The source that has granted it.
   * @throws {GatewayError} nobody has, in words an administrator can act on
   */
  readAnswer(target: unknown, answer: Readonly<Record<string, string>>): { readonly sourceId: string | undefined };
  /** Whether the settings are for what this target named, so that their credential can be tried. */
  isFor(settings: Settings, target: unknown): boolean;
  /** @throws {GatewayError} the source cannot be asked */
  facts(settings: Settings, signal: AbortSignal): Promise<ConnectionFacts>;
}

/** Days before the end at which people are told. */
export const WARN_DAYS = [60, 30, 7, 1, 0] as const;
const DAY_MS = 86_400_000;

export interface Warning {
  readonly at: Date;
  /** One of `WARN_DAYS`; 0 when it has ended. */
  readonly days: number;
}

/**
 * The next warning about a credential that ends then, when the last one was about `warnedDays`. Of several that are
 * overdue only the latest: nobody is told of sixty days when seven are left.
 */
export function nextWarning(expiresAt: Date, warnedDays: number | null, now: Date): Warning | undefined {
  const left = WARN_DAYS.filter((days) => warnedDays === null || days < warnedDays);
  const due = left.filter((days) => now.getTime() >= expiresAt.getTime() - days * DAY_MS);
  const days = due.at(-1) ?? left[0];
  return days === undefined ? undefined : { days, at: new Date(expiresAt.getTime() - days * DAY_MS) };
}

/** Whole days until then, rounded up; negative afterwards. */
export function daysUntil(expiresAt: Date, now: Date): number {
  return Math.ceil((expiresAt.getTime() - now.getTime()) / DAY_MS);
}
