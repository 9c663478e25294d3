// The settings of the Microsoft 365 provider as the forms hold them; the gateway checks and completes them.
import { ApiError } from '../../api/client.ts';
import type { MicrosoftCloud, ProviderCard } from '../../api/types.ts';
import { type Leave, type MatchAttribute, type Read, settingsOf } from './forms.ts';

export type Kind = ProviderCard['kind'];
export type Json = Readonly<Record<string, unknown>>;

export interface Credential {
  readonly kind: 'clientSecret' | 'certificate' | 'managedIdentity' | 'federated';
  readonly secret?: string;
  readonly certificate?: string;
  readonly privateKey?: string;
  readonly tokenFile?: string;
}

export interface M365Scope {
  readonly filter: string;
  readonly mode: 'full' | 'groups';
  readonly groupIds: readonly string[];
  readonly nestedGroups: 'include' | 'flatten' | 'ignore';
  /** Levels below a picked group; null follows them all. */
  readonly maxDepth: number | null;
  readonly groupTypes: readonly string[];
  readonly dynamicMembership: 'include' | 'exclude';
  readonly domains: readonly string[];
  readonly domainMatch: 'primary' | 'any';
  readonly excludeOnMicrosoft: boolean;
  readonly mailboxTypes: readonly string[];
  readonly guests: 'include' | 'exclude';
  readonly requireLicence: boolean;
  readonly requireMailbox: boolean;
  readonly onLeaveScope: Leave;
  readonly onSourceSoftDelete: Leave;
  readonly onSourceHardDelete: Leave;
  readonly deleteAfterDays: number | null;
}

/** A rule that places people. */
export interface M365Placing {
  readonly filter: string;
  /** The display name of a group of the directory. */
  readonly destinationGroup: string;
}

export interface M365Destination {
  readonly rules: readonly M365Placing[];
  readonly match: 'first' | 'all';
  readonly default: string | null;
}

export interface M365Notices {
  readonly enabled: boolean;
  /** Null while nothing is entered: the gateway has a usual one. */
  readonly sweepMinutes: number | null;
}

export interface M365 extends Read {
  readonly tenantId: string;
  readonly clientId: string;
  readonly credential: Credential;
  readonly cloud: MicrosoftCloud;
  readonly endpoints?: { readonly graph: string; readonly login: string } | undefined;
  readonly scope: M365Scope;
  readonly pathDisplay: { readonly rootGroupId: string | null };
  readonly destination: M365Destination;
  readonly notifications: M365Notices;
}

const SCOPE: M365Scope = {
  mode: 'full',
  groupIds: [],
  nestedGroups: 'include',
  maxDepth: null,
  groupTypes: ['security', 'mailEnabledSecurity', 'distribution'],
  dynamicMembership: 'include',
  filter: '',
  domains: [],
  domainMatch: 'primary',
  excludeOnMicrosoft: false,
  mailboxTypes: ['user'],
  guests: 'include',
  requireLicence: false,
  requireMailbox: false,
  onLeaveScope: 'deactivate',
  onSourceSoftDelete: 'deactivate',
  onSourceHardDelete: 'delete',
  deleteAfterDays: 30,
};

export const NO_DESTINATION: M365Destination = { rules: [], match: 'first', default: null };
export const M365_MATCHING: readonly MatchAttribute[] = ['externalId', 'anchors', 'userName', 'emails'];
const NOTICES: M365Notices = { enabled: true, sweepMinutes: 60 };

/** Whole settings for the forms, whatever is there so far. */
export function toM365(saved: Json | undefined): M365 {
  const given = settingsOf(saved) as Partial<M365>;
  return {
    tenantId: '',
    clientId: '',
    cloud: 'global',
    initialRun: 'preview',
    matching: M365_MATCHING,
    adoptManual: 'ask',
    ...given,
    credential: { kind: 'clientSecret', ...given.credential },
    scope: { ...SCOPE, ...given.scope },
    pathDisplay: { rootGroupId: null, ...given.pathDisplay },
    destination: { ...NO_DESTINATION, ...given.destination },
    notifications: { ...NOTICES, ...given.notifications },
  };
}

/** What is sent: empty secrets mean those that are saved. */
export function fromM365(settings: M365): Json {
  const { credential, endpoints, notifications, scope, pathDisplay, ...rest } = settings;
  const designated = scope.mode === 'groups';
  const { enabled, sweepMinutes } = notifications;
  const filled = Object.fromEntries(
    Object.entries(credential).filter(([, value]) => value !== '' && value !== undefined),
  );
  const own = endpoints !== undefined && endpoints.graph !== '' ? { endpoints } : {};
  return {
    ...rest,
    ...own,
    // What was chosen for the other mode stays in the form, and means nothing to the gateway.
    scope: designated ? scope : { ...scope, groupIds: [] },
    pathDisplay: designated ? { rootGroupId: null } : pathDisplay,
    credential: filled,
    notifications: { enabled, ...(sweepMinutes === null ? {} : { sweepMinutes }) },
  };
}

/** Settings with others put into them, part by part; lists are whole. */
export function mergeSettings(settings: Json, others: Json): Json {
  const merged: Record<string, unknown> = { ...settings };
  for (const [name, value] of Object.entries(others))
    merged[name] = isPart(value) && isPart(merged[name]) ? mergeSettings(merged[name], value) : value;
  return merged;
}

function isPart(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the gateway says of single fields, as long as they hold what it was said of. */
export function fieldErrors(error: unknown, refused?: object, value?: object): Readonly<Record<string, string>> {
  const errors = error instanceof ApiError ? error.fields : {};
  return refused === undefined || value === undefined ? errors : stillWrong(errors, refused, value);
}

/** Of what is wrong with single fields, what was not changed since. */
export function stillWrong(
  errors: Readonly<Record<string, string>>,
  refused: object,
  value: object,
): Readonly<Record<string, string>> {
  const same = (path: string): boolean => JSON.stringify(at(refused, path)) === JSON.stringify(at(value, path));
  return Object.fromEntries(Object.entries(errors).filter(([path]) => same(path)));
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce((inner, name) => (inner as Json | null | undefined)?.[name], value);
}
