// How much a provider that writes to us has taken away lately, and what of it waits for a person.
import type { OperationClass } from '#core/guard-reasons.ts';
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { type Where, withQuestionMarks } from '../statement.ts';

/** The widest window that settings may ask for. */
const KEPT_HOURS = 24;

/** A number of ours among advisory locks; a row that runs write too would let the two wait for each other. */
const REMOVALS_LOCK = '7340032, 2';

/** One removal after the other from here to the end of the transaction, so that two cannot both be the last allowed. */
export async function lockRemovals(tx: Db): Promise<void> {
  await sql(tx, `select pg_advisory_xact_lock(${REMOVALS_LOCK})`);
}

export interface Removal {
  readonly class: 'remove' | 'membership';
  readonly type: ResourceType;
  /** The resource, or of memberships the group. */
  readonly id: string;
  readonly count: number;
}

export interface Taken {
  /** Removals, or memberships, within the window. */
  readonly all: number;
  /** Of them, those of the same type; of memberships, those of this group. */
  readonly same: number;
}

/** What was taken away within the last minutes without anybody having approved it. */
export async function countTaken(tx: Db, removal: Removal, minutes: number): Promise<Taken> {
  const { rows } = await sql<Taken>(
    tx,
    `select coalesce(sum(count), 0)::int as all, coalesce(sum(count) filter (where
         case class when 'remove' then resource_type = ? else resource_id = ?::uuid end), 0)::int as same
     from push_removals where class = ? and at > clock_timestamp() - make_interval(mins => ?)`,
    [removal.type, removal.id, removal.class, minutes],
  );
  return rows[0] ?? { all: 0, same: 0 };
}

export async function noteRemoval(tx: Db, removal: Removal): Promise<void> {
  await sql(tx, 'delete from push_removals where at < now() - make_interval(hours => ?)', [KEPT_HOURS]);
  await sql(tx, 'insert into push_removals (class, resource_type, resource_id, count) values (?, ?, ?, ?)', [
    removal.class,
    removal.type,
    removal.id,
    removal.count,
  ]);
}

/** What the provider owns: what shares are taken of. Users who left are none of it. */
export interface Owned {
  readonly users: number;
  readonly groups: number;
  readonly memberships: number;
}

export async function countOwned(tx: Db): Promise<Owned> {
  const { rows } = await sql<Owned>(
    tx,
    `select count(*) filter (where resource_type = 'User' and left_at is null)::int as users,
       count(*) filter (where resource_type = 'Group')::int as groups,
       coalesce(sum(member_count), 0)::int as memberships
     from resources where resource_type in ('User', 'Group') and origin = 'scim' and external_id is not null and deleted_at is null`,
  );
  return rows[0] ?? { users: 0, groups: 0, memberships: 0 };
}

/** How many members these changes would take from a group, and how many it has. */
export async function countLosses(
  tx: Db,
  group: string,
  changes: readonly { readonly kind: 'add' | 'remove' | 'replace'; readonly ids: readonly string[] }[],
): Promise<{ readonly members: number; readonly lost: number }> {
  const kept = changes.findLast(({ kind }) => kind === 'replace');
  const gone = changes.flatMap(({ kind, ids }) => (kind === 'remove' ? ids : []));
  const { rows } = await sql<{ members: number; lost: number }>(
    tx,
    `select r.member_count as members, (select count(*)::int from group_members m where m.group_id = r.id
       and (m.member_id = any(?::uuid[]) or ?::uuid[] is not null and m.member_id <> all(?::uuid[]))) as lost
     from resources r where r.id = ?::uuid`,
    [gone, kept?.ids ?? null, kept?.ids ?? null, group],
  );
  return rows[0] ?? { members: 0, lost: 0 };
}

/** Whether the guard's `protect` names it. The clause is on `resources r`. */
export async function isNamed(tx: Db, id: string, where: Where): Promise<boolean> {
  const { text, values } = withQuestionMarks(where);
  const { rows } = await sql(tx, `select 1 from resources r where r.id = ?::uuid and (${text})`, [id, ...values]);
  return rows.length > 0;
}

/** What the newest plan that shows it says of a wish: it waits, or somebody has said no. */
export async function findDecision(
  tx: Db,
  id: string,
  of: OperationClass,
): Promise<{ readonly planId: string; readonly outcome: 'held' | 'rejected' } | undefined> {
  const { rows } = await sql<{ planId: string; outcome: 'held' | 'rejected' }>(
    tx,
    `select p.id as "planId", i.outcome from plan_items i join plans p on p.id = i.plan_id
     where i.resource_id = ?::uuid and i.class = ? and p.provider = 'scim' and p.reverts is null
       and (p.status = 'held' and p.expires_at > now() and i.outcome = 'held' or p.status = 'rejected' and i.outcome = 'rejected')
     order by p.created_at desc limit 1`,
    [id, of],
  );
  return rows[0];
}

/** A wish was taken back: no plan that waits carries it out any more. */
export async function withdrawWish(tx: Db, id: string, of: OperationClass): Promise<void> {
  await sql(
    tx,
    `update plan_items i set outcome = 'stale', outcome_at = now(), held = false, error = 'StalePlan' from plans p
     where p.id = i.plan_id and p.provider = 'scim' and p.status = 'held' and i.resource_id = ?::uuid and i.class = ? and i.outcome = 'held'`,
    [id, of],
  );
}

export async function noteWish(tx: Db): Promise<void> {
  await sql(tx, 'insert into push_wishes default values');
}

/** A run that plans from here on shows what was held until now. */
export async function takeWishes(db: Db): Promise<void> {
  await sql(db, 'delete from push_wishes');
}

/** Whether a write was held since, so that another run must show it. */
export async function hasWishes(db: Db): Promise<boolean> {
  const { rows } = await sql(db, 'select 1 from push_wishes limit 1');
  return rows.length > 0;
}

/** Notes that the provider writes; once a second is enough. */
export async function noteWrite(db: Db): Promise<void> {
  await sql(
    db,
    `insert into mirror_state as s (provider, written_at, read_at) values ('scim', now(), now()) on conflict (provider)
     do update set written_at = excluded.written_at, read_at = excluded.read_at
     where s.written_at is null or s.written_at < now() - interval '1 second'`,
  );
}

export async function readWrittenAt(db: Db): Promise<Date | null> {
  const { rows } = await sql<{ at: Date | null }>(
    db,
    `select written_at as at from mirror_state where provider = 'scim'`,
  );
  return rows[0]?.at ?? null;
}
