// Removes what is old, a bounded batch at a time: each function answers how many rows it removed, fewer than `limit` when
// there is no more.
import { type Db, sql } from '../database.ts';
import { sumsByMonth } from '../views/costs.ts';

/** The time by which rows were written, and by which alone they get old. */
export async function readServerTime(db: Db): Promise<Date> {
  const { rows } = await sql(db, 'select clock_timestamp() as at');
  return rows[0].at;
}

/** The newest run of each provider, and the newest that succeeded: what people look at, and estimates go by. */
const KEPT_RUNS = `select max(seq) from runs group by provider
  union all select max(seq) from runs where status = 'succeeded' group by provider`;

/**
 * Plans that nobody can decide or apply any more, decided (or made) before the cutoff, oldest first. Their runs are
 * unlinked at once, so that nobody takes a plan for whole of which a part is gone already.
 */
export async function unlinkOldPlans(db: Db, before: Date, now: Date, limit: number): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>(
    db,
    `select p.id from plans p join runs r on r.id = p.run_id
     where coalesce(p.decided_at, p.created_at) < ? and r.seq not in (${KEPT_RUNS})
       and (p.status in ('applied', 'rejected', 'superseded', 'expired') or p.status = 'held' and p.expires_at < ?)
     order by p.created_at limit ? for update of p skip locked`,
    [before, now, limit],
  );
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return [];
  await sql(
    db,
    `update runs r set plan_id = null, notified_at = coalesce(r.notified_at, ?),
       status = case when r.status <> 'held' then r.status when exists (
         select 1 from plan_items i where i.plan_id = r.plan_id and i.outcome = 'applied') then 'succeeded' else 'cancelled' end
     where r.plan_id = any(?::uuid[])`,
    [now, ids],
  );
  return ids;
}

/** Memberships, then items, of plans that are to go. */
export async function deletePlanRows(db: Db, planIds: readonly string[], limit: number): Promise<number> {
  const members = await sql(
    db,
    `delete from plan_members where (plan_id, seq, member_external_id, removed) in (
       select plan_id, seq, member_external_id, removed from plan_members where plan_id = any(?::uuid[]) limit ?)`,
    [planIds, limit],
  );
  const deleted = members.rowCount ?? 0;
  if (deleted === limit) return deleted;
  const items = await sql(
    db,
    `delete from plan_items where (plan_id, seq) in (
       select plan_id, seq from plan_items where plan_id = any(?::uuid[]) limit ?)`,
    [planIds, limit - deleted],
  );
  return deleted + (items.rowCount ?? 0);
}

/** Plans without rows. */
export async function deletePlans(db: Db, planIds: readonly string[]): Promise<number> {
  const { rowCount } = await sql(db, 'delete from plans where id = any(?::uuid[])', [planIds]);
  return rowCount ?? 0;
}

/** Runs that ended before the cutoff and have no plan any more; what they cost is added to the sums of their months. */
export async function deleteRuns(db: Db, before: Date, limit: number): Promise<number> {
  const { rows } = await sql(
    db,
    `with gone as (
       delete from runs where id = any(array(
         select r.id from runs r where r.finished_at < ? and r.status not in ('queued', 'running', 'held')
           and r.seq not in (${KEPT_RUNS}) and not exists (select 1 from plans p where p.run_id = r.id)
         order by r.seq limit ? for update skip locked))
       returning provider, started_at, created_at, work_ms, cost),
     sums as (${sumsByMonth('gone')}),
     kept as (
       insert into run_costs as c (month, provider, runs, wall_ms, requests, resource_units, bytes, throttled_ms)
       select month, provider, runs, wall_ms, requests, resource_units, bytes, throttled_ms from sums
       on conflict (month, provider) do update set runs = c.runs + excluded.runs, wall_ms = c.wall_ms + excluded.wall_ms,
         requests = c.requests + excluded.requests, resource_units = c.resource_units + excluded.resource_units,
         bytes = c.bytes + excluded.bytes, throttled_ms = c.throttled_ms + excluded.throttled_ms)
     select coalesce(sum(runs), 0)::int as count from sums`,
    [before, limit],
  );
  return rows[0].count;
}

/** Deleted users and groups, and what was made for reading them. The change log still says that they went. */
export async function deleteTombstones(db: Db, before: Date, limit: number): Promise<number> {
  const { rows } = await sql(
    db,
    `with gone as (delete from resources where id = any(array(
       select id from resources where deleted_at < ? order by deleted_at limit ? for update skip locked)) returning id),
     forgotten as (delete from served_groups s using gone where s.user_id = gone.id)
     select count(*)::int as count from gone`,
    [before, limit],
  );
  return rows[0].count;
}

/** What targets were given of resources of which nothing is left, neither here nor there. */
export async function deleteForgottenDeliveries(db: Db, limit: number): Promise<number> {
  const { rowCount } = await sql(
    db,
    `delete from deliveries where id = any(array(
       select d.id from deliveries d where d.state = 'idle' and d.remote_id is null
         and not exists (select 1 from resources r where r.id = d.resource_id offset 0) limit ? for update skip locked))`,
    [limit],
  );
  return rowCount ?? 0;
}

/**
 * What the mirror remembers of people and groups that a provider does not show any more and that nobody serves. That they are gone
 * is asked of the row itself, too: whoever comes back while this waits for it stays.
 */
export async function deleteGoneRecords(db: Db, before: Date, limit: number): Promise<number> {
  const { rowCount } = await sql(
    db,
    `delete from mirror_records where gone_at < ? and (provider, resource_type, external_id) in (
       select m.provider, m.resource_type, m.external_id from mirror_records m
       where m.gone_at < ? and not exists (select 1 from resources r where r.resource_type = m.resource_type
         and r.origin = m.provider and r.external_id = m.external_id and r.deleted_at is null) limit ?)`,
    [before, before, limit],
  );
  return rowCount ?? 0;
}

/**
 * The oldest changes. Where the removed ones end is kept, so that a reader who was away for too long learns of it.
 */
export async function deleteOldestChanges(db: Db, before: Date, limit: number): Promise<number> {
  const { rows } = await sql(
    db,
    `with gone as (delete from changes where seq in (
       select seq from (select seq, at from changes order by seq limit ?) oldest where at < ?) returning xid, seq),
     last as (select xid, seq from gone order by xid desc, seq desc limit 1),
     noted as (insert into journal as j (trimmed_xid, trimmed_seq) select xid, seq from last
       on conflict (singleton) do update set trimmed_xid = excluded.trimmed_xid, trimmed_seq = excluded.trimmed_seq
       where (excluded.trimmed_xid, excluded.trimmed_seq) > (j.trimmed_xid, j.trimmed_seq))
     select count(*)::int as count from gone`,
    [limit, before],
  );
  return rows[0].count;
}

/** How long departures took, of targets: figures are of the last 30 days. */
export async function deleteOldDepartures(db: Db, before: Date, limit: number): Promise<number> {
  const { rowCount } = await sql(
    db,
    `delete from departures where seq in (
       select seq from (select seq, acknowledged_at from departures order by seq limit ?) oldest where acknowledged_at < ?)`,
    [limit, before],
  );
  return rowCount ?? 0;
}

/** Slots that no schedule can come back to. */
export async function deleteSlots(db: Db, before: Date, limit: number): Promise<number> {
  const { rowCount } = await sql(
    db,
    `delete from schedule_slots where (name, slot) in (select name, slot from schedule_slots where slot < ? limit ?)`,
    [before, limit],
  );
  return rowCount ?? 0;
}
