// Keys of names in the one spelling that nameKey() gives them. A migration has spelt all of them anew; replicas of the
// release before, which go on while the others are brought up to date, still write some in the old one.
import { nameKey } from '#core/names.ts';
import { type Db, sql } from '../database.ts';

/** That migration, and how long such replicas are reckoned with. */
const SPELT_BY = '20261127110000_compose_names.ts';
const RECKONED_WITH = '8 days';

/** The migration says the same. */
const IS_OTHER = `name_key ~ '[^\\x01-\\x7f]' and (name_key is not nfc normalized or name_key ~ '[\\u3000\\uff01-\\uffee]')`;

/**
 * Spells up to so many names anew, found in the indexes; answers how many, fewer than `limit` when there are no more. A
 * user name that somebody else has by now stays unique in its old spelling until it is written, which tells them.
 */
export async function spellNames(db: Db, limit: number): Promise<number> {
  if (!(await mayBeOthers(db))) return 0;
  const { rows } = await sql<{ name_key: string }>(
    db,
    `select distinct name_key from (
       select name_key from resources where resource_type = any('{User,Group}') and deleted_at is null and ${IS_OTHER}
       union all select name_key from resources where resource_type = any('{User,Group}') and deleted_at is not null and ${IS_OTHER}
       union all select name_key from mirror_records where ${IS_OTHER}
       union all select name_key from mirror_routes where ${IS_OTHER}) k order by name_key limit ?`,
    [limit],
  );
  const others = rows.map(({ name_key: before }) => [before, nameKey(before)] as const);
  const changed = others.filter(([before, after]) => before !== after);
  if (changed.length === 0) return 0;
  const spelt = [changed.map(([before]) => before), changed.map(([, after]) => after)];
  const from = 'unnest(?::text[], ?::text[]) as s(before, after)';
  await sql(
    db,
    `with s as materialized (select * from ${from})
     update resources r set unique_key = s.after from s where r.resource_type = 'User' and r.unique_key = s.before
       and not exists (select 1 from resources o where o.unique_key = s.after)
       and not exists (select 1 from resources o join s t on t.before = o.unique_key and t.after = s.after where o.pos < r.pos)`,
    spelt,
  );
  await sql(
    db,
    `update resources r set name_key = s.after from ${from} where r.resource_type = any('{User,Group}') and r.name_key = s.before`,
    spelt,
  );
  await sql(db, `update mirror_records m set name_key = s.after from ${from} where m.name_key = s.before`, spelt);
  await sql(
    db,
    `insert into mirror_routes (provider, name_key, name, external_id)
     select m.provider, s.after, m.name, m.external_id from mirror_routes m join ${from} on s.before = m.name_key on conflict do nothing`,
    spelt,
  );
  await sql(db, `delete from mirror_routes m using ${from} where m.name_key = s.before`, spelt);
  return changed.length;
}

async function mayBeOthers(db: Db): Promise<boolean> {
  const { rows } = await sql(
    db,
    `select 1 from knex_migrations where name = ? and migration_time > now() - interval '${RECKONED_WITH}'
       and current_setting('server_encoding') = 'UTF8'`,
    [SPELT_BY],
  );
  return rows.length > 0;
}
