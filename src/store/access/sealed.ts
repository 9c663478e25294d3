// Every place where something is sealed. What seals gets its place here.
import { type Db, sql } from '../database.ts';

interface Place {
  readonly name: string;
  /** Sealed texts by key, from after a key on, in order. */
  readonly read: string;
  /** Replaces one, unless somebody saved another meanwhile. */
  readonly write: string;
}

const READ_MAX = 100;

const PLACES: readonly Place[] = [
  column('provider_settings', 'kind', 'secrets'),
  column('apps', 'id', 'push_secrets'),
  column('event_streams', 'id', 'sealed'),
  column('signing_keys', 'kid', 'sealed'),
  member('notifications', 'sealed'),
  member('draft:%', 'secrets'),
  member('secret-key', 'sealed'),
];

/** Nothing else of the row changes: not its version, nor when somebody last saved it. */
function column(table: string, key: string, sealed: string): Place {
  return {
    name: `${table}.${sealed}`,
    read: `select ${key}::text as key, ${sealed} as sealed from ${table}
           where ${sealed} is not null and ${key}::text > ? order by ${key}::text limit ${READ_MAX}`,
    write: `update ${table} set ${sealed} = ? where ${key}::text = ? and ${sealed} = ?`,
  };
}

/** Within the value of a setting. */
function member(names: string, field: string): Place {
  const sealed = `value ->> '${field}'`;
  return {
    name: `settings ${names}`,
    read: `select name as key, ${sealed} as sealed from settings
           where name like '${names}' and ${sealed} is not null and name > ? order by name limit ${READ_MAX}`,
    write: `update settings set value = jsonb_set(value, '{${field}}', to_jsonb(?::text)) where name = ? and ${sealed} = ?`,
  };
}

/** One sealed text, and where it is. */
export interface Sealed {
  readonly place: string;
  readonly key: string;
  readonly sealed: string;
  /** Puts another in its place, unless somebody saved one meanwhile; nothing else of the row changes. Answers 1 or 0. */
  replace(fresh: string): Promise<number>;
}

/** All of them, some rows at a time. */
export async function* eachSealed(db: Db): AsyncGenerator<Sealed> {
  for (const { name: place, read, write } of PLACES)
    for (let after = ''; ; ) {
      const { rows } = await sql<{ key: string; sealed: string }>(db, read, [after]);
      for (const { key, sealed } of rows) {
        const replace = async (fresh: string): Promise<number> =>
          (await sql(db, write, [fresh, key, sealed])).rowCount ?? 0;
        yield { place, key, sealed, replace };
      }
      if (rows.length < READ_MAX) break;
      after = rows.at(-1)?.key ?? '';
    }
}
