import type { RunError } from '#core/failure.ts';
import type { TargetFailure } from '#core/target.ts';
import { type Db, sql } from '../database.ts';
import { TOLD_STATE } from '../target/delivery-claims.ts';
import type { TargetState } from '../target/targets.ts';

/** What became of one resource in one app that is written to. */
export interface TargetOutcome {
  readonly appId: string;
  readonly name: string;
  /** Of the whole target: whether it is written to at all now. */
  readonly targetState: TargetState;
  /**
   * `waiting`: the target was not looked through as far as this; `outOfScope`: the app is not to have it, and has
   * not; `deprovisioned`: it was taken away there. The others are those of its delivery.
   */
  readonly outcome: 'delivered' | 'deprovisioned' | 'pending' | 'sending' | 'dead' | 'held' | 'waiting' | 'outOfScope';
  readonly deliveryId: string | null;
  /** The last thing that was done there. */
  readonly action: string | null;
  readonly remoteId: string | null;
  /** The version that the app has; null when it has none. */
  readonly deliveredVersion: number | null;
  readonly settledAt: string | null;
  /** Why the last try failed. */
  readonly error: (RunError & { readonly status: number | null; readonly kind?: TargetFailure }) | null;
}

const OUTCOME = `case
  when d.app_id is null then case when t.backfill is null and not t.scope_moved and t.place_seq is not null then 'outOfScope' else 'waiting' end
  when d.state <> 'idle' then ${TOLD_STATE}
  when d.gone_since is not null or d.remote_id is null and d.delivered is not null and not (d.in_scope and r.deleted_at is null)
    then 'deprovisioned'
  when d.remote_id is null then 'outOfScope'
  when r.version > d.delivered then 'pending' else 'delivered' end`;

/** One for each target, by the name of its app. */
export async function readTargetOutcomes(db: Db, resourceId: string): Promise<readonly TargetOutcome[]> {
  const { rows } = await sql<TargetOutcome>(
    db,
    `select a.id as "appId", a.name, t.state as "targetState", ${OUTCOME} as outcome, d.id as "deliveryId", d.last_action as action,
       d.remote_id as "remoteId", d.delivered::int as "deliveredVersion", d.settled_at as "settledAt", d.last_error as error
     from targets t join apps a on a.id = t.app_id
     left join deliveries d on d.app_id = t.app_id and d.resource_id = ?::uuid
     left join resources r on r.id = d.resource_id order by a.name, a.id`,
    [resourceId],
  );
  return rows;
}
