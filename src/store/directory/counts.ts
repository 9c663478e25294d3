// How many resources match, exactly, without counting them for every page. A count is kept with the snapshot that it
// was taken in; the change log tells what was committed since. Unless something was, it is still the count.
import type { ResourceType } from '#core/resource.ts';
import { type Costly, queryBounded } from '../bounded.ts';
import type { Database } from '../database.ts';
import { Statement } from '../statement.ts';

/** A count that was taken before, and when. */
export interface Known extends Count {
  /** `pg_snapshot` as text, for `driftText`. */
  readonly snapshot: string;
  readonly at: number;
}

/** What the change log says of the time since a snapshot. */
export interface Drift {
  /** The snapshot that it was said in. */
  readonly snapshot: string;
  /** Never 0, and at most one more than `CHANGES_MAX`. */
  readonly touched: number;
  /** Created less deleted, of the types counted. */
  readonly net: number;
}

export interface CountQuery {
  readonly type: ResourceType | undefined;
  /** Conditions on `r`, numbered from $1. */
  readonly condition: string;
  readonly values: readonly unknown[];
  /** True when nothing but the type is asked for: then creations and deletions are all that counts. */
  readonly plain: boolean;
  /** Set when the condition is of no known shape, and may take too long. */
  readonly costly?: Costly | undefined;
}

/** An exact count. Two with the same `epoch` were taken of the same state of the directory. */
export interface Count {
  readonly total: number;
  readonly epoch: number;
}

export interface Counts {
  known(query: CountQuery): Known | undefined;
  /**
   * The exact count at the moment that `drift` was said.
   * @param known that of which `drift` tells: others may have counted meanwhile, from where it would be counted twice
   * @param drift null when nothing was written since; undefined when that is not known
   */
  count(query: CountQuery, known: Known | undefined, drift: Drift | null | undefined): Promise<Count>;
}

const KEPT_MAX = 1_000;
const KEY_MAX = 4_096;
/** Older counts are taken anew: the change log may have been pruned meanwhile. */
const KEPT_MS = 600_000;
/** Reading more changes than this costs as much as counting. */
const CHANGES_MAX = 5_000;

/** A column that answers the `Drift` since a snapshot as JSON; null when nothing was written. */
export function driftText(statement: Statement, snapshot: string, type: ResourceType | undefined): string {
  const since = statement.bind(snapshot, 'pg_snapshot');
  const counted = type === undefined ? 'true' : `c.resource_type = '${type}'`;
  return `(select case when count(*) > 0 then json_build_object('snapshot', pg_current_snapshot()::text, 'touched', count(*),
      'net', count(*) filter (where ${counted} and c.operation = 'create') - count(*) filter (where ${counted} and c.operation = 'delete')) end
    from (select resource_type, operation from changes where xid >= pg_snapshot_xmin(${since})
      and not pg_visible_in_snapshot(xid, ${since}) limit ${CHANGES_MAX + 1}) c)`;
}

/** How many live resources of a type there are: exactly, and counted anew every ten minutes at most. */
export async function countLive(database: Database, counts: Counts, type: ResourceType): Promise<number> {
  const condition = `r.resource_type = '${type}' and r.deleted_at is null`;
  const query: CountQuery = { type, condition, values: [], plain: true };
  const known = counts.known(query);
  if (known === undefined) return (await counts.count(query, undefined, undefined)).total;
  const statement = new Statement();
  const text = `select ${driftText(statement, known.snapshot, type)} as drift`;
  const { rows } = await database.query<{ drift: Drift | null }>({ text, values: statement.values });
  return (await counts.count(query, known, rows[0]?.drift ?? null)).total;
}

export function makeCounts(database: Database, now: () => number = () => performance.now()): Counts {
  const kept = new Map<string, Known>();
  let epochs = 0;

  function keyOf({ condition, values }: CountQuery): string {
    return JSON.stringify([condition, values]);
  }

  function keep(key: string, count: Count, snapshot: string): Count {
    if (key.length > KEY_MAX) return count;
    if (kept.size >= KEPT_MAX) kept.clear();
    kept.set(key, { ...count, snapshot, at: now() });
    return count;
  }

  return {
    known(query) {
      const found = kept.get(keyOf(query));
      return found !== undefined && now() - found.at < KEPT_MS ? found : undefined;
    },
    async count(query, known, drift) {
      const key = keyOf(query);
      if (known !== undefined && drift !== undefined) {
        const { total, epoch } = known;
        if (drift === null) return { total, epoch };
        epochs += 1;
        if (query.plain && drift.touched <= CHANGES_MAX)
          return keep(key, { total: total + drift.net, epoch: epochs }, drift.snapshot);
      }
      const { rows } = await queryBounded<{ total: string; snapshot: string }>(
        database,
        {
          text: `select count(*) as total, pg_current_snapshot()::text as snapshot from resources r where ${query.condition}`,
          values: query.values,
        },
        query.costly,
      );
      epochs += 1;
      return keep(key, { total: Number(rows[0]?.total), epoch: epochs }, rows[0]?.snapshot ?? '');
    },
  };
}
