// One person of the mirror, by what people call them.
import type { ProviderKindName } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { type Db, sql } from './database.ts';

export interface MirrorPerson {
  readonly external_id: string;
  /** As the provider sent it. */
  readonly record: string;
}

/** Users that the provider shows by this id, name or address; at most two, since a second already is one too many. */
export async function findMirrorPeople(
  db: Db,
  provider: ProviderKindName,
  name: string,
): Promise<readonly MirrorPerson[]> {
  const handle = foldCase(name.trim());
  const { rows } = await sql(
    db,
    `select external_id, record from mirror_records where provider = ? and resource_type = 'User' and gone_at is null
       and (external_id = ? or handles && ?::text[]) order by external_id = ? desc, external_id limit 2`,
    [provider, name.trim(), [`name:${handle}`, `email:${handle}`], name.trim()],
  );
  return rows[0]?.external_id === name.trim() ? rows.slice(0, 1) : rows;
}

/** What the last whole read asked the source for each record; undefined while there was none, or nobody said. */
export async function readAsked(db: Db, provider: ProviderKindName): Promise<string | undefined> {
  const { rows } = await sql(db, 'select asked from mirror_state where provider = ?', [provider]);
  return rows[0]?.asked ?? undefined;
}

/** Notes what a whole read asked for, with the transaction that ends it. */
export async function noteAsked(db: Db, provider: ProviderKindName, asked: string | undefined): Promise<void> {
  await sql(db, 'update mirror_state set asked = ? where provider = ?', [asked ?? null, provider]);
}
