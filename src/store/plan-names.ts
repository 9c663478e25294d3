// User names in a plan: who loses one that two want, and who gives one up to somebody new.
import { type Db, sql } from './database.ts';
import type { Planning } from './planning.ts';

/** Users of the mirror that lose their user name to another one: the holder wins, then the smaller id. */
export async function findDuplicates(
  db: Db,
  { provider, touched = false }: Pick<Planning, 'provider' | 'touched'>,
): Promise<readonly string[]> {
  const looked = touched
    ? `and name_key in (select n.name_key from plan_touched t join mirror_records n on n.provider = ?
         and n.resource_type = 'User' and n.external_id = t.external_id where t.resource_type = 'User')`
    : '';
  const { rows } = await sql(
    db,
    `with doubled as (
       select name_key from mirror_records
       where provider = ? and resource_type = 'User' and gone_at is null and reason is null ${looked}
       group by name_key having count(*) > 1),
     ranked as (
       select m.external_id, row_number() over (partition by m.name_key
         order by (r.id is not null and r.unique_key = m.name_key) desc, m.external_id) as place
       from doubled d
       join mirror_records m on m.name_key = d.name_key and m.provider = ? and m.resource_type = 'User'
         and m.gone_at is null and m.reason is null
       left join resources r on r.resource_type = 'User' and r.origin = m.provider and r.external_id = m.external_id
         and r.deleted_at is null)
     select external_id from ranked where place > 1`,
    [provider, ...(touched ? [provider] : []), provider],
  );
  return rows.map((row: { external_id: string }) => row.external_id);
}

/** A planned user whose user name is held by somebody else now. */
export interface NameClash {
  readonly seq: string;
  readonly holder_id: string;
  readonly holder_origin: string;
  readonly holder_external_id: string | null;
  readonly holder_version: string;
  readonly holder_body: string;
  readonly holder_left: boolean;
  /** Still here, though the provider no longer shows it in scope, and nothing keeps it as it is. */
  readonly holder_kept: boolean;
  readonly holder_seq: string | null;
  readonly holder_action: string | null;
}

export async function findNameClashes(db: Db, { planId, provider }: Planning): Promise<readonly NameClash[]> {
  const { rows } = await sql(
    db,
    `select i.seq, r.id as holder_id, r.origin as holder_origin, r.external_id as holder_external_id,
       r.version as holder_version, r.body as holder_body, r.left_at is not null as holder_left, h.seq as holder_seq,
       h.action as holder_action,
       not exists (select 1 from mirror_records k where k.provider = r.origin and k.resource_type = 'User'
           and k.external_id = r.external_id and k.gone_at is null and k.reason is null)
         and not exists (select 1 from pins n where n.provider = r.origin and n.resource_id = r.id) as holder_kept
     from plan_items i
     join mirror_records m on m.provider = ? and m.resource_type = 'User' and m.external_id = i.external_id
     join resources r on r.unique_key = m.name_key and r.id <> i.resource_id
     left join plan_items h on h.plan_id = i.plan_id and h.resource_id = r.id and h.action in ('update', 'deactivate', 'delete')
     where i.plan_id = ? and i.resource_type = 'User' and i.action in ('create', 'update') order by i.seq`,
    [provider, planId],
  );
  return rows;
}

export async function skipItem(db: Db, planId: string, seq: string, reason: string): Promise<void> {
  await sql(
    db,
    `update plan_items set action = 'skip', class = null, reason = ?, outcome = 'skipped', outcome_at = now() where plan_id = ? and seq = ?`,
    [reason, planId, seq],
  );
}

export async function changeAfter(db: Db, planId: string, seq: string, after: string): Promise<void> {
  await sql(db, 'update plan_items set after = ? where plan_id = ? and seq = ?', [after, planId, seq]);
}

export interface NameRelease {
  readonly offset: number;
  readonly clash: NameClash;
  readonly after: string;
  /** Of an account that stays; null for one that left. */
  readonly afterDigest: Buffer | null;
  readonly label: string;
}

/** An account that left, or is only kept, gives up its user name to somebody who is there. */
export async function planNameRelease(
  db: Db,
  { planId }: Planning,
  { offset, clash, after, afterDigest, label }: NameRelease,
): Promise<void> {
  await sql(
    db,
    `insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, base_version, before,
       after, after_digest, attributes, before_left_at)
     select ?, ?, 'update', 'update', 'User', id, ?, ?, 'NameReleased', ?, ?, ?, ?::bytea, array['userName'], left_at from resources where id = ?`,
    [
      planId,
      offset + 1,
      clash.holder_external_id,
      label,
      clash.holder_version,
      clash.holder_body,
      after,
      afterDigest,
      clash.holder_id,
    ],
  );
}
