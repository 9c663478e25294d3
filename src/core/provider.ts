import type { Connector, Permission } from './connect.ts';
import type { RuleResult } from './mapping.ts';
import type { MappingRule } from './mapping-rules.ts';
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
 * What a provider yields. A full read yields users, then groups, then the members of each group in one or more
 * `members` pages of which the last says `complete`; a read of designated groups learns of people from their members,
 * and yields them last. The page of a group comes before its members.
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
   * shows, and nothing was said about, has left the scope. `all`: with this page every object that can be restored was
   * named, so whoever has been gone for long and was not among them is gone for good.
   */
  | {
      readonly type: 'gone';
      readonly resourceType: ResourceType;
      readonly objects: readonly GoneObject[];
      readonly all?: boolean;
    }
  /** The read reached its end. Without this page the read is incomplete and proves no absence. */
  | { readonly type: 'end'; readonly checkpoint?: Checkpoint };

/**
 * What a provider yields of what changed since a checkpoint, in any order, the same object more than once; the later
 * one counts. What is not named has not changed: silence proves nothing.
 */
export type ChangePage<Raw = unknown> =
  /** New or changed, as far as the provider tells; `merge` makes a record of it. */
  | { readonly type: 'records'; readonly resourceType: ResourceType; readonly records: readonly Raw[] }
  | { readonly type: 'gone'; readonly resourceType: ResourceType; readonly objects: readonly GoneObject[] }
  | { readonly type: 'memberChanges'; readonly changes: readonly MembersChange[] }
  /** All members of a group, as in a full read, where a provider tells of a change and not what it is. */
  | Extract<Page<Raw>, { type: 'members' }>
  /**
   * Everything up to here was told, and a read that stops later goes on from here. One that went on from an older
   * place would not be told of what came and went again in between.
   */
  | { readonly type: 'reached'; readonly checkpoint: Checkpoint }
  /** The same, and nothing is left to tell. */
  | { readonly type: 'end'; readonly checkpoint: Checkpoint };

/** What one group has won and lost, in the order in which it happened. */
export interface MembersChange {
  readonly group: string;
  readonly added: readonly MemberRef[];
  readonly skipped: readonly SkippedObject[];
  readonly removed: readonly string[];
}

/** Reading what changed, where a provider can tell. The checkpoint comes with the `end` of a read. */
export interface ChangeReader<Raw = unknown> {
  /**
   * What changed since a checkpoint. Reading from the same checkpoint twice is harmless.
   * @throws {CheckpointExpiredError} only a full read helps
   * @throws what `PullProvider.pages` throws
   */
  pages(checkpoint: Checkpoint, signal: AbortSignal): AsyncGenerator<ChangePage<Raw>>;
  /** Pure: the whole record, from the one that is known (undefined for a new object) and a change of it. */
  merge(known: Raw | undefined, change: Raw): Raw;
  /** All members of those of these groups that the settings want, for groups that are new here. As in a full read. */
  members(groups: readonly Raw[], signal: AbortSignal): AsyncGenerator<Extract<Page, { type: 'members' }>>;
  /**
   * What those who came back are linked to, where links survive a deletion and a restore is silent about them. Whoever
   * is not there any more is left out. Absent where a restore tells everything.
   */
  linksOf?(type: ResourceType, returned: readonly string[], signal: AbortSignal): Promise<ReturnedLinks<Raw>>;
}

export interface ReturnedLinks<Raw = unknown> {
  /** The direct groups of each who came back; objects of other kinds may be among them. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** Changes of users, of themselves and of others who refer to them, to be merged. */
  readonly records: readonly Raw[];
}

/**
 * What one record means: a resource, or why it is left out. `memberships` says for whom it is left out when its groups
 * are known: one character for each combination of the conditions of `MembershipScope`, `1` where it is in; absent when
 * its groups do not matter. `routes` says the same of each routing rule, `1` or `0` alone where groups do not matter.
 */
export type Normalised =
  | { readonly resource: Resource; readonly memberships?: string; readonly routes?: readonly string[] }
  | { readonly skip: string; readonly detail?: string };

/** True of a person who is a direct member of a group whose id, name or address fulfils it. */
export interface MembershipCondition {
  readonly operator: 'eq' | 'co' | 'sw' | 'ew' | 'pr';
  readonly value: string;
}

