// What a provider yields: pages of a whole read, and of what changed since one.
import type { ResourceType } from './resource.ts';

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
      /** The provider does not say who the members are: those already known stay, and nobody is added or removed. */
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
  /**
   * The whole record of each of these changes that tells of an object that is new here, or was gone, and does not say what it
   * is; undefined where the source does not show it, as yet or for good. Absent where what is new is always told whole.
   * @throws what `PullProvider.pages` throws, where asking again later may help
   */
  whole?(
    type: ResourceType,
    changes: readonly Raw[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Raw | undefined>>;
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
 * Asking once more and more closely, where a list may lag or be short. Whatever the source does not tell is left out of
 * the answer. Each may throw what `PullProvider.pages` throws.
 */
export interface SecondLook {
  /** True where a whole read shows every object there is: one that is there and was not shown proves that it was short. */
  readonly showsAll: boolean;
  /** Whether these objects are there now. */
  isThere(
    type: ResourceType,
    externalIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, boolean>>;
  /** Whether these objects, which are gone, can be restored now. */
  isRestorable(externalIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, boolean>>;
  /**
   * These objects whole, as a full read shows them, and of groups their members; whoever is not there is left out. Absent
   * where a source that knows an object by its id may not say what it is.
   */
  read?(
    type: ResourceType,
    externalIds: readonly string[],
    signal: AbortSignal,
  ): AsyncGenerator<Extract<Page, { type: 'records' | 'members' }>>;
  /** How many objects there are; undefined where the source does not count them. */
  count(type: ResourceType, signal: AbortSignal): Promise<number | undefined>;
  /** All members of these groups, as in a full read. */
  members(groups: readonly string[], signal: AbortSignal): AsyncGenerator<Extract<Page, { type: 'members' }>>;
  /**
   * The direct groups of these users or groups by their own account; objects of other kinds may be among them. Absent where
   * only groups know their members.
   */
  groupsOf?(
    type: ResourceType,
    externalIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** What a provider may ask about its own earlier reads. */
export interface ReadMemory {
  /** Records as they were last read, by external id; those that are gone are not among them. */
  known(type: ResourceType, externalIds: readonly string[]): Promise<ReadonlyMap<string, unknown>>;
  /** Of these, whom a read that reached its end has shown: of anybody else what belongs to them may not have been read. */
  settled(type: ResourceType, externalIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** External ids of all who are in the directory and have not left, page by page. */
  served(type: ResourceType): AsyncIterable<readonly string[]>;
  /** External ids of all who are in the directory, and were last said to be restorable, page by page. */
  restorable(type: ResourceType): AsyncIterable<readonly string[]>;
}
