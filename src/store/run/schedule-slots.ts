// Slots of a schedule: whoever inserts the row of one starts its run, so none runs twice and a missed one is seen.
import { type Db, sql } from '../database.ts';

/** Answers whether it was this caller who took it. */
export async function claimSlot(db: Db, name: string, slot: Date, runId: string | null): Promise<boolean> {
  const insert = 'insert into schedule_slots (name, slot, run_id) values (?, ?, ?) on conflict do nothing';
  return (await sql(db, insert, [name, slot, runId])).rowCount === 1;
}

export async function isSlotClaimed(db: Db, name: string, slot: Date): Promise<boolean> {
  const { rows } = await sql(db, 'select 1 from schedule_slots where name = ? and slot = ?', [name, slot]);
  return rows.length > 0;
}

/** What became of a slot; undefined where no source was active when it was due. */
export async function readSlot(
  db: Db,
  name: string,
  slot: Date,
): Promise<{ readonly claimed: boolean; readonly runId: string | null; readonly startedAt: Date | null } | undefined> {
  const { rows } = await sql<{ claimed: boolean; runId: string | null; startedAt: Date | null }>(
    db,
    `select s.slot is not null as claimed, r.id as "runId", r.created_at as "startedAt"
     from provider_settings p
     left join schedule_slots s on s.name = ? and s.slot = ?
     left join runs r on r.id = s.run_id and r.trigger = 'catch-up'
     where p.active and p.activated_at < ?::timestamptz`,
    [name, slot, slot],
  );
  return rows[0];
}
