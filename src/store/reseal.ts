// Every place where something is sealed, and how it is sealed anew when SECRET_KEY changes. What seals gets its place here.
import type { Seal } from '#platform/seal.ts';
import { type Db, sql } from './database.ts';

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

export interface Resealed {
  /** Sealed with the present key by this call. */
  readonly resealed: number;
  /** That already were. */
  readonly current: number;
  /** What no key that is known here opens: it stays as it is. */
  readonly unopened: readonly { readonly place: string; readonly key: string }[];
}

/**
 * Seals with the present key whatever another one has sealed. Gateways may be running: each text is replaced by itself,
 * and only if it is still the one that was read; whoever breaks off goes on with the next call, and a call that finds
 * nothing to do changes nothing.
 */
export async function reseal(db: Db, seal: Seal): Promise<Resealed> {
  let [resealed, current] = [0, 0];
  const unopened: { place: string; key: string }[] = [];
  for (const place of PLACES)
    for await (const { key, sealed } of textsOf(db, place)) {
      const fresh = seal.isCurrent(sealed) ? undefined : sealedAnew(seal, sealed);
      if (seal.isCurrent(sealed)) current += 1;
      else if (fresh === undefined) unopened.push({ place: place.name, key });
      else resealed += (await sql(db, place.write, [fresh, key, sealed])).rowCount ?? 0;
    }
  return { resealed, current, unopened };
}

async function* textsOf(db: Db, { read }: Place): AsyncGenerator<{ readonly key: string; readonly sealed: string }> {
  for (let after = ''; ; ) {
    const { rows } = await sql<{ key: string; sealed: string }>(db, read, [after]);
    yield* rows;
    if (rows.length < READ_MAX) return;
    after = rows.at(-1)?.key ?? '';
  }
}

function sealedAnew(seal: Seal, sealed: string): string | undefined {
  try {
    return seal.seal(seal.open(sealed));
  } catch {
    return undefined;
  }
}
