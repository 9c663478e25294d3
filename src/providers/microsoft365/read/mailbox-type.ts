import { hasProxyAddress } from '../map/addresses.ts';
import type { GraphUser } from '../map/records.ts';
import { isLicensed } from '../scope/licence.ts';

/** Graph's words for what a mailbox is for. Source: learn.microsoft.com/graph/api/resources/mailboxsettings, checked 2026-11. */
const PURPOSES = new Set(['user', 'linked', 'shared', 'room', 'equipment', 'others']);

/** Mailboxes without a person behind them: that nobody signs in to them is by design, and no sign of a leaver. */
const UNMANNED: Readonly<Record<string, string>> = {
  shared: 'SharedMailbox',
  room: 'Room',
  equipment: 'Equipment',
};

/** Somebody whose account leaves open what the mailbox is for: a mailbox, and either no sign-in or no licence. */
export function isCandidate(user: GraphUser): boolean {
  if (user.userType === 'Guest') return false;
  const licensed = isLicensed(user) === true;
  return (user.accountEnabled === false || !licensed) && (licensed || hasProxyAddress(user));
}

export interface Mailbox {
  /** Undefined: there is none. `sharedOrResource`: it is likely to be one of those, and Graph was not to be asked. */
  readonly type: string | undefined;
  /** Whether Graph has said so, or the account suggests it. */
  readonly confidence: 'read' | 'assumed';
}

/** What somebody's mailbox is for. Pure. */
export function mailboxOf(user: GraphUser): Mailbox {
  const known = user.mailboxSettings;
  if (known != null) return { type: knownType(known.userPurpose ?? null), confidence: 'read' };
  const licensed = isLicensed(user) === true;
  if (!licensed && (user.userType === 'Guest' || !hasProxyAddress(user)))
    return { type: undefined, confidence: 'assumed' };
  const type = !licensed && user.accountEnabled === false ? 'sharedOrResource' : 'user';
  return { type, confidence: 'assumed' };
}

function knownType(purpose: string | null): string | undefined {
  if (purpose === null) return undefined;
  return PURPOSES.has(purpose) ? purpose : 'others';
}

/** The SCIM user type of a mailbox without a person behind it. */
export function unmannedType({ type }: Mailbox): string | undefined {
  return UNMANNED[type ?? ''];
}

/** Somebody whom a licence is paid for: shared mailboxes, rooms and equipment are not, licensed or not. */
export function isBillable(user: GraphUser): boolean | undefined {
  const licensed = isLicensed(user);
  return licensed === undefined ? undefined : licensed && unmannedType(mailboxOf(user)) === undefined;
}
