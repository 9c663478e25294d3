// What a delivery is given, and what is known of it while it goes on.
import type { Drift } from '#core/drift.ts';
import type { ResourceType } from '#core/resource.ts';
import type { PushPolicy, Target } from '#core/target.ts';
import type { Fields } from '#core/target-mapping.ts';
import type { Claimed } from '#store/target/delivery-claims.ts';
import type { freeLink, holderOf } from '#store/target/gone-links.ts';
import type { MembersOfGroup } from './members.ts';

/** What a delivery needs of the world. */
export interface Delivering {
  readonly target: Target;
  readonly policy: PushPolicy;
  /** What the app may see of a resource. */
  cut(type: ResourceType, document: Fields): Fields;
  /** Whether another resource of ours is linked to that one of theirs, or is about to be. */
  isTaken(row: Claimed, remoteId: string): Promise<boolean>;
  /** What became here of whoever is linked to it. */
  holderOf(row: Claimed, remoteId: string): ReturnType<typeof holderOf>;
  /** Takes the link from somebody who is gone. Answers who, and what they were sent last; undefined when it cannot be taken. */
  takeOver(row: Claimed, remoteId: string): ReturnType<typeof freeLink>;
  membersOf(row: Claimed): MembersOfGroup;
  /** Paths of attributes that a delivery may have changed there since the last one that was done. */
  touchedSince(row: Claimed): Promise<readonly string[]>;
  /** Whether more requests may follow where a delivery can be left and taken up again. */
  mayGoOn(): boolean;
  now(): Date;
  /** Waits for a target that shows what it made only a little later. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** One step as a person is shown it. */
export interface Step {
  readonly step: 'import' | 'scope' | 'match' | 'action';
  readonly ok: boolean;
  readonly detail: string;
}

/** What is known of the resource at the target while a delivery goes on; kept also when it fails half-way. */
export interface Progress {
  remoteId: string | null;
  etag: string | null;
  link: 'created' | 'adopted' | null;
  sent: Fields | null;
  goneSince: Date | null;
  drift: Drift | null;
  action: 'none' | 'created' | 'adopted' | 'updated' | 'deactivated' | 'deleted' | 'kept' | 'skipped';
  /** When it has to be looked at again though nothing changes. */
  again: Date | undefined;
  /** Who of ours, gone since, had the link that was taken over: whatever refers to them means somebody else there. */
  predecessor: string | null;
  /** What is left is a departure, over which the guard watches. */
  leaves: boolean;
  beganAt: number;
  readonly steps: Step[];
}

export function startProgress(row: Claimed): Progress {
  return {
    remoteId: row.remote_id,
    etag: row.remote_etag,
    link: row.link,
    sent: sentOf(row),
    goneSince: row.gone_since,
    drift: row.drift,
    action: 'none',
    again: undefined,
    predecessor: null,
    leaves: false,
    beganAt: 0,
    steps: [],
  };
}

/** What the target was sent last, anew for each who asks. */
export function sentOf({ sent }: Claimed): Fields | null {
  return sent === null ? null : JSON.parse(sent);
}

/** For sure: who may be active, since an answer was lost, is not off. Some say it as text. */
export function isOffThere(there: Fields | null): boolean {
  return String(there?.['active']).toLowerCase() === 'false';
}
