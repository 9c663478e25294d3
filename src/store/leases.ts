import { type Db, sql } from './database.ts';

/** The right to do periodic work for a while. `fence` grows at every change of hands. */
export interface Lease {
  readonly name: string;
  readonly owner: string;
  readonly fence: string;
}

/** The lease went to somebody else; whatever holds this must stop and write nothing more. */
export class LeaseLostError extends Error {
  constructor(name: string) {
    super(`lease "${name}" went to another process`);
    this.name = 'LeaseLostError';
  }
}

/** A lease that ends later than this many of its lives from now is of a clock that was set back since: its end is not waited for. */
const LIVES_MOST = 3;

/**
 * Takes or renews a lease by the database's clock. Answers undefined while somebody else holds it: it only looks then, and
 * does not stand in line for the row, where it would be in front of its holder's own renewal.
 */
export async function takeLease(db: Db, name: string, owner: string, ttlMs: number): Promise<Lease | undefined> {
  const seconds = ttlMs / 1000;
  const { rows } = await sql(
    db,
    `insert into leases as l (name, owner, fence, expires_at)
     select ?::text, ?::text, 1, clock_timestamp() + make_interval(secs => ?)
     where not exists (select 1 from leases h where h.name = ? and h.owner <> ? and h.expires_at >= clock_timestamp()
       and h.expires_at <= clock_timestamp() + make_interval(secs => ?))
     on conflict (name) do update set owner = excluded.owner, expires_at = excluded.expires_at,
       fence = l.fence + (l.owner <> excluded.owner or l.expires_at < clock_timestamp())::int
     where l.expires_at < clock_timestamp() or l.owner = excluded.owner
       or l.expires_at > clock_timestamp() + make_interval(secs => ?) returning fence`,
    [name, owner, seconds, name, owner, LIVES_MOST * seconds, LIVES_MOST * seconds],
  );
  return rows[0] === undefined ? undefined : { name, owner, fence: rows[0].fence };
}

/**
 * Keeps a lease for longer. A transaction that took longer than the lease has kept everybody else waiting, this
 * included; nobody having come in between, it is still ours. Answers false when somebody has.
 */
export async function renewLease(db: Db, { name, owner, fence }: Lease, ttlMs: number): Promise<boolean> {
  const { rowCount } = await sql(
    db,
    `update leases set expires_at = clock_timestamp() + make_interval(secs => ?) where name = ? and owner = ? and fence = ?`,
    [ttlMs / 1000, name, owner, fence],
  );
  return rowCount === 1;
}

/**
 * A process that was stopped, or whose machine is gone, in the middle of such a write keeps whoever takes over waiting for
 * this long, and then its transaction is undone. As long as the leases of a run and of a target last.
 */
const IDLE_MS = 10_000;

/**
 * The first statement of every write that the lease protects. `for share` makes a takeover wait for this transaction.
 * `soon` does not make it wait for the disk: for what is done again when the database itself was cut off.
 * @throws {LeaseLostError} somebody else has it, or had it in between
 */
export async function checkFence(db: Db, lease: Lease, durability: 'durable' | 'soon' = 'durable'): Promise<void> {
  const soon = durability === 'soon' ? `, set_config('synchronous_commit', 'off', true)` : '';
  const { rows } = await sql(
    db,
    `select set_config('idle_in_transaction_session_timeout', '${IDLE_MS}', true)${soon} from leases
     where name = ? and owner = ? and fence = ? for share`,
    [lease.name, lease.owner, lease.fence],
  );
  if (rows.length === 0) throw new LeaseLostError(lease.name);
}

/** Gives a lease back at once, if it is still ours. */
export async function giveBackLease(db: Db, lease: Lease): Promise<void> {
  await sql(db, `update leases set expires_at = '-infinity' where name = ? and owner = ? and fence = ?`, [
    lease.name,
    lease.owner,
    lease.fence,
  ]);
}

/** On embedded storage no other process can live: what a killed one held is free. */
export async function freeAllLeases(db: Db): Promise<void> {
  await sql(db, `update leases set expires_at = '-infinity'`);
}
