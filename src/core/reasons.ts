import type { TargetFailure } from './target.ts';

/** The registry of reason codes: each with its sentence and its remedy. A code is stable; its sentence may improve. */
interface Reason {
  readonly sentence: string;
  readonly remedy: string;
}

const NOTHING = 'Nothing needs to be done.';

export const REASONS = {
  InScope: { sentence: 'The provider has it and it is in scope.', remedy: NOTHING },
  NewInSource: { sentence: 'The provider has it and the directory does not.', remedy: NOTHING },
  ReturnedToScope: { sentence: 'It had left and is back in the provider.', remedy: NOTHING },
  AttributesChanged: { sentence: 'The provider has other values than the directory.', remedy: NOTHING },
  SourceDisabled: {
    sentence: 'The provider has disabled the account.',
    remedy: 'If that is wrong, enable it in the provider.',
  },
  ReferenceChanged: { sentence: 'The manager it names has another id in the directory now.', remedy: NOTHING },
  MembersChanged: { sentence: 'The provider has other members than the directory.', remedy: NOTHING },
  NotInSource: {
    sentence: 'A complete read of the provider did not show it.',
    remedy: 'If it should be there, look for it in the provider and check what the credential may read.',
  },
  SourceSoftDeleted: {
    sentence: 'It is in the recycle bin of the provider.',
    remedy: 'If that is wrong, restore it in the provider.',
  },
  SourceHardDeleted: { sentence: 'The provider has deleted it for good.', remedy: NOTHING },
  RetentionOver: { sentence: 'It left longer ago than the settings keep such accounts.', remedy: NOTHING },
  Linked: {
    sentence: 'Somebody of another provider is the same; the account goes on with this one.',
    remedy: NOTHING,
  },
  Relinked: { sentence: 'The account was linked anew; its id stays.', remedy: NOTHING },
  Adopted: { sentence: "An account made by hand goes on as the provider's; its id stays.", remedy: NOTHING },
  LinkLost: {
    sentence: 'The record that it was linked to means another account now.',
    remedy:
      'If that is wrong, undo the run, correct "matching" in the settings of the provider, and reset the links again.',
  },
  Disputed: {
    sentence: 'Somebody made by hand seems to be the same.',
    remedy: 'Adopt the account, or refuse to, under /api/v1/disputes.',
  },
  MatchAmbiguous: {
    sentence: 'It may mean several accounts, or several may mean one.',
    remedy: 'Choose one, or refuse them all, under /api/v1/disputes.',
  },
  LeftOver: {
    sentence: 'Another provider brought it, and the one that takes over does not show it.',
    remedy: 'If it should stay, bring it into the scope of the new provider, or switch with leftOvers "keep".',
  },
  NameReleased: {
    sentence: 'Somebody new has this user name; the account that left gives it up.',
    remedy: NOTHING,
  },
  GroupTypeExcluded: {
    sentence: 'Groups of this type are not in the scope.',
    remedy: 'Add the type to scope.groupTypes to bring such groups in.',
  },
  NotInSelectedGroup: {
    sentence: 'It is in none of the selected groups.',
    remedy: 'Add it to a selected group in the provider, or select another group in scope.groupIds.',
  },
  NestedGroupIgnored: {
    sentence: 'It is nested in a selected group, and groups in groups do not count, or not so deep.',
    remedy: 'Set scope.nestedGroups to "include", raise scope.maxDepth, or select the group itself.',
  },
  NestedGroupFlattened: {
    sentence: 'Its people count as members of the selected group above it.',
    remedy: 'Set scope.nestedGroups to "include" to bring the group itself in.',
  },
  NotUnderReferenceGroup: {
    sentence: 'No path leads from the path-display group to it, so no affiliation path is shown.',
    remedy: 'Choose a group above everybody in pathDisplay.rootGroupId.',
  },
  GuestExcluded: {
    sentence: 'Guests are not in the scope.',
    remedy: 'Set scope.guests to "include" to bring them in.',
  },
  MailboxTypeExcluded: {
    sentence: 'Mailboxes of this type are not in the scope.',
    remedy: 'Add the type to scope.mailboxTypes to bring them in.',
  },
  RoutedHere: { sentence: 'A routing rule places people into the group.', remedy: NOTHING },
  DestinationMade: { sentence: 'A routing rule names the group, and there was none of that name.', remedy: NOTHING },
  DynamicMembershipExcluded: {
    sentence: 'Groups with dynamic membership are excluded.',
    remedy: 'Set scope.dynamicMembership to "include" to bring them in.',
  },
  ScopeFilterFalse: {
    sentence: 'The scope filter does not match.',
    remedy: 'Change scope.filter, or the values of this account in the provider.',
  },
  DomainNotAccepted: {
    sentence: 'Its address is in no accepted domain.',
    remedy: 'Add the domain to scope.domains, or correct the address in the provider.',
  },
  OnMicrosoftDomain: {
    sentence: 'Its only address ends in onmicrosoft.com.',
    remedy: 'Give the account an address of its own, or set scope.excludeOnMicrosoft to false.',
  },
  MailNotProvisioned: {
    sentence: 'It has no mail address yet.',
    remedy: 'Wait until the provider has given it one; it then comes in by itself.',
  },
  MailboxRemoved: {
    sentence: 'Its mailbox was removed in the provider, and the scope asks for one.',
    remedy: 'Give the account a mailbox again, or set scope.requireMailbox to false.',
  },
  Unlicensed: {
    sentence: 'It has no licence, and the scope asks for one.',
    remedy: 'Assign a licence, or set scope.requireLicence to false.',
  },
  MandatoryFieldMissing: {
    sentence: 'A field that SCIM demands is missing in the provider.',
    remedy: 'Fill in the field named in the detail in the provider.',
  },
  SchemaViolation: {
    sentence: 'A value cannot be carried in SCIM.',
    remedy: 'Correct the value named in the detail in the provider.',
  },
  DuplicateSourceEntries: {
    sentence: 'Another account of the provider has the same user name.',
    remedy: 'Rename one of the two in the provider.',
  },
  DuplicateTargetEntries: {
    sentence: 'Another account of the directory has the same user name.',
    remedy: 'Rename or remove one of the two.',
  },
  NameHeld: {
    sentence: 'Everything but the user name was changed: another account has the new one, or waits for it before.',
    remedy: 'Rename or remove the account named in the detail; the user name follows with the next run.',
  },
  ManualOrigin: {
    sentence: 'It was made by hand, or has the user name of somebody who was; a sync never touches those.',
    remedy: 'Change what was made by hand: under /api/v1/users and /api/v1/groups, or over SCIM.',
  },
  DeletedByHand: { sentence: 'Somebody deleted it by hand.', remedy: 'Look at its history for who did.' },
  ProviderInactive: {
    sentence: 'Its provider is not active, so no sync touches it.',
    remedy: 'Activate the provider, or another one that shows it too.',
  },
  TenantChanged: {
    sentence: 'The provider is another source than the one that accounts are linked to, so nothing was read.',
    remedy: 'Correct the settings, or start a run with resetAccountMapping and approve its plan.',
  },
  ConsentRequired: {
    sentence: 'The credential lacks a permission, so the provider could not be read.',
    remedy: 'Grant the permissions that GET /api/v1/providers/{kind}/permissions lists as missing.',
  },
  CredentialExpired: {
    sentence: 'The credential has expired, so the provider could not be read.',
    remedy: 'Make a new one and save it in the settings of the provider.',
  },
  Throttled: {
    sentence: 'The provider asked to be left alone for longer than a run waits.',
    remedy: 'Run again later; if it repeats, run less often.',
  },
  UnsupportedObjectType: {
    sentence: 'The member is neither a user nor a group.',
    remedy: NOTHING,
  },
  UnreadableMember: {
    sentence: 'The provider does not say what this member is.',
    remedy: 'Grant the permission that reads this kind of member.',
  },
  HiddenMembership: {
    sentence: 'The group hides its members from the application, so those already known stay as they are.',
    remedy: 'Grant the permission to read hidden members; for Microsoft 365 it is Member.Read.Hidden.',
  },
  BadLine: {
    sentence: 'A line of the file cannot be read.',
    remedy: 'Mend the line named in the detail.',
  },
  DuplicateLine: {
    sentence: 'Another line of the file has the same id, and the first one counts.',
    remedy: 'Remove one of the two, or give each its own id.',
  },
  UnknownGroup: {
    sentence: 'It names a group that the files do not have.',
    remedy: 'Add the group to the file of groups, or correct its id.',
  },
  UnknownMember: {
    sentence: 'The member is nobody whom the provider shows.',
    remedy: 'Look for it in the provider: it may be gone, outside the search, or misspelled.',
  },
  Reverted: { sentence: 'An administrator undid the run that changed it.', remedy: NOTHING },
  Restored: { sentence: 'An administrator brought it back.', remedy: NOTHING },
  Pinned: {
    sentence: 'A revert restored it, and it stays so until it is released.',
    remedy: 'Release the pin when the provider is right again.',
  },
  NoChange: { sentence: 'The directory already has these values.', remedy: NOTHING },
  GuardHeld: {
    sentence: 'The change guard holds it until somebody approves.',
    remedy: 'Look at the plan, then approve or reject it.',
  },
  SourceIncomplete: {
    sentence: 'The provider was not read to the end, so nothing may be removed.',
    remedy: 'Run again; if it repeats, follow the remedy of the run.',
  },
  SourceEmpty: {
    sentence: 'The provider answered that it has nobody.',
    remedy: 'Check the provider; approve the plan only if it is really empty.',
  },
  TargetConflict: {
    sentence: 'Another object has its place, or a value of its.',
    remedy: 'In the directory the next run plans it again; in an app, remove the other one, or change the value.',
  },
  TargetUnavailable: {
    sentence: 'The app does not answer, fails, or does not let us in.',
    remedy: 'Nothing while it is tried again; if it lasts, follow the remedy of the last failure.',
  },
  TargetNotFound: {
    sentence: 'The app says that there is no such thing.',
    remedy: 'Look at the answer of the app, and check its base URL.',
  },
  TargetUnsupported: {
    sentence: 'The app does not take it, or cannot do what is asked.',
    remedy: 'Look at the answer of the app, then change the value, the mapping, or the dialect of the target.',
  },
  StalePlan: {
    sentence: 'The object changed after the plan was made, so this item was dropped.',
    remedy: 'The next run plans it again.',
  },
  Superseded: { sentence: 'A newer plan took the place of this one.', remedy: 'Look at the newer plan.' },
} as const satisfies Record<string, Reason>;

