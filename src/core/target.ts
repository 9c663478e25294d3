// The port of every way out that is written to: what a target must be able to do, and what an administrator decides.
import { UpstreamError, type UpstreamFailure } from './errors.ts';
import type { ResourceType } from './resource.ts';
import type { MappingRule } from './target-mapping.ts';

/** A resource as it is sent or was read: SCIM without our `meta`. */
export type Payload = Readonly<Record<string, unknown>>;

/** What the other side made of a resource. */
export interface Remote {
  readonly id: string;
  /** As it stands there now, as far as the answer told. */
  readonly document: Payload | undefined;
  readonly etag: string | undefined;
}

/**
 * How a failure is to be taken:
 * `network` nobody answered · `throttled` come back later · `server` it failed (5xx) · `credentials` we are not let in ·
 * `contract` it does not speak SCIM · `gone` no such resource · `conflict` another resource has the value ·
 * `stale` it changed meanwhile · `unsupported` it cannot do this kind of request · `refused` this object is refused.
 */
export type TargetFailure =
  | 'network'
  | 'throttled'
  | 'server'
  | 'credentials'
  | 'contract'
  | 'gone'
  | 'conflict'
  | 'stale'
  | 'unsupported'
  | 'refused';

const SHOWN: Partial<Record<TargetFailure, UpstreamFailure>> = { network: 'network', throttled: 'throttled' };

/** A target failed, or refused. `unknown` when the request may have been carried out all the same. */
export class TargetError extends UpstreamError {
  readonly kind: TargetFailure;
  readonly status: number | undefined;
  readonly unknown: boolean;
  /** What was asked: method and path, and the beginning of the answer, masked. */
  readonly exchange: Exchange | undefined;
  /** Our id of the resource that is linked to what this one wants there. */
  readonly holder: string | undefined;

  constructor(
    message: string,
    options: {
      kind: TargetFailure;
      reason: string;
      remedy?: string;
      status?: number | undefined;
      unknown?: boolean;
      retryAfterMs?: number | undefined;
      exchange?: Exchange | undefined;
      holder?: string | undefined;
      cause?: unknown;
    },
  ) {
    super(message, { ...options, failure: SHOWN[options.kind] ?? 'server' });
    this.kind = options.kind;
    this.status = options.status;
    this.unknown = options.unknown ?? false;
    this.exchange = options.exchange;
    this.holder = options.holder;
  }
}

/** One request and its answer, without credentials. Texts may be made when they are read: read each once. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
  readonly ms: number;
  /** JSON as it was sent, passwords masked; null without a body. */
  readonly request: string | null;
  /** The beginning of the answer. */
  readonly response: string | null;
}

/** What a target said of itself, and what was learned of it since. */
export interface Capabilities {
  readonly patch: boolean;
  readonly bulk: { readonly maxOperations: number; readonly maxPayloadSize: number } | undefined;
  readonly filter: boolean;
  readonly etag: boolean;
  /** Null when it has no such endpoint. */
  readonly resourceTypes: readonly ResourceType[] | null;
  /** Paths of the attributes that its schemas declare as writable, in lower case; null when it does not say. */
  readonly attributes?: Readonly<Record<ResourceType, readonly string[] | null>> | undefined;
  /** Paths of those that it declares as its own to write. */
  readonly readOnly?: Readonly<Record<ResourceType, readonly string[] | null>> | undefined;
}

/** Learned by trying, and stored between starts. */
export interface Learned {
  /** Types that only take PUT or only PATCH. */
  readonly write?: Readonly<Partial<Record<ResourceType, 'patch' | 'put'>>>;
  /** Whether filters are answered. */
  readonly filter?: boolean;
  /** Whether changes go with If-Match, whatever it says: it takes none without, or refuses the tag that it just gave. */
  readonly match?: boolean;
  /** Members are only taken as a whole list. */
  readonly members?: 'whole';
  /** Types of which it refuses attributes that its schemas do not declare. */
  readonly declared?: Readonly<Partial<Record<ResourceType, true>>>;
}

/** What is to become different in a group. */
export interface MemberBatch {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** The type of those added, by remote id, where a target asks for it. */
  readonly types?: ReadonlyMap<string, ResourceType>;
}

