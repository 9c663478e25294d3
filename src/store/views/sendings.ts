// What was sent to apps, in whatever way, the newest first; and what was given up, by its cause.

import { type Db, sql } from '../database.ts';
import type { Try } from '../event/event-deliveries.ts';
import type { Channel } from '../target/attempt-hours.ts';
import { IS_TOLD, TOLD_STATE, type ToldState } from '../target/delivery-claims.ts';
import { pathOfResource } from './affiliation.ts';
import { type Page, type PageQuery, pageFrom, pageOf, rowsBefore } from './page.ts';

export interface SendingView {
  readonly id: string;
  readonly appId: string;
  readonly appName: string;
  readonly channel: Channel;
  readonly resourceType: 'User' | 'Group' | null;
  readonly resourceId: string | null;
  readonly display: string | null;
  /** The groups down to a user; null where there is no such way. */
  readonly affiliationPath: string | null;
  /** What was done at a push target; the type of a message. */
  readonly what: string | null;
  readonly state: ToldState;
  readonly attempts: number;
  /** When something became of it last. */
  readonly at: string;
  readonly changedAt: string;
  readonly nextAttemptAt: string | null;
  readonly status: number | null;
  readonly error: { readonly code: string; readonly message: string; readonly remedy: string | null } | null;
}

/** Which deliveries; nothing named means all. */
export interface Picked {
  readonly appId?: string | undefined;
  readonly channel?: Channel | undefined;
  readonly state?: ToldState | undefined;
  readonly code?: string | undefined;
  readonly resourceId?: string | undefined;
  /** Whose name holds this. */
  readonly search?: string | undefined;
  /** Of which something became since. */
  readonly since?: string | undefined;
  readonly ids?: readonly string[] | undefined;
}

const PUSH_AT = 'greatest(d.settled_at, d.changed_at)';
const MESSAGE_AT = 'greatest(d.attempted_at, d.changed_at)';
const MESSAGE_CHANNEL = `case s.kind when 'webhook' then 'webhook' else 'events' end`;
/** Looked up for the lines that are answered, and no others. */
const PATH = pathOfResource('d."resourceId"');
const ERROR = (column: string): string =>
  `case when ${column} is not null then jsonb_build_object('code', ${column} ->> 'code', 'message', ${column} ->> 'message',
     'remedy', ${column} ->> 'remedy') end`;

const PUSH = `select d.id, d.app_id as "appId", a.name as "appName", 'push' as channel, d.resource_type as "resourceType",
    d.resource_id as "resourceId", r.display, d.last_action as what, ${TOLD_STATE} as state, d.attempts, ${PUSH_AT} as at,
    d.changed_at as "changedAt", case when ${TOLD_STATE} = 'pending' then d.ready_at end as "nextAttemptAt",
    (d.log -> -1 ->> 'status')::int as status, ${ERROR('d.last_error')} as error
  from deliveries d join apps a on a.id = d.app_id left join resources r on r.id = d.resource_id`;
const MESSAGES = `select d.id, s.app_id as "appId", a.name as "appName", ${MESSAGE_CHANNEL} as channel, d.resource_type as "resourceType",
    d.resource_id as "resourceId", r.display, d.type as what, d.state, d.attempts, ${MESSAGE_AT} as at, d.changed_at as "changedAt",
    case when d.state = 'pending' and s.pushed then greatest(d.next_at, s.retry_at) end as "nextAttemptAt", d.status,
    ${ERROR('d.error')} as error
  from event_deliveries d join event_streams s on s.id = d.stream_id join apps a on a.id = s.app_id
    left join resources r on r.id = d.resource_id`;