export type ReasonCode = keyof typeof REASONS;

/** A code with its words. A code of a provider that the registry does not have speaks for itself. */
export interface ReasonView {
  readonly code: string;
  readonly sentence: string;
  readonly remedy: string;
  readonly detail: string | null;
}

export function describeReason(code: string, detail: string | null = null): ReasonView {
  const { sentence, remedy } = REASONS[code as ReasonCode] ?? { sentence: code, remedy: NOTHING };
  return { code, sentence, remedy, detail };
}

const OF_TARGETS: Readonly<Record<TargetFailure, ReasonCode>> = {
  network: 'TargetUnavailable',
  throttled: 'TargetUnavailable',
  server: 'TargetUnavailable',
  credentials: 'TargetUnavailable',
  contract: 'TargetUnavailable',
  conflict: 'TargetConflict',
  stale: 'TargetConflict',
  gone: 'TargetNotFound',
  unsupported: 'TargetUnsupported',
  refused: 'TargetUnsupported',
};

/** Why something is not in an app as it should be; null when nothing is in its way. */
export function reasonOfTarget(target: {
  readonly outcome: string;
  readonly targetState: string;
  readonly error: { readonly kind?: TargetFailure } | null;
}): ReasonView | null {
  const { outcome, targetState, error } = target;
  if (outcome === 'held') return describeReason('GuardHeld');
  if (!['pending', 'sending', 'waiting', 'dead'].includes(outcome)) return null;
  if (error?.kind !== undefined) return describeReason(OF_TARGETS[error.kind]);
  return targetState === 'quarantined' ? describeReason('TargetUnavailable') : null;
}

/** Why a run that failed, or stopped early, did not read everything. */
export function reasonOfFailure({ failure, code }: { readonly failure: string; readonly code: string }): ReasonCode {
  if (code === 'tenant-changed') return 'TenantChanged';
  if (failure === 'auth' && code.endsWith('-expired')) return 'CredentialExpired';
  if (failure === 'consent') return 'ConsentRequired';
  return failure === 'throttled' ? 'Throttled' : 'SourceIncomplete';
}