/** A target that is written to. Every method throws `TargetError`; none repeats what may have been carried out. */
export interface Target {
  /** One cheap read that leaves nothing behind. */
  probe(signal: AbortSignal): Promise<void>;
  discover(signal: AbortSignal): Promise<Capabilities>;
  /**
   * Every resource there that carries one of the values, by the first key that finds any; verified on our side.
   * `spelled` when one may be there: a value is then looked for in other spellings as well. `everywhere` when one must be:
   * whom no filter shows is then looked for among all, who are read for that now and then.
   */
  find(
    type: ResourceType,
    payload: Payload,
    signal: AbortSignal,
    thorough?: 'spelled' | 'everywhere',
  ): Promise<readonly Remote[]>;
  /** What is left of a payload without what the target is known not to take. */
  shaped(type: ResourceType, payload: Payload): Payload;
  /** A payload was refused: what is left without what the target does not declare. Undefined when nothing would be left out. */
  declaredPart(type: ResourceType, payload: Payload): Payload | undefined;
  /** What it does not declare it refuses. */
  learnDeclared(type: ResourceType): void;
  /** Answers undefined when the resource is not there. */
  read(type: ResourceType, id: string, signal: AbortSignal): Promise<Remote | undefined>;
  /** May go out together with others that come at the same moment. */
  create(type: ResourceType, payload: Payload, signal: AbortSignal): Promise<Remote>;
  /**
   * Changes only what differs between `before` and `after`; the target keeps what we do not manage. Its id may become another.
   * `members` of a group, as far as they are known, are asked for where it can only be written whole and shows none.
   */
  update(
    type: ResourceType,
    id: string,
    change: {
      readonly before: Payload;
      readonly after: Payload;
      readonly etag: string | undefined;
      members?(): Promise<readonly string[]>;
    },
    signal: AbortSignal,
  ): Promise<Pick<Remote, 'etag'> & { readonly id: string }>;
  /** Gone already counts as done. False when the target showed nobody to remove. */
  remove(type: ResourceType, id: string, signal: AbortSignal): Promise<boolean>;
  /** Doing it twice changes nothing. `all` is asked for only where members can be written as a whole list. */
  changeMembers(
    group: string,
    batch: MemberBatch,
    all: () => Promise<readonly string[]>,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Everything of a type, page by page, items that come twice left out. When it asks to be left alone in between, `waitOut`
   * waits for that, and it goes on where it was.
   */
  pages(
    type: ResourceType,
    signal: AbortSignal,
    waitOut?: (asked: TargetError) => Promise<void>,
  ): AsyncGenerator<readonly Remote[]>;
  /** What was learned since it was opened. */
  learned(): Learned;
  /** A person has ended the rest that it asked for: it is asked again. */
  endRest(): void;
  close(): Promise<void>;
}

/** The ids of the members that a group shows; undefined when it shows no list of them. */
export function shownMembers(document: Payload | undefined): readonly string[] | undefined {
  const members: unknown = document?.['members'];
  if (!Array.isArray(members)) return undefined;
  return members.flatMap((member: { readonly value?: unknown } | null) => {
    const { value } = member ?? {};
    return (typeof value === 'string' && value !== '') || typeof value === 'number' ? [String(value)] : [];
  });
}

/** What happens there to somebody who is gone here. */
export type Deprovision = 'deactivate' | 'delete' | 'keep';

/** What an administrator decides about a target, whatever its kind. */
export interface PushPolicy {
  readonly types: readonly ResourceType[];
  /** Whether `externalId` there is our id or the provider's. */
  readonly externalId: 'id' | 'externalId';
  readonly mapping: Readonly<Record<ResourceType, readonly MappingRule[]>>;
  /** Attribute paths that are never sent. */
  readonly exclude: readonly string[];
  /** Multi-valued attributes of which only the primary value is sent. */
  readonly singleValued: readonly string[];
  readonly deprovision: {
    readonly sourceDeleted: Deprovision;
    readonly sourceDisabled: Deprovision;
    readonly outOfScope: Deprovision;
    readonly groups: 'delete' | 'keep';
    /** Days from deactivation of somebody who is gone here to deletion there; null never deletes. */
    readonly deleteAfterDays: number | null;
  };
  readonly concurrency: number;
  readonly membersPerRequest: number;
  /** At most so many tries for one object before it is a dead letter. */
  readonly maxAttempts: number;
  /** Null sends whatever comes. */
  readonly guard: { readonly max: number; readonly percent: number } | null;
  readonly reconcile: {
    readonly everyHours: number | null;
    readonly repair: { readonly missing: boolean; readonly changed: boolean; readonly members: boolean };
  };
  readonly bulk: boolean;
  /** For one request. */
  readonly timeoutMs: number;
}

export interface TargetContext {
  /** Nothing that changes anything is sent: it is traced, and taken for done. */
  readonly dryRun: boolean;
  readonly learned: Learned;
  readonly capabilities: Capabilities | undefined;
  /** Called with every exchange, also those that failed, and the signal of the call that it belongs to. */
  trace(exchange: Exchange, of: AbortSignal): void;
  /** Asked right before each request that changes something. Throws when this process may not send any more. */
  readonly permit?: () => Promise<void>;
  /** Called with what an answer asks for: to be left alone for so long. */
  readonly askedToRest?: (ms: number) => void;
}

/** What is known of a service, over the defaults: whole settings, without address and credential. */
export interface TargetPreset {
  /** Null of the defaults alone. */
  readonly name: string | null;
  readonly title: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A kind of target: one line in targets/index.ts, everything else in its folder. */
export interface TargetKind<Settings = unknown> {
  readonly kind: string;
  readonly title: string;
  /** The defaults first. */
  readonly presets: readonly TargetPreset[];
  /** Paths of write-only values in the settings, with dots; `map.*` is every value of a map, of which the names are shown. */
  readonly secretPaths: readonly string[];
  /** @throws {InputError} naming every field that is wrong */
  parseSettings(value: unknown): Settings;
  policy(settings: Settings): PushPolicy;
  /** Where requests go, for the check of outgoing addresses. */
  urls(settings: Settings): readonly string[];
  /** Whose certificates are believed there, as text: with another one the same address may be somebody else. */
  trust(settings: Settings): string;
  open(settings: Settings, context: TargetContext): Target;
}
