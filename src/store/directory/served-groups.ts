import type { Log } from '#platform/log.ts';
import { type Database, sql } from '../database.ts';
import { nameOf } from '../statement.ts';
import { idOf, madeGroups, type Served, type ServedRow, servedOf, type TextRow } from './served.ts';

/** The groups of users as SCIM answers them: stored when a user is read, so that the next read need not make them. */
export interface ServedGroups {
  /** The same rows with the groups of each user. Stores what it had to make, later and without being waited for. */
  complete<Row extends TextRow>(rows: readonly Row[]): Promise<readonly Row[]>;
  /** One row as it is answered. */
  serve(row: ServedRow, base: string): Promise<Served>;
  /** Resolves when nothing is under way. */
  stop(): Promise<void>;
}

/** The lock that the triggers of the memberships share, and that filling needs for itself. */
const FILL_LOCK = '7340032, 1';
/** Keeps one transaction, for which every writer of memberships waits, under about 10 ms. */
const TOGETHER_MAX = 100;
const WAITING_MAX = 10_000;

export function makeServedGroups(database: Database, log: Pick<Log, 'warn'>): ServedGroups {
  const waiting = new Set<string>();
  let running: Promise<void> | undefined;
  let stopped = false;

  function note(ids: readonly string[]): void {
    if (stopped || waiting.size > WAITING_MAX) return;
    for (const id of ids) waiting.add(id);
    running ??= run()
      .catch((error: unknown) => log.warn({ err: error }, 'groups not stored'))
      .finally(() => {
        running = undefined;
      });
  }

  async function run(): Promise<void> {
    while (waiting.size > 0 && !stopped) {
      const ids = [...waiting].slice(0, TOGETHER_MAX);
      for (const id of ids) waiting.delete(id);
      if (!(await fill(database, ids))) waiting.clear();
    }
  }

  async function complete<Row extends TextRow>(rows: readonly Row[]): Promise<readonly Row[]> {
    const lacking = rows.filter(({ related }) => related === null).map(idOf);
    if (lacking.length === 0) return rows;
    const made = await make(database, lacking);
    note(lacking);
    return rows.map((row) => (row.related === null ? { ...row, related: made.get(idOf(row)) ?? '' } : row));
  }

  return {
    complete,
    async serve(row, base) {
      const [whole = row] = await complete([row]);
      return servedOf(whole, base);
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
}

async function make(database: Database, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const text = `select p.id, ${madeGroups()} as text from unnest((select $1::uuid[])) as p(id)`;
  const { rows } = await database.query<{ id: string; text: string }>({ text, values: [ids], name: nameOf(text) });
  return new Map(rows.map((row) => [row.id, row.text]));
}

/** False while a membership is being written: what would be stored then might not hold after it. */
async function fill(database: Database, ids: readonly string[]): Promise<boolean> {
  return database.knex.transaction(async (tx) => {
    const { rows } = await sql<{ free: boolean }>(tx, `select pg_try_advisory_xact_lock(${FILL_LOCK}) as free`);
    if (rows[0]?.free !== true) return false;
    await sql(
      tx,
      `insert into served_groups (user_id, text) select p.id, ${madeGroups()} from unnest(?::uuid[]) as p(id)
       on conflict do nothing`,
      [ids],
    );
    return true;
  });
}
