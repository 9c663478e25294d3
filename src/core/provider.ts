import type { MatchPolicy } from './match.ts';
import type { ProviderKindName, Resource, ResourceType } from './resource.ts';

/** Where a provider left off. Opaque to everyone but the provider that wrote it (a Graph deltaLink, say). */
export type Checkpoint = string & { readonly __brand: 'Checkpoint' };

/** One member of a group, by the provider's stable id. */
export interface MemberRef {
  readonly externalId: string;
  readonly type: ResourceType;
}

/** Something the provider holds that we do not carry. It is shown, never lost in silence. */
export interface SkippedObject {
  readonly externalId: string;
  /** The provider's own word: `device`, `orgContact`, `servicePrincipal`. */
  readonly objectType: string;
  readonly displayName?: string;
  /** A code of core/reasons.ts. */
  readonly reason: string;
}

/** `softDeleted` can be restored in the provider (a recycle bin), `hardDeleted` cannot. */
export interface GoneObject {
  readonly externalId: string;
  readonly how: 'softDeleted' | 'hardDeleted';
}

/**
 * What a provider yields. A full read yields all users, then all groups, then the members of each group in one or
 * more `members` pages of which the last says `complete`. Group pages come before the members of their groups.
 * An object may come more than once; the later one counts. Pages may be empty.
 */
export type Page<Raw = unknown> =
  | { readonly type: 'records'; readonly resourceType: ResourceType; readonly records: readonly Raw[] }
  | {
      readonly type: 'members';
      readonly group: string;
      readonly members: readonly MemberRef[];
      readonly skipped: readonly SkippedObject[];
      readonly complete: boolean;
      /** The provider will not say who the members are: those already known stay, and nobody is added or removed. */
      readonly hidden?: boolean;
    }
  /**
   * How objects left, where the provider can tell; before the end. Nobody has to: what a complete read no longer
   * shows, and nothing was said about, has left the scope.
   */
  | { readonly type: 'gone'; readonly resourceType: ResourceType; readonly objects: readonly GoneObject[] }
  /** The read reached its end. Without this page the read is incomplete and proves no absence. */
  | { readonly type: 'end'; readonly checkpoint?: Checkpoint };

/** What one record means: a resource, or why it is left out. */
export type Normalised = { readonly resource: Resource } | { readonly skip: string; readonly detail?: string };

/** One thing that a scope or a mapping demands of a record, and how the record stands to it. */
export interface Clause {
  /** The setting that it comes from: `scope.filter`; `mapping` for what SCIM itself demands. */
  readonly setting: string;
  /** In words or as the filter's own text. */
  readonly demands: string;
  readonly holds: boolean;
  /** The values that it looked at, as the provider has them. */
  readonly seen: Readonly<Record<string, unknown>>;
  /** The code of core/reasons.ts for a clause that does not hold. */
  readonly reason: string | null;
  readonly detail: string | null;
}

/** What a provider concludes from a record, and by which values. */
export interface Evidence {
  /** `domain`, `licence`, `mailbox`. */
  readonly name: string;
  /** Null when the provider does not tell. */
  readonly value: unknown;
  readonly seen: Readonly<Record<string, unknown>>;
}

/** One attribute of a resource, and the provider's values that it was made of. */
export interface MappedAttribute {
  /** `title`; an extension's attributes with its URN in front. */
  readonly attribute: string;
  readonly value: unknown;
  readonly source: Readonly<Record<string, unknown>>;
}

/** Why a record is in scope or out, as `normalise` decides: the first clause that does not hold is its reason. */
export interface RecordExplanation {
  readonly clauses: readonly Clause[];
  readonly evidence: readonly Evidence[];
  /** What it maps to, in scope or not; empty where it maps to nothing. */
  readonly attributes: readonly MappedAttribute[];
}

