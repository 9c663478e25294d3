// Keys of names in one spelling: composed, and without characters of double or half width (RFC 8265 section 3.3, which
// RFC 7644 section 5 asks for). Only names that are spelt otherwise are written; they are found in the indexes.
import type { Knex } from 'knex';

/** Of a key that is folded already. */
const SPELT = `normalize((select string_agg(case when c.sign ~ '[\\u3000\\uff01-\\uffee]' then normalize(c.sign, NFKC) else c.sign end, '' order by c.place)
  from regexp_split_to_table(k.name_key, '') with ordinality as c(sign, place)), NFC)`;
const IS_OTHER = `name_key ~ '[^\\x01-\\x7f]' and (name_key is not nfc normalized or name_key ~ '[\\u3000\\uff01-\\uffee]')`;

export async function up(knex: Knex): Promise<void> {
  const { rows } = await knex.raw<{ rows: { encoding: string }[] }>(
    `select current_setting('server_encoding') as encoding`,
  );
  // Others know no composition; the doctor asks for a database in UTF-8.
  if (rows[0]?.encoding !== 'UTF8') return;
  await knex.raw(`
    create temporary table spelt on commit drop as
      select k.name_key, ${SPELT} as key from (
        select name_key from resources where resource_type = any('{User,Group}') and deleted_at is null and ${IS_OTHER}
        union select name_key from resources where resource_type = any('{User,Group}') and deleted_at is not null and ${IS_OTHER}
        union select name_key from mirror_records where ${IS_OTHER}
        union select name_key from mirror_routes where ${IS_OTHER}) k;
    analyze spelt;
    -- Of several who have the same name now the first keeps it. The others keep theirs until they are written, which tells them.
    update resources r set unique_key = s.key from spelt s
      where r.resource_type = 'User' and r.unique_key = s.name_key
        and not exists (select 1 from resources o where o.unique_key = s.key)
        and not exists (select 1 from resources o join spelt t on t.name_key = o.unique_key and t.key = s.key where o.pos < r.pos);
    update resources r set name_key = s.key from spelt s
      where r.resource_type = any('{User,Group}') and r.name_key = s.name_key;
    update mirror_records m set name_key = s.key from spelt s where m.name_key = s.name_key;
    insert into mirror_routes (provider, name_key, name, external_id)
      select m.provider, s.key, m.name, m.external_id from mirror_routes m join spelt s on s.name_key = m.name_key on conflict do nothing;
    delete from mirror_routes m using spelt s where m.name_key = s.name_key;
    comment on column resources.name_key is 'userName or displayName as names compare: folded and composed by the application.';
  `);
}

/** The release before looks names up as they are spelt; whoever is spelt otherwise is found again once it is written. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(
    `comment on column resources.name_key is 'Case-folded userName or displayName, folded by the application.'`,
  );
}
