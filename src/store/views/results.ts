// What became of each object of a run, without the objects themselves: for lists that people are sent.
import { GATEWAY_SCHEMA } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export interface ResultRow {
  readonly seq: string;
  readonly action: string;
  readonly outcome: string;
  readonly type: string;
  readonly id: string | null;
  readonly externalId: string | null;
  readonly label: string | null;
  /** The groups down to a user, as it is, or was, affiliated; null where there is no such way. */
  readonly affiliationPath: string | null;
  readonly reason: string;
  readonly detail: string | null;
  readonly error: string | null;
  readonly added: number;
  readonly removed: number;
}

/** The next results of a plan after `after`, in the order of the plan; only those held when `held`. */
export async function listResults(
  db: Db,
  planId: string,
  { after, limit, held }: { after: string; limit: number; held: boolean },
): Promise<readonly ResultRow[]> {
  const { rows } = await sql<ResultRow>(
    db,
    `select seq, action, outcome, resource_type as type, resource_id as id, external_id as "externalId", label,
       coalesce(after, before)::jsonb -> '${GATEWAY_SCHEMA}' ->> 'affiliationPath' as "affiliationPath", reason, detail, error, added, removed
     from plan_items where plan_id = ? and seq > ?::bigint and (not ?::boolean or outcome = 'held') order by seq limit ?`,
    [planId, after, held, limit],
  );
  return rows;
}

/** How many there are in all. */
export async function countResults(db: Db, planId: string, { held }: { held: boolean }): Promise<number> {
  const { rows } = await sql(
    db,
    `select count(*)::int as count from plan_items where plan_id = ? and (not ?::boolean or outcome = 'held')`,
    [planId, held],
  );
  return rows[0].count;
}
