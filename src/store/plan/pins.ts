// Pins as an administrator sees them: what a revert restored and no run may repeat, until it is released.
import { type Db, sql } from '../database.ts';
import { type Page, type PageQuery, pageOf } from '../views/page.ts';

export interface PinView {
  readonly id: string;
  readonly provider: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly externalId: string | null;
  readonly label: string | null;
  /** The class of change that is not repeated. */
  readonly class: string;
  /** Of a membership: whose, and whether it stays or stays away. */
  readonly member: {
    readonly id: string;
    readonly externalId: string | null;
    readonly displayName: string | null;
    readonly present: boolean;
  } | null;
  /** The run that was undone, and the run that undid it. */
  readonly runId: string;
  readonly revertRunId: string;
  readonly createdAt: string;
  readonly createdBy: string | null;
}

export interface PinsQuery extends PageQuery {
  readonly run?: string | undefined;
}

/** In the order in which they were set. */
export async function listPins(db: Db, { limit, cursor, run }: PinsQuery): Promise<Page<PinView>> {
  const { rows } = await sql(
    db,
    `select n.id, n.provider, n.resource_type as "resourceType", n.resource_id as "resourceId", n.external_id as "externalId", n.label,
       n.class, case when n.member_id is not null then jsonb_build_object('id', n.member_id, 'externalId', n.member_external_id,
         'displayName', m.display, 'present', n.present) end as member,
       n.run_id as "runId", n.revert_run_id as "revertRunId", n.created_at as "createdAt", n.created_by as "createdBy"
     from pins n left join resources m on m.id = n.member_id
     where n.id > ?::bigint and (?::uuid is null or n.run_id = ? or n.revert_run_id = ?) order by n.id limit ?`,
    [cursor ?? '0', run ?? null, run ?? null, run ?? null, limit + 1],
  );
  return pageOf(rows as readonly PinView[], limit, ({ id }) => id);
}

/** The next run treats it like everything else again. Answers false when there is no such pin. */
export async function releasePin(db: Db, id: string): Promise<boolean> {
  return (await release(db, 'id = ?', [id])) > 0;
}

/** Releases all that the undoing of a run has set, named by either of the two runs. Answers how many. */
export async function releasePinsOf(db: Db, runId: string): Promise<number> {
  return release(db, 'run_id = ? or revert_run_id = ?', [runId, runId]);
}

async function release(db: Db, where: string, values: readonly unknown[]): Promise<number> {
  const { rows } = await sql(
    db,
    `with released as (delete from pins where ${where} returning provider, resource_type, external_id),
     touched as (
       insert into mirror_touched (provider, resource_type, external_id)
       select distinct provider, resource_type, external_id from released where external_id is not null
       on conflict (provider, resource_type, external_id) do update set fresh = true, plan_id = null)
     select count(*)::int as count from released`,
    values,
  );
  return rows[0].count;
}
