// Which deliveries are on their way: a narrow row beside each, so that claiming writes neither the delivery nor its indexes.
import type { Drift } from '#core/drift.ts';
import { CUT_SHORT } from '#core/failure.ts';
import type { ResourceType } from '#core/resource.ts';
import { type Db, queryOn, sql } from '../database.ts';
import { Statement } from '../statement.ts';
import { type ScopeOf, scopeText } from './deliveries.ts';

export interface Claimed {
  readonly id: string;
  readonly resource_id: string;
  readonly resource_type: ResourceType;
  readonly rank: number;
  readonly asks: string;
  readonly fence: string;
  readonly attempts: number;
  readonly changed_at: Date;
  readonly remote_id: string | null;
  readonly remote_etag: string | null;
  readonly link: 'created' | 'adopted' | null;
  /** What was sent last, as text: much is claimed ahead, and parsed when its turn has come. */
  readonly sent: string | null;
  readonly gone_since: Date | null;
  readonly settled_at: Date | null;
  /** Its last try failed or was cut short: what became of it there is not known for sure. */
  readonly unsure: boolean;
  /** What a comparison has found. */
  readonly drift: Drift | null;
  /** It was cut short, so that not even what was sent is known. */
  readonly cut: boolean;
  /** A person asked for it again: what it has there is read back, and made anew where it is gone. */
  readonly doubted: boolean;
  /** The version that the target has; null before it has any. */
  readonly delivered: string | null;
  /** Of the resource as it is now; null when it is not even a tombstone any more. */
  readonly version: string | null;
  readonly body: string | null;
  readonly active: boolean | null;
  readonly deleted: boolean;
  readonly in_scope: boolean;
  readonly manager_remote_id: string | null;
  /** The manager is somebody the target is to get, and has not got yet. */
  readonly manager_waits: boolean;
}

export interface Claim {
  readonly limit: number;
  readonly now: Date;
  readonly until: Date;
  /** These and no others, whether they are ready or not. */
  readonly ids?: readonly string[];
  /** Nothing is claimed of a target that is not active, or was changed since. */
  readonly configVersion?: string;
}

/**
 * Claims what is ready, lowest rank first, for a time; each resource is on its way once at most. Within a transaction:
 * what is claimed is read by a second statement, which sees everything that was committed before the claim; whatever is
 * committed later asks again, and is found when the delivery is settled. It reads by the list of ids and does not join the
 * claims: an index that is looked into once for each of them has the whole list sorted each time.
 */
export async function claimDeliveries(
  tx: Db,
  appId: string,
  claim: Claim,
  scope: ScopeOf,
): Promise<readonly Claimed[]> {
  const taken = await takeDeliveries(tx, appId, claim);
  if (taken.size === 0) return [];
  const statement = new Statement();
  const app = statement.bind(appId, 'uuid');
  const ids = statement.bind([...taken.keys()], 'uuid[]');
  const within = scopeText(statement, scope, 'few');
  const text = `select d.id, d.resource_id, d.resource_type, d.rank, d.asks, d.attempts + 1 as attempts, d.changed_at, d.remote_id,
      d.remote_etag, d.link, d.sent::text as sent, d.gone_since, d.settled_at, d.last_error is not null as unsure,
      coalesce(d.last_error ->> 'code' = '${CUT_SHORT.code}', false) as cut, d.doubted, d.delivered, d.drift, r.version, r.body, r.active,
      (r.id is null or r.deleted_at is not null) as deleted,
      coalesce(r.deleted_at is null and ${within}, false) as in_scope, m.remote_id as manager_remote_id,
      coalesce(m.remote_id is null and m.in_scope and m.state <> 'idle', false) as manager_waits
    from deliveries d left join resources r on r.id = d.resource_id
    left join deliveries m on m.app_id = d.app_id and m.resource_id = r.manager_id
    where d.app_id = ${app} and d.resource_id = any(${ids}) order by d.rank, d.ready_at`;
  const { rows } = await queryOn<Omit<Claimed, 'fence'>>(tx, { text, values: statement.values });
  return rows.map((row) => ({ ...row, fence: taken.get(row.resource_id) ?? '' }));
}