/** What a record may be called by people who ask for it. */
export interface Handles {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/** What a read has cost so far (S3.17). */
export interface Cost {
  readonly requests: number;
  readonly resourceUnits: number;
  readonly bytes: number;
  readonly throttledMs: number;
}

/** Told what a provider does, request by request, for the debug log of a run. Facts hold no secrets, names or bodies. */
export type Trace = (event: string, facts: Readonly<Record<string, unknown>>) => void;

/** A provider that we read. Opened once per run. */
export interface PullProvider<Raw = unknown> {
  readonly kind: ProviderKindName;
  /**
   * Reads everything, page by page.
   * @throws {CredentialsError} the credential is refused or lacks a permission
   * @throws {UpstreamError} the provider failed; `retryAfterMs` says whether trying again may help
   */
  pages(signal: AbortSignal): AsyncGenerator<Page<Raw>>;
  /** The provider's stable id of a record. Never changes for the same person or group. */
  externalId(record: Raw): string;
  /** Pure: the record as a SCIM resource, or the reason code why it is out. Never throws on odd data. */
  normalise(record: Raw, resourceType: ResourceType): Normalised;
  /** Pure: what `normalise` makes of a record, step by step. Absent where a kind cannot tell. */
  explain?(record: Raw, resourceType: ResourceType): RecordExplanation;
  /** Pure: what people may call a record, in scope or not. Absent where the resource itself says it all. */
  handles?(record: Raw, resourceType: ResourceType): Handles;
  /**
   * The source behind the settings, by an id that only another source would change (a tenant id). Undefined when the
   * source does not tell. Absent where there is no such thing.
   * @throws what \`pages\` throws
   */
  identity?(signal: AbortSignal): Promise<string | undefined>;
  cost(): Cost;
}

/** One line of a connection test, in words an administrator can act on. */
export interface Check {
  /** Stable kebab-case name: `token`, `read-users`. */
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy: string | null;
}

export interface GroupChoice {
  readonly id: string;
  readonly displayName: string;
  readonly type: string;
  readonly memberCount: number | null;
}

export interface MemberChoice {
  readonly id: string;
  readonly displayName: string;
  readonly type: 'user' | 'group';
  /** Display names from the selected group down to this member's group. */
  readonly path: readonly string[];
}

export interface SourceField {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'dateTime' | 'strings';
  readonly operators: readonly string[];
  readonly example: string;
}

export interface PermissionReview {
  readonly granted: readonly string[];
  readonly required: readonly { readonly name: string; readonly feature: string }[];
  readonly missing: readonly { readonly name: string; readonly feature: string }[];
  readonly superfluous: readonly string[];
}

/** How the first run of a newly activated provider goes (requirements D4). */
export type InitialRun = 'auto' | 'preview' | 'manual';

/** What becomes of an account that leaves. Groups cannot be inactive: they are deleted unless `keep`. */
export type LeavePolicy = 'deactivate' | 'delete' | 'keep';

/** What every provider's settings say about leaving, whatever else they hold (requirements D5). */
export interface RunPolicy {
  readonly initialRun: InitialRun;
  /** Out of scope, or no longer shown without a word why. */
  readonly onLeaveScope: LeavePolicy;
  /** In the provider's recycle bin. */
  readonly onSourceSoftDelete: LeavePolicy;
  /** Deleted in the provider for good. */
  readonly onSourceHardDelete: LeavePolicy;
  /** Days from deactivation by a sync to deletion; null never deletes. */
  readonly deleteAfterDays: number | null;
  /** Absent where the kind leaves it to the defaults. */
  readonly matching?: MatchPolicy;
}

/** What an identity provider that writes to us may do. */
export interface PushPolicy {
  /** The app whose tokens are the identity provider's; null when all tokens that may write are. */
  readonly appId: string | null;
  /** What becomes of a write to somebody made by hand. */
  readonly adoptManual: MatchPolicy['adoptManual'];
  /** The guard's limits on removals count within so many minutes. */
  readonly removalWindowMinutes: number;
}

/** A kind of provider: one line in providers/index.ts, everything else in its folder. */
export interface ProviderKind<Settings = unknown> {
  readonly kind: ProviderKindName;
  readonly title: string;
  /** False while this kind can be known but not configured. */
  readonly available: boolean;
  /** Paths of write-only values in the settings, with dots: `credential.secret`. */
  readonly secretPaths: readonly string[];
  /**
   * Whole settings with defaults filled in.
   * @throws {InputError} naming every field that is wrong
   */
  parseSettings(value: unknown): Settings;
  policy(settings: Settings): RunPolicy;
  /** True for a kind that writes to us: it is never read, and a run of it looks at what it wrote again. */
  readonly pushed?: true;
  /** Of such a kind only. */
  push?(settings: Settings): PushPolicy;
  open(settings: Settings, trace?: Trace): PullProvider;
  /** Says what works and what does not; changes nothing. */
  test(settings: Settings, signal: AbortSignal): Promise<readonly Check[]>;
  /** The four look-ups of the console; absent where the kind has none. */
  readonly source?: {
    groups(settings: Settings, search: string | undefined, signal: AbortSignal): Promise<readonly GroupChoice[]>;
    members(settings: Settings, groupId: string, signal: AbortSignal): Promise<readonly MemberChoice[]>;
    fields(prefix: string): readonly SourceField[];
    permissions(settings: Settings, signal: AbortSignal): Promise<PermissionReview>;
  };
}
