// What runs have cost by month: of those that are kept, and of those that are not any more.
import type { MonthCost } from '#core/budget.ts';
import { type Db, sql } from '../database.ts';

/** Sums of this many runs' columns; the names are those of `run_costs`. */
const SUMS = `count(*) as runs, sum(r.work_ms) as wall_ms, sum(coalesce((r.cost ->> 'requests')::bigint, 0)) as requests,
  sum(coalesce((r.cost ->> 'resourceUnits')::bigint, 0)) as resource_units, sum(coalesce((r.cost ->> 'bytes')::bigint, 0)) as bytes,
  sum(coalesce((r.cost ->> 'throttledMs')::bigint, 0)) as throttled_ms`;

/** The SQL that sums rows `r` of `runs`, from a relation that the caller names, by month and provider. */
export function sumsByMonth(from: string): string {
  return `select to_char(coalesce(r.started_at, r.created_at) at time zone 'UTC', 'YYYY-MM') as month, r.provider, ${SUMS}
    from ${from} r group by 1, 2`;
}

/** The newest months in which anything ran, newest first, at most `months`. */
export async function listMonthCosts(db: Db, months: number): Promise<MonthCost[]> {
  const { rows } = await sql(
    db,
    `with all_costs as (${sumsByMonth('runs')} union all select month, provider, runs, wall_ms, requests, resource_units,
       bytes, throttled_ms from run_costs)
     select month, sum(runs)::float8 as runs, sum(wall_ms)::float8 as "wallMs", sum(requests)::float8 as requests,
       sum(resource_units)::float8 as "resourceUnits", sum(bytes)::float8 as bytes, sum(throttled_ms)::float8 as "throttledMs"
     from all_costs group by month order by month desc limit ?`,
    [months],
  );
  return rows;
}