/**
 * Of an app, as a list that is hashed once, however many are on their way: the order of the index stays.
 * @param app the parameter that names it
 */
export function onTheirWay(app = '?::uuid'): string {
  return `(select resource_id from delivery_claims where app_id = ${app})`;
}

/** Whether `d` is on its way. */
const IS_CLAIMED =
  'exists (select 1 from delivery_claims c where c.app_id = d.app_id and c.resource_id = d.resource_id)';

/** A change that has not arrived, and not only a deletion whose day is still to come. */
export const HAS_NEWS = '(gone_since is null or ready_at <= now())';

/** The state of `d` as it is told. */
export const TOLD_STATE = `case when d.state = 'idle' then 'delivered' when d.state = 'pending' and ${IS_CLAIMED} then 'sending' else d.state end`;

/** That `d` is told to be in a state, spelled out: of a parameter the planner would think that any is as frequent as another. */
export const IS_TOLD = {
  delivered: `d.state = 'idle'`,
  pending: `d.state = 'pending' and not ${IS_CLAIMED}`,
  sending: `(d.state = 'sending' or d.state = 'pending' and ${IS_CLAIMED})`,
  dead: `d.state = 'dead'`,
  held: `d.state = 'held'`,
} as const;

export type ToldState = keyof typeof IS_TOLD;
/** The states that are told of a delivery, and of a message. */
export const TOLD_STATES = Object.keys(IS_TOLD) as [ToldState, ...ToldState[]];

/** Answers the fence of each. */
async function takeDeliveries(tx: Db, appId: string, claim: Claim): Promise<ReadonlyMap<string, string>> {
  const statement = new Statement();
  const app = statement.bind(appId, 'uuid');
  const until = statement.bind(claim.until, 'timestamptz');
  const which =
    claim.ids === undefined
      ? `state = 'pending' and ready_at <= ${statement.bind(claim.now, 'timestamptz')}`
      : `resource_id = any(${statement.bind(claim.ids, 'uuid[]')})`;
  const unchanged =
    claim.configVersion === undefined
      ? 'true'
      : `exists (select 1 from targets where app_id = ${app} and state = 'active'
          and config_version = ${statement.bind(claim.configVersion, 'bigint')})`;
  const text = `insert into delivery_claims (app_id, resource_id, claimed_until)
    select ${app}, resource_id, ${until} from deliveries where ${unchanged} and app_id = ${app} and ${which}
      and resource_id not in ${onTheirWay(app)} order by rank, ready_at limit ${claim.limit}
    on conflict do nothing returning resource_id as id, fence`;
  const { rows } = await queryOn<{ id: string; fence: string }>(tx, { text, values: statement.values });
  return new Map(rows.map(({ id, fence }) => [id, fence]));
}

/** What a killed process, or one that lost its lease, had claimed. */
export async function freeExpiredClaims(db: Db, appId: string, now: Date): Promise<void> {
  await sql(
    db,
    `with gone as (delete from delivery_claims where app_id = ? and claimed_until < ? returning resource_id)
     update deliveries d set state = case when d.state = 'sending' then 'pending' else d.state end, claimed_until = null,
       attempts = d.attempts + (d.state <> 'sending')::int, ready_at = ?, last_error = ?::jsonb
     from gone where d.app_id = ? and d.resource_id = gone.resource_id`,
    [appId, now, now, JSON.stringify(CUT_SHORT), appId],
  );
}

/** When there is something to do: the next delivery is ready, the next claim of a dead process ends. */
export interface Due {
  readonly readyAt: Date | undefined;
  readonly claimEndsAt: Date | undefined;
}

export async function nextDue(db: Db, appId: string): Promise<Due> {
  const { rows } = await sql<{ ready: Date | null; claim: Date | null }>(
    db,
    `select (select min(ready_at) from deliveries where app_id = ? and state = 'pending' and resource_id not in ${onTheirWay()}) as ready,
       (select min(claimed_until) from delivery_claims where app_id = ?) as claim`,
    [appId, appId, appId],
  );
  return { readyAt: rows[0]?.ready ?? undefined, claimEndsAt: rows[0]?.claim ?? undefined };
}
