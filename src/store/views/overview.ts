// What a person sees first: how large the directory is, what waits for somebody, and how the last weeks went.
import type { ZoneDay } from '#core/schedule.ts';
import { type Db, sql } from '../database.ts';

export interface Overview {
  readonly directory: {
    readonly users: number;
    readonly activeUsers: number;
    readonly groups: number;
    /** Users and groups that somebody entered by hand, and how many of them are groups. */
    readonly byHand: number;
    readonly groupsByHand: number;
    readonly memberships: number;
  };
  /** Held plans that were not answered, the newest first; at most ten. */
  readonly held: readonly {
    readonly planId: string;
    readonly runId: string;
    readonly counts: Readonly<Record<string, number>>;
    readonly guard: unknown;
    readonly createdAt: string;
    readonly expiresAt: string | null;
  }[];
  readonly openDisputes: number;
  readonly failedMessages: number;
  readonly apps: number;
  /** One for each of the days asked about that had a run, oldest first. */
  readonly days: readonly {
    readonly day: string;
    readonly runs: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly held: number;
    /** Users and groups created, changed or removed, and groups with other members. */
    readonly changes: number;
    /** The same apart; memberships are counted one by one. */
    readonly users: number;
    readonly groups: number;
    readonly memberships: number;
  }[];
}

/** @param days which the runs are told by, oldest first */
export async function readOverview(db: Db, days: readonly ZoneDay[]): Promise<Overview> {
  const { rows } = await sql(
    db,
    `select
       (select jsonb_build_object('users', count(*) filter (where resource_type = 'User'),
          'activeUsers', count(*) filter (where resource_type = 'User' and active),
          'groups', count(*) filter (where resource_type = 'Group'),
          'byHand', count(*) filter (where origin = 'manual'),
          'groupsByHand', count(*) filter (where origin = 'manual' and resource_type = 'Group'),
          'memberships', coalesce(sum(member_count) filter (where resource_type = 'Group'), 0))
        from resources where deleted_at is null) as directory,
       (select coalesce(jsonb_agg(to_jsonb(h) order by h."createdAt" desc), '[]') from (
          select id as "planId", run_id as "runId", counts, guard, created_at as "createdAt", expires_at as "expiresAt"
          from plans where status = 'held' and (expires_at is null or expires_at > now())
          order by created_at desc limit 10) h) as held,
       (select count(*)::int from disputes where status = 'open') as "openDisputes",
       (select count(*)::int from notifications where state = 'failed') as "failedMessages",
       (select count(*)::int from apps) as apps`,
  );
  return { ...rows[0], days: await readDays(db, days) };
}

/** Of one type, in all runs of a group. */
function changed(type: 'User' | 'Group'): string {
  return `coalesce(sum((select sum(value::bigint) from jsonb_each_text(counts_by_type -> '${type}')
    where key in ('created', 'updated', 'deactivated', 'deleted'))), 0)::int`;
}

async function readDays(db: Db, days: readonly ZoneDay[]): Promise<Overview['days']> {
  const starts = days.map(({ from }) => from.toISOString());
  const { rows } = await sql(
    db,
    `select width_bucket(created_at, ?::timestamptz[]) as place, count(*)::int as runs,
       count(*) filter (where status = 'succeeded')::int as succeeded,
       count(*) filter (where status in ('failed', 'abandoned', 'incomplete'))::int as failed,
       count(*) filter (where status = 'held')::int as held,
       coalesce(sum((select sum(value::bigint) from jsonb_each_text(counts)
         where key in ('created', 'updated', 'deactivated', 'deleted', 'membershipsChanged'))), 0)::int as changes,
       ${changed('User')} as users, ${changed('Group')} as groups,
       coalesce(sum((counts_by_type #>> '{Membership,added}')::int + (counts_by_type #>> '{Membership,removed}')::int), 0)::int
         as memberships
     from runs where created_at >= ?::timestamptz group by 1 order by 1`,
    [starts, starts[0]],
  );
  return rows.map(({ place, ...sums }) => ({ day: days[place - 1]?.day ?? '', ...sums }));
}
