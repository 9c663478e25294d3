// Logs of runs, in pieces of whole lines.
import { type Db, sql } from '../database.ts';

/** Appends a piece. A run that is gone meanwhile takes none. */
export async function appendRunLog(db: Db, runId: string, lines: string): Promise<void> {
  await sql(
    db,
    `insert into run_logs (run_id, seq, lines)
     select r.id, coalesce((select max(seq) from run_logs where run_id = r.id), 0) + 1, ? from runs r where r.id = ?`,
    [lines, runId],
  );
}

/** The size of what is kept of a run's log, in characters. */
export async function runLogSize(db: Db, runId: string): Promise<number> {
  const { rows } = await sql(db, 'select coalesce(sum(length(lines)), 0)::int as size from run_logs where run_id = ?', [
    runId,
  ]);
  return rows[0].size;
}

/** The pieces of a run's log in their order; none when it has no log. */
export async function readRunLog(db: Db, runId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ lines: string }>(db, 'select lines from run_logs where run_id = ? order by seq', [
    runId,
  ]);
  return rows.map(({ lines }) => lines);
}
