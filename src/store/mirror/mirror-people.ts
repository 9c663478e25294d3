// One person of the mirror, by what people call them.
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { type Db, sql } from '../database.ts';

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

/** What the directory has of these, as JSON by external id: those that a sync has created. */
export async function readExisting(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  externalIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ external_id: string; body: string }>(
    db,
    `select external_id, body from resources where resource_type = ? and origin = ? and external_id = any(?::text[])
       and deleted_at is null`,
    [type, provider, externalIds],
  );
  return new Map(rows.map(({ external_id, body }) => [external_id, body]));
}

export interface KeptRecord {
  readonly external_id: string;
  readonly record: string;
  readonly digest: Buffer | null;
  /** Of the record by itself: null for one that only its memberships leave out. */
  readonly reason: string | null;
  readonly detail: string | null;
  readonly handles: readonly string[];
}

/** Records that the provider shows, in the order of their ids, after one of them. */
export async function readKept(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  { after, limit }: { after: string; limit: number },
): Promise<readonly KeptRecord[]> {
  const { rows } = await sql<KeptRecord>(
    db,
    `select external_id, record, digest, handles, case when body is null then reason end as reason,
       case when body is null then detail end as detail from mirror_records
     where provider = ? and resource_type = ? and external_id > ? and gone_at is null order by external_id limit ?`,
    [provider, type, after, limit],
  );
  return rows;
}

/** The mirror is as these settings have it: changes are read from the same checkpoint on. */
export async function moveCheckpoint(db: Db, provider: ProviderKindName, configVersion: string): Promise<void> {
  await sql(db, 'update mirror_state set checkpoint_config = ? where provider = ? and checkpoint is not null', [
    configVersion,
    provider,
  ]);
}
