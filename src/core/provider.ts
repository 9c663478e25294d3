import type { Check } from './check.ts';
import type { Connector } from './connect.ts';
import type { Cost } from './cost.ts';
import type { RecordExplanation } from './explanation.ts';
import type { RuleResult } from './mapping.ts';
import type { MappingRule } from './mapping-rules.ts';
import type { MembershipFacts, MembershipScope } from './membership-scope.ts';
import type { ChangeReader, Page, ReadMemory, SecondLook } from './pages.ts';
import type { PushPolicy, RunPolicy } from './policy.ts';
import type { ProviderKindName, Resource, ResourceType } from './resource.ts';
import type {
  GroupPage,
  GroupSearch,
  MemberList,
  MemberSearch,
  PermissionReview,
  SourceField,
  SourcePreview,
} from './source.ts';

/**
 * What one record means: a resource, or why it is left out. `memberships` says for whom it is left out when its groups
 * are known: one character for each combination of the conditions of `MembershipScope`, `1` where it is in; absent when
 * its groups do not matter. `routes` says the same of each routing rule, `1` or `0` alone where groups do not matter.
 */
export type Normalised =
  | { readonly resource: Resource; readonly memberships?: string; readonly routes?: readonly string[] }
  | { readonly skip: string; readonly detail?: string };

