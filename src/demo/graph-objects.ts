// What the simulated Graph says of single objects and in batches. Sources: learn.microsoft.com/graph/json-batching,
// api/user-get, api/user-list-manager, api/user-get-mailboxsettings and aad-advanced-queries, checked 2026-11.
import type { TenantUser } from './tenant.ts';

/** What a mailbox is for; a property of the simulated user that Graph shows in its mailbox settings only. */
export const USER_PURPOSE = '#userPurpose';

export interface BatchRequest {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Documented: at most so many steps. */
const STEPS_MAX = 20;

/** The steps of a batch; undefined for a body that is none. */
export function readBatch(body: string): readonly BatchRequest[] | undefined {
  const requests: unknown = JSON.parse(body)?.requests;
  if (!Array.isArray(requests) || requests.length === 0 || requests.length > STEPS_MAX) return undefined;
  const ids = new Set(requests.map(({ id }) => id));
  return ids.size === requests.length && requests.every(isStep) ? requests : undefined;
}

function isStep(step: { id?: unknown; method?: unknown; url?: unknown }): step is BatchRequest {
  return typeof step.id === 'string' && step.method === 'GET' && typeof step.url === 'string';
}

/** Whoever has a mailbox has settings; others are told 404 MailboxNotEnabledForRESTAPI. */
export function userPurposeOf(user: TenantUser): string | undefined {
  const purpose = user[USER_PURPOSE];
  if (typeof purpose === 'string') return purpose;
  const plans = user['assignedPlans'] as readonly { readonly service?: string }[] | undefined;
  return plans?.some(({ service }) => service === 'exchange') === true ? 'user' : undefined;
}

export interface ObjectPath {
  readonly kind: 'users' | 'groups';
  readonly id: string;
  /** `manager`, `mailboxSettings`, `members/$count`; empty for the object itself. */
  readonly rest: string;
}

export function objectPath(path: string): ObjectPath | undefined {
  const found = /^\/v1\.0\/(users|groups)\/([^/]+)(?:\/(.+))?$/.exec(path);
  if (found?.[1] === undefined || found[2] === undefined || found[2] === '$count') return undefined;
  return { kind: found[1] === 'users' ? 'users' : 'groups', id: found[2], rest: found[3] ?? '' };
}
