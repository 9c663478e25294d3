import { writeAudit } from '../access/audit.ts';
import { type Db, sql } from '../database.ts';

/** Below every transaction that a server ever gives a number. Source: PostgreSQL, access/transam.h, FirstNormalTransactionId. */
const BEFORE_ALL = '2';

/**
 * After a restore or a move to another server: when that one has not yet come as far in counting transactions, new changes
 * would be put before old ones, and readers who have passed those would never see them. Then all that is stored comes
 * before whatever this server does, in the order in which it was written; the places of targets and streams move along;
 * and cursors of consumers expire, so that they begin again with a snapshot. Answers whether it was so. Nobody else may
 * be at work meanwhile, which no process of the other server can be.
 */
export async function adoptJournal(tx: Db): Promise<boolean> {
  // A row that can be seen was written by a transaction below xmax: one that was not is of another server.
  const { rows } = await sql<{ foreign: boolean }>(
    tx,
    `with here as (select pg_snapshot_xmax(pg_current_snapshot()) as next)
     select exists (select 1 from changes, here where xid >= here.next)
       or exists (select 1 from journal, here where trimmed_xid >= here.next)
       or exists (select 1 from targets, here where place_xid > here.next)
       or exists (select 1 from event_streams, here where place_xid > here.next or scanned_xid > here.next) as foreign`,
  );
  if (rows[0]?.foreign !== true) return false;
  await sql(
    tx,
    `update targets set place_seq = ${before('place')}, place_xid = '${BEFORE_ALL}' where place_xid is not null`,
  );
  await sql(
    tx,
    `update event_streams set place_seq = ${before('place')}, scanned_seq = ${before('scanned')},
       place_xid = '${BEFORE_ALL}', scanned_xid = '${BEFORE_ALL}',
       settles_xid = case when settles_xid is not null then '${BEFORE_ALL}'::xid8 end`,
  );
  await sql(tx, `insert into journal (trimmed_xid, trimmed_seq) values ('0', 0) on conflict do nothing`);
  await sql(
    tx,
    `update journal set trimmed_seq = case when trimmed_xid = '0' then 0 else ${before('trimmed')} end, epoch = epoch + 1,
       trimmed_xid = case when trimmed_xid = '0' then '0'::xid8 else '${BEFORE_ALL}' end`,
  );
  await sql(tx, `update changes set xid = '${BEFORE_ALL}'`);
  await writeAudit(tx, { actor: 'migrate', action: 'journal.adopted' });
  return true;
}

/** The place before the first change that comes after the old place, in the order of writing. */
function before(place: 'place' | 'scanned' | 'trimmed'): string {
  return `coalesce((select min(c.seq) - 1 from changes c where (c.xid, c.seq) > (${place}_xid, ${place}_seq)),
    (select max(seq) from changes), 0)`;
}