/** What a scope demands beyond each record by itself. It is decided on the mirror, after reading and before planning. */
export interface MembershipScope {
  /** External ids of the selected groups: only they, the groups that count below them, and their people come in. Null: everybody does. */
  readonly selected: readonly string[] | null;
  /** `flatten`: the people below a group are its own members; `ignore`: groups in groups count for nothing. */
  readonly nested: 'include' | 'flatten' | 'ignore';
  /** Levels of groups below a selected one, or one that is flattened, that count; null: all. */
  readonly maxDepth: number | null;
  /** What the digits of `Normalised.memberships` are about: condition `i` has the value 2 to the power of `i`. */
  readonly conditions: readonly MembershipCondition[];
  /** The part of the filter that they are of, as text. */
  readonly conditionsText: string;
  /** Groups that affiliation paths begin at; none: no paths. */
  readonly pathRoots: readonly string[];
  /** Groups of the directory, made by hand, into which people are placed; null: nobody is. */
  readonly routing: Routing | null;
}

export interface Routing {
  /** The display name of the group of each rule, in the order of `Normalised.routes`. */
  readonly groups: readonly string[];
  /** Whether the first rule that is true decides, or all of them do. */
  readonly match: 'first' | 'all';
  /** The group of those of whom no rule is true; null: none. */
  readonly default: string | null;
}

/** What the mirror knows of somebody's place among the groups, by the last run. */
export interface MembershipFacts {
  /** The groups from a selected one, or from the path-display group, down to it; null when there is no such way. */
  readonly path: string | null;
  /** Whether it is under, or is, a selected group. */
  readonly selected: boolean;
  /** Whether it is left out because groups in groups do not count. */
  readonly below: 'NestedGroupIgnored' | 'NestedGroupFlattened' | null;
  /** The sum of the values of the conditions that hold. */
  readonly conditions: number;
}

/** What a provider may ask about its own earlier reads. */
export interface ReadMemory {
  /** Records as they were last read, by external id; those that are gone are not among them. */
  known(type: ResourceType, externalIds: readonly string[]): Promise<ReadonlyMap<string, unknown>>;
  /** External ids of all who are in the directory and have not left, page by page. */
  served(type: ResourceType): AsyncIterable<readonly string[]>;
  /** External ids of all who are in the directory, and were last said to be restorable, page by page. */
  restorable(type: ResourceType): AsyncIterable<readonly string[]>;
}

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
  /** The rules that made it; those of the kind itself unless the settings have others. */
  readonly rules?: readonly MappingRule[];
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

export interface GroupSearch {
  readonly search?: string | undefined;
  /** Where the page before has ended. */
  readonly cursor?: string | undefined;
}

export interface GroupPage {
  readonly items: readonly GroupChoice[];
  readonly nextCursor: string | null;
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
  /** `groups`: the groups that somebody is a direct member of, by id, name or address. */
  readonly type: 'string' | 'boolean' | 'dateTime' | 'strings' | 'groups';
  readonly operators: readonly string[];
  readonly example: string;
}

export interface PermissionReview {
  readonly granted: readonly string[];
  readonly required: readonly Permission[];
  readonly missing: readonly Permission[];
  readonly superfluous: readonly string[];
  /** A sync goes on without these, and knows less. */
  readonly optional?: readonly (Permission & { readonly granted: boolean })[];
  /** The page on which an administrator of the source sees and grants them. */
  readonly entraUrl?: string;
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

/** What a file of a source looks like, before anything of it is taken. */
export interface FilePreview {
  readonly role: string;
  readonly name: string;
  readonly bytes: number;
  readonly encoding: string;
  readonly delimiter: string;
  /** In their order, with the name that rules and filters know each by; null for a column that is not read. */
  readonly columns: readonly { readonly heading: string; readonly name: string | null }[];
  readonly rows: readonly {
    readonly line: number;
    readonly cells: readonly string[];
    readonly problem: string | null;
  }[];
}

export interface SourcePreview {
  readonly files: readonly FilePreview[];
  /** What becomes of the same first lines. */
  readonly resources: readonly { readonly line: number; readonly outcome: Normalised }[];
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
  /** The four look-ups of the console; absent where the kind has none. */
  readonly source?: {
    groups(settings: Settings, search: string | undefined, signal: AbortSignal): Promise<readonly GroupChoice[]>;
    /** The same page by page; absent where a kind shows the first ones only. */
    groupPage?(settings: Settings, search: GroupSearch, signal: AbortSignal): Promise<GroupPage>;
    members(settings: Settings, groupId: string, signal: AbortSignal): Promise<readonly MemberChoice[]>;
    fields(prefix: string): readonly SourceField[];
    permissions(settings: Settings, signal: AbortSignal): Promise<PermissionReview>;
  };
}
