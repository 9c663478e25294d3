// User names in a plan: who loses one that two want, and who gives one up to somebody new.
import { type Db, sql } from '../database.ts';
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

/** A planned user whose user name somebody else has now, or who is to lose it to another record. */
export interface NameClash {
  readonly seq: string;
  readonly external_id: string;
  /** The user name that the provider shows. */
  readonly name: string;
  /** Is here and has not left: whatever becomes of the name, the other attributes need not wait for it. */
  readonly stays: boolean;
  readonly before: string | null;
  readonly after: string;
  /** What was last written of the provider's. */
  readonly written: Buffer | null;
  readonly same_manager: boolean;
  readonly holder: NameHolder | null;
}

/** Whoever has the name now. */
export interface NameHolder {
  readonly id: string;
  readonly origin: string;
  readonly external_id: string | null;
  readonly version: string;
  readonly body: string;
  readonly left: boolean;
  /** Of the plan's item that changes it. */
  readonly seq: string | null;
  readonly action: 'update' | 'deactivate' | 'delete' | null;
  /** The body that this item leaves. */
  readonly after: string | null;
}

/** In the order of the plan. A first run, which finds nobody here, is spared the look. */
export async function findNameClashes(
  db: Db,
  { planId, provider }: Planning,
  duplicates: readonly string[],
): Promise<readonly NameClash[]> {
  const { rows } = await sql<NameClash>(
    db,
    `select i.seq, i.external_id, m.body::jsonb ->> 'userName' as name, i.before, i.after, own.digest as written,
       i.action = 'update' and i.reason in ('AttributesChanged', 'SourceDisabled') and i.before_left_at is null as stays,
       m.manager_external_id is null and own.manager_id is null
         or exists (select 1 from resources boss where boss.id = own.manager_id and boss.resource_type = 'User'
           and boss.origin = m.provider and boss.external_id = m.manager_external_id)
         or own.manager_id is null and not exists (select 1 from resources boss where boss.resource_type = 'User'
           and boss.origin = m.provider and boss.external_id = m.manager_external_id and boss.deleted_at is null)
         and not exists (select 1 from plan_items born where born.plan_id = i.plan_id
           and born.external_id = m.manager_external_id and born.action = 'create') as same_manager,
       case when r.id is not null then jsonb_build_object('id', r.id, 'origin', r.origin, 'external_id', r.external_id,
         'version', r.version::text, 'body', r.body, 'left', r.left_at is not null, 'seq', h.seq::text,
         'action', h.action, 'after', h.after) end as holder
     from plan_items i
     join mirror_records m on m.provider = ? and m.resource_type = 'User' and m.external_id = i.external_id
     left join resources r on r.unique_key = m.name_key and r.id <> i.resource_id
     left join resources own on own.id = i.resource_id and i.action = 'update'
     left join plan_items h on h.plan_id = i.plan_id and h.resource_id = r.id and h.action in ('update', 'deactivate', 'delete')
     where i.plan_id = ? and i.resource_type = 'User' and i.action in ('create', 'update') and i.reason <> 'LinkLost'
       and (r.id is not null or i.external_id = any(?::text[]))
       and (cardinality(?::text[]) > 0 or exists (select 1 from resources where unique_key is not null)) order by i.seq`,
    [provider, planId, duplicates, duplicates],
  );
  return rows;
}

/** Leaves out an item, and says why. */
export async function skipItem(
  db: Db,
  planId: string,
  seq: string,
  { reason, detail }: { readonly reason: string; readonly detail: string },
): Promise<void> {
  await sql(
    db,
    `update plan_items set action = 'skip', class = null, reason = ?, detail = ?, outcome = 'skipped', outcome_at = now()
     where plan_id = ? and seq = ?`,
    [reason, detail, planId, seq],
  );
}

/** Everything but the user name is changed. */
export async function holdName(
  db: Db,
  planId: string,
  seq: string,
  { after, digest, detail }: { readonly after: string; readonly digest: Buffer; readonly detail: string },
): Promise<void> {
  await sql(
    db,
    `update plan_items set reason = 'NameHeld', detail = ?, after = ?, after_digest = ? where plan_id = ? and seq = ?`,
    [detail, after, digest, planId, seq],
  );
}

export async function changeAfter(db: Db, planId: string, seq: string, after: string): Promise<void> {
  await sql(db, 'update plan_items set after = ? where plan_id = ? and seq = ?', [after, planId, seq]);
}

/** An account that left gives up its user name to somebody new. */
export async function planNameRelease(
  db: Db,
  { planId }: Planning,
  { offset, holder, after, label }: { offset: number; holder: NameHolder; after: string; label: string },
): Promise<void> {
  await sql(
    db,
    `insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, base_version, before,
       after, attributes, before_left_at)
     select ?, ?, 'update', 'update', 'User', id, ?, ?, 'NameReleased', ?, ?, ?, array['userName'], left_at from resources where id = ?`,
    [planId, offset + 1, holder.external_id, label, holder.version, holder.body, after, holder.id],
  );
}
