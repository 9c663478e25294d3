// Every way out and how it does: push targets, webhooks and streams of tokens side by side, one query each figure.
import type { RunError } from '#core/failure.ts';
import { type Db, sql } from '../database.ts';
import { CHANNELS, type Channel } from '../target/attempt-hours.ts';
import { HAS_NEWS } from '../target/delivery-claims.ts';
import { type Page, type PageQuery, pageOf } from './page.ts';

export type TargetHealth = 'active' | 'failing' | 'quarantined' | 'paused' | 'disabled';

export interface TargetView {
  readonly appId: string;
  readonly name: string;
  readonly channel: Channel;
  /** Null of tokens that the app comes for. */
  readonly address: string | null;
  readonly state: TargetHealth;
  /** Since when nothing, or nothing but probes, is sent. */
  readonly since: string | null;
  readonly reason: Pick<RunError, 'code' | 'message' | 'remedy'> | null;
  readonly nextAttemptAt: string | null;
  readonly waiting: number;
  readonly oldestWaitingAt: string | null;
  readonly dead: number;
  /** Departures that wait for a person. */
  readonly held: number;
  /** The same figures of users and of groups apart; messages that are about neither are in the sums only. */
  readonly byType: Readonly<Record<'User' | 'Group', Readonly<Record<'waiting' | 'dead' | 'held', number>>>>;
  readonly lastDeliveredAt: string | null;
  /** Those of the last 24 hours in which anything was sent, oldest first. */
  readonly hours: readonly { readonly hour: string; readonly delivered: number; readonly failed: number }[];
}

/** Beside a figure: how many of it are users, and how many groups. */
function ofEach(figure: string): string {
  const of = (type: string): string =>
    `(count(*) filter (where d.resource_type = '${type}'))::int as "${figure}${type}"`;
  return `${of('User')}, ${of('Group')}`;
}

const HOURS = `(select coalesce(jsonb_agg(jsonb_build_object('hour', h.hour, 'delivered', h.delivered, 'failed', h.failed) order by h.hour), '[]')
  from attempt_hours h where h.app_id = t.app_id and h.channel = t.channel and h.hour > now() - interval '24 hours'
    and h.delivered + h.failed > 0) as hours,
  (select max(h.delivered_at) from attempt_hours h where h.app_id = t.app_id and h.channel = t.channel) as "lastDeliveredAt"`;

/** The place of a way out, of which no two have the same: as they are listed. */
function placeOf(channel: string): string {
  return `a.seq * ${CHANNELS.length} + ${channel}`;
}
/** The figures of those that are listed are counted, and of no others. */
const LISTED = 'where t.place > ?::bigint order by t.place limit ?';

const PUSH = `select t.*, waiting.*, dead.*, held.*, ${HOURS} from (select * from (
    select t.app_id, ${placeOf(String(CHANNELS.indexOf('push')))} as place, a.name, 'push' as channel, a.push ->> 'baseUrl' as address,
      case when t.state = 'active' and t.failures > 0 and t.rest_until > now() then 'failing' else t.state end as state,
      t.quarantine ->> 'since' as since,
      case when t.quarantine is not null then jsonb_build_object('code', t.quarantine ->> 'reason',
        'message', t.quarantine ->> 'message', 'remedy', t.quarantine ->> 'remedy') end as reason,
      coalesce((t.quarantine ->> 'probeAt')::timestamptz, case when t.rest_until > now() then t.rest_until end) as "nextAttemptAt"
    from targets t join apps a on a.id = t.app_id and a.push is not null) t ${LISTED}) t
  cross join lateral (select count(*)::int as waiting, ${ofEach('waiting')}, min(d.changed_at) filter (where ${HAS_NEWS}) as "oldestWaitingAt" from deliveries d
    where d.app_id = t.app_id and d.state in ('pending', 'sending')) waiting
  cross join lateral (select count(*)::int as dead, ${ofEach('dead')} from deliveries d where d.app_id = t.app_id and d.state = 'dead') dead
  cross join lateral (select count(*)::int as held, ${ofEach('held')} from deliveries d where d.app_id = t.app_id and d.state = 'held') held`;

const STREAMS = `select t.*, waiting.*, dead.*, 0 as held, ${HOURS} from (select * from (
    select s.app_id, ${placeOf(`case s.kind when 'webhook' then ${CHANNELS.indexOf('webhook')} else ${CHANNELS.indexOf('events')} end`)} as place, a.name,
      s.id as stream_id, case s.kind when 'webhook' then 'webhook' else 'events' end as channel,
      coalesce(s.settings ->> 'url', s.settings #>> '{delivery,url}') as address,
      case when not s.enabled then 'paused' when s.disabled_at is not null then 'disabled'
        when s.failures > 0 then 'failing' else 'active' end as state,
      coalesce(s.disabled_at, s.failing_since) as since,
      case when s.last_error is not null and (s.disabled_at is not null or s.failures > 0) then jsonb_build_object('code',
        s.last_error ->> 'code', 'message', s.last_error ->> 'message', 'remedy', s.last_error ->> 'remedy') end as reason,
      case when s.disabled_at is null then s.retry_at end as "nextAttemptAt"
    from event_streams s join apps a on a.id = s.app_id) t ${LISTED}) t
  cross join lateral (select count(*)::int as waiting, ${ofEach('waiting')}, min(d.changed_at) as "oldestWaitingAt" from event_deliveries d
    where d.stream_id = t.stream_id and d.state = 'pending') waiting
  cross join lateral (select count(*)::int as dead, ${ofEach('dead')} from event_deliveries d where d.stream_id = t.stream_id and d.state = 'dead') dead`;

type Figure = 'waiting' | 'dead' | 'held';
type Row = Omit<TargetView, 'appId' | 'byType'> &
  Readonly<Record<`${Figure}${'User' | 'Group'}`, number | undefined>> & {
    readonly app_id: string;
    readonly place: string;
    readonly stream_id?: string;
  };

/** In the order in which their apps were made. */
export async function listTargets(db: Db, { limit, cursor }: PageQuery): Promise<Page<TargetView>> {
  const which = [cursor ?? '-1', limit + 1];
  const { rows: push } = await sql<Row>(db, PUSH, which);
  const { rows: streams } = await sql<Row>(db, STREAMS, which);
  const listed = [...push, ...streams].sort((one, other) => Number(one.place) - Number(other.place));
  const page = pageOf(listed.slice(0, limit + 1), limit, ({ place }) => place);
  return { ...page, items: page.items.map(viewOf) };
}

function viewOf(row: Row): TargetView {
  const {
    app_id: appId,
    place: _place,
    stream_id: _stream,
    waitingUser,
    waitingGroup,
    deadUser,
    deadGroup,
    ...rest
  } = row;
  const { heldUser, heldGroup, ...view } = rest;
  return {
    appId,
    ...view,
    byType: {
      User: { waiting: waitingUser ?? 0, dead: deadUser ?? 0, held: heldUser ?? 0 },
      Group: { waiting: waitingGroup ?? 0, dead: deadGroup ?? 0, held: heldGroup ?? 0 },
    },
  };
}