export interface Conditions {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Conditions on `d`, `r` and, of messages, `s`. */
export function conditionsOf(picked: Picked, of: 'push' | 'messages'): Conditions {
  const isPush = of === 'push';
  const parts: [text: string, ...values: unknown[]][] = [];
  const { appId, channel, state, code, resourceId, search, since, ids } = picked;
  if (appId !== undefined) parts.push([`${isPush ? 'd' : 's'}.app_id = ?::uuid`, appId]);
  if (channel !== undefined) parts.push([`${isPush ? `'push'` : MESSAGE_CHANNEL} = ?`, channel]);
  if (state !== undefined) parts.push(isPush ? [IS_TOLD[state]] : ['d.state = ?', state]);
  if (code !== undefined) parts.push([`${isPush ? 'd.last_error' : 'd.error'} ->> 'code' = ?`, code]);
  if (resourceId !== undefined) parts.push(['d.resource_id = ?::uuid', resourceId]);
  if (search !== undefined) parts.push(['strpos(lower(r.display), lower(?)) > 0', search]);
  if (since !== undefined) parts.push([`${isPush ? PUSH_AT : MESSAGE_AT} >= ?::timestamptz`, since]);
  if (ids !== undefined) parts.push(['d.id = any(?::uuid[])', ids]);
  return {
    text: parts.length === 0 ? 'true' : parts.map(([text]) => text).join(' and '),
    values: parts.flatMap(([, ...values]) => values),
  };
}

/** A place in the list: when, and which of those. */
function cursorOf({ at, id }: SendingView): string {
  return Buffer.from(`${new Date(at).toISOString()}|${id}`).toString('base64url');
}

function placeOf(cursor: string | undefined): readonly [string, string] | undefined {
  if (cursor === undefined) return undefined;
  const [at = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split('|');
  return [at, id];
}

/** Newest first. */
export async function listSendings(
  db: Db,
  picked: Picked,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<Page<SendingView>> {
  const place = placeOf(cursor);
  const half = (select: string, at: string, of: 'push' | 'messages'): Conditions => {
    const { text, values } = conditionsOf(picked, of);
    const after = place === undefined ? '' : `and (${at}, d.id) < (?::timestamptz, ?::uuid)`;
    return {
      text: `(${select} where ${text} ${after} order by ${at} desc, d.id desc limit ?)`,
      values: [...values, ...(place ?? []), limit + 1],
    };
  };
  const push = half(PUSH, PUSH_AT, 'push');
  const messages = half(MESSAGES, MESSAGE_AT, 'messages');
  const { rows } = await sql<SendingView>(
    db,
    `select d.*, ${PATH} as "affiliationPath" from (${push.text} union all ${messages.text}) d order by at desc, id desc limit ?`,
    [...push.values, ...messages.values, limit + 1],
  );
  return pageOf(rows, limit, cursorOf);
}

/** A request and its answer; the request of a message is its payload, the same at every try. */
export interface SendingDetail extends SendingView {
  readonly exchanges: unknown;
  readonly tries: readonly Try[];
  readonly payload: string | null;
  readonly address: string | null;
  readonly remoteId: string | null;
}

export async function readSending(db: Db, id: string): Promise<SendingDetail | undefined> {
  const { rows } = await sql<SendingDetail>(
    db,
    `select d.*, ${PATH} as "affiliationPath" from (
     select v.*, d.log as exchanges, '[]'::jsonb as tries, null as payload, a.push ->> 'baseUrl' as address, d.remote_id as "remoteId"
     from (${PUSH} where d.id = ?) v join deliveries d on d.id = v.id join apps a on a.id = v."appId"
     union all
     select v.*, '[]'::jsonb, d.tries, d.payload, coalesce(s.settings ->> 'url', s.settings #>> '{delivery,url}'), null
     from (${MESSAGES} where d.id = ?) v join event_deliveries d on d.id = v.id join event_streams s on s.id = d.stream_id) d`,
    [id, id],
  );
  return rows[0];
}

export interface DeadCause {
  readonly appId: string;
  readonly appName: string;
  readonly channel: Channel;
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
  /** Names of some of them. */
  readonly examples: readonly string[];
}

/** Dead letters by app, channel and cause, the largest first. */
export async function listDeadCauses(
  db: Db,
  appId: string | undefined,
  { limit, cursor }: PageQuery,
): Promise<Page<DeadCause>> {
  const from = rowsBefore(cursor);
  const push = conditionsOf({ appId, state: 'dead' }, 'push');
  const messages = conditionsOf({ appId, state: 'dead' }, 'messages');
  const { rows } = await sql<DeadCause>(
    db,
    `select "appId", max("appName") as "appName", channel, coalesce(error ->> 'code', 'unknown') as code,
       (array_agg(coalesce(error ->> 'message', '') order by at desc))[1] as message,
       (array_agg(error ->> 'remedy' order by at desc))[1] as remedy, count(*)::int as count, min(at) as "firstAt", max(at) as "lastAt",
       (array_remove(array_agg(distinct display), null))[1:5] as examples
     from (${PUSH} where ${push.text} union all ${MESSAGES} where ${messages.text}) d
     group by "appId", channel, coalesce(error ->> 'code', 'unknown') 
     order by count(*) desc, max(at) desc, "appId", channel, code limit ? offset ?`,
    [...push.values, ...messages.values, limit + 1, from],
  );
  return pageFrom(rows, limit, from);
}