/** What a record may be called by people who ask for it. */
export interface Handles {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  /** Ids beside the external id that belong to nobody else, ever: a record that has one of them is the same person. */
  readonly anchors?: readonly string[];
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
  /** Absent where a kind cannot tell what changed: every read is whole then. */
  readonly changes?: ChangeReader<Raw>;
  /**
   * How long after it has told of a change it may not show it yet: a run that finds nothing is followed by another one at
   * each of these times. Absent where what is told can be read at once.
   */
  readonly followMs?: readonly number[];
  /** Absent where a source shows no more to whoever asks again: what a read shows is believed then. */
  readonly secondLook?: SecondLook;
  /** The provider's stable id of a record. Never changes for the same person or group. */
  externalId(record: Raw): string;
  /** Pure: the record as a SCIM resource, or the reason code why it is out. Never throws on odd data. */
  normalise(record: Raw, resourceType: ResourceType): Normalised;
  /** What is decided by memberships; absent when nothing is. */
  readonly memberships?: MembershipScope;
  /** Pure: what `normalise` and the memberships make of a record, step by step. Absent where a kind cannot tell. */
  explain?(record: Raw, resourceType: ResourceType, facts?: MembershipFacts): RecordExplanation;
  /**
   * Pure: the resource of somebody who exists already, with the attributes that a mapping sets only on creation as they
   * are. Absent where no rule is so.
   */
  keepCreated?(mapped: Resource, existing: Resource): Resource;
  /**
   * What is asked of the source for each record. While it is the same, other settings mean no other records, and those at
   * hand can be looked at anew. Absent where a kind does not promise that.
   */
  readonly asks?: string;
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

/** Settings under a name. */
export interface Preset {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Part of the settings of the kind: what it leaves out stays as it is. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What goes well with them, each for its own setting. */
  readonly schedule: Readonly<Record<string, unknown>>;
  readonly guard: Readonly<Record<string, unknown>>;
}

/** What a source shall tell, and where. */
export interface SubscriptionRequest {
  readonly resource: string;
  readonly notificationUrl: string;
  /** Where it tells what becomes of the subscription itself. */
  readonly lifecycleUrl: string;
  /** Comes with every notification, and proves it. */
  readonly secret: string;
  readonly expiresAt: Date;
}

/** Being told of changes by the source. Each call may throw what `PullProvider.pages` throws. */
export interface SubscriptionKind<Settings = unknown> {
  /** The lists that are subscribed to, one subscription each. */
  readonly resources: readonly string[];
  /** The longest life that the source allows. */
  readonly lifeMsMax: number;
  /** Whether the settings want it. */
  wanted(settings: Settings): boolean;
  /** How long after a run that has not read to the end what was told the next one tries. */
  sweepMs(settings: Settings): number;
  create(settings: Settings, request: SubscriptionRequest, signal: AbortSignal): Promise<Subscribed>;
  /** Undefined when the source does not know it any more. */
  renew(settings: Settings, id: string, expiresAt: Date, signal: AbortSignal): Promise<Subscribed | undefined>;
  /** Also when it is gone already. */
  remove(settings: Settings, id: string, signal: AbortSignal): Promise<void>;
}

export interface Subscribed {
  readonly remoteId: string;
  readonly expiresAt: Date;
}

/** A rule of a mapping with where it is from and what its attribute takes. */
export type EffectiveRule = MappingRule & {
  readonly byDefault: boolean;
  /** The SCIM type: `string`, `boolean`, `complex`. */
  readonly type: string;
  readonly multiValued: boolean;
};

export interface MappingTrace {
  readonly results: readonly (RuleResult & { readonly byDefault: boolean })[];
  /** What comes of the whole record, scope included. */
  readonly outcome: Normalised;
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
  /**
   * Pure: where the secrets of the settings, which may be of any shape yet, are sent to. Stored ones are not sent anywhere
   * else: they must be entered again with another destination. Absent where a kind has one place only.
   */
  destination?(settings: unknown): string;
  /**
   * Pure: whether such settings, of any shape yet, sign in with what the machine has. That is a secret as a stored one is:
   * only administrators lead it to another place. Absent where a kind has no such credential.
   */
  isAmbient?(settings: unknown): boolean;
  policy(settings: Settings): RunPolicy;
  /** True for a kind that writes to us: it is never read, and a run of it looks at what it wrote again. */
  readonly pushed?: true;
  /** Of such a kind only. */
  push?(settings: Settings): PushPolicy;
  /** The part of the settings that decides who is in scope: where it changes, people may leave. Absent where nothing does. */
  scopeOf?(settings: Settings): unknown;
  /** @param memory what was read before; without it, everything is read anew */
  open(settings: Settings, trace?: Trace, memory?: ReadMemory): PullProvider;
  /** Says what works and what does not; changes nothing. */
  test(settings: Settings, signal: AbortSignal): Promise<readonly Check[]>;
  /** Absent where the source cannot tell. */
  readonly subscriptions?: SubscriptionKind<Settings>;
  readonly presets?: readonly Preset[];
  /** Absent where nobody has to grant anything in a browser. */
  readonly connect?: Connector<Settings>;
  /** How records become resources, and a try of it; absent where a kind has no rules. */
  readonly mapping?: {
    /** The rules in force, those of the kind first. */
    rules(settings: Settings): readonly EffectiveRule[];
    /** Pure: what each rule in force makes of a person's record, and what comes out. */
    trace(settings: Settings, record: unknown): MappingTrace;
    /**
     * The record of a person, by id or name, asked of the source with all fields that the settings need; undefined when
     * there is none. Absent where the source cannot be asked for one.
     */
    person?(settings: Settings, name: string, signal: AbortSignal): Promise<unknown>;
  };
  /**
   * The first rows, and what would become of them; absent where there is no such thing. Nothing is saved or changed.
   * @throws what `pages` throws
   */
  preview?(settings: Settings, rows: number, signal: AbortSignal): Promise<SourcePreview>;
  /**
   * A word that changes when the source does, found without reading it; undefined where that cannot be told now. Absent
   * where a source must be read to know. Never throws.
   */
  version?(settings: Settings): Promise<string | undefined>;
  /** What can be looked up in the source; absent what the kind cannot answer. */
  readonly source?: {
    groups?(settings: Settings, search: GroupSearch, signal: AbortSignal): Promise<GroupPage>;
    /** @throws {NotFoundError} there is no such group */
    members?(settings: Settings, search: MemberSearch, signal: AbortSignal): Promise<MemberList>;
    /** What rules and filters may name, by the beginning of the name; also before there are settings. */
    fields(prefix: string, settings: Settings | undefined, signal: AbortSignal): Promise<readonly SourceField[]>;
    permissions?(settings: Settings, signal: AbortSignal): Promise<PermissionReview>;
  };
}
