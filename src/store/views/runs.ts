// Runs as the admin API shows them.
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import type { RunError, RunStatus } from '../runs.ts';
import { type Page, type PageQuery, pageOf } from './page.ts';

/** The contract's run. Times are RFC 3339 UTC. */
export interface RunView {
  readonly id: string;
  readonly provider: ProviderKindName;
  readonly mode: 'incremental' | 'full';
  readonly preview: boolean;
  readonly trigger: string;
  readonly status: RunStatus;
  readonly requestedBy: string;
  readonly options: unknown;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly progress: { readonly phase: string | null; readonly done: number; readonly total: number | null };
  readonly counts: Readonly<Record<string, number>>;
  readonly guard: unknown;
  readonly planId: string | null;
  /** The run that it undoes. */
  readonly reverts: string | null;
  readonly error: RunError | null;
  readonly cost: unknown;
}

const SELECT = `select r.seq, r.id, r.provider, r.mode, r.preview, r.trigger, r.status, r.requested_by as "requestedBy", r.options,
  r.created_at as "createdAt", r.started_at as "startedAt", r.finished_at as "finishedAt",
  jsonb_build_object('phase', r.phase, 'done', r.done, 'total', r.total) as progress, r.counts, p.guard,
  r.plan_id as "planId", r.reverts, r.error, r.cost
  from runs r left join plans p on p.id = r.plan_id`;

type Row = RunView & { readonly seq: string };

export async function readRun(db: Db, id: string): Promise<RunView | undefined> {
  const { rows } = await sql(db, `${SELECT} where r.id = ?`, [id]);
  return rows[0] === undefined ? undefined : strip(rows[0]);
}

export interface RunsQuery extends PageQuery {
  readonly provider?: string | undefined;
  readonly status?: string | undefined;
}

/** Newest first. */
export async function listRuns(db: Db, { limit, cursor, provider, status }: RunsQuery): Promise<Page<RunView>> {
  const { rows } = await sql(
    db,
    `${SELECT} where (?::bigint is null or r.seq < ?::bigint) and (?::text is null or r.provider = ?)
       and (?::text is null or r.status = ?) order by r.seq desc limit ?`,
    [cursor ?? null, cursor ?? null, provider ?? null, provider ?? null, status ?? null, status ?? null, limit + 1],
  );
  const page = pageOf(rows as readonly Row[], limit, ({ seq }) => seq);
  return { items: page.items.map(strip), nextCursor: page.nextCursor };
}

/** The newest run of each provider. */
export async function lastRuns(db: Db): Promise<ReadonlyMap<ProviderKindName, RunView>> {
  const { rows } = await sql(db, `${SELECT} where r.seq in (select max(seq) from runs group by provider)`);
  return new Map(rows.map((row: Row) => [row.provider, strip(row)]));
}

function strip({ seq: _seq, ...run }: Row): RunView {
  return run;
}
