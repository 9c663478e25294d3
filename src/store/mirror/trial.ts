// Looking at the mirror through other settings, inside one transaction: what is tried is taken back before it ends, and
// nobody else sees it.
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import type { MirrorRecord } from './mirror.ts';

/** A live record, and what it has come to so far. */
export interface TriedRecord {
  readonly resource_type: ResourceType;
  readonly external_id: string;
  readonly record: string;
  readonly record_digest: Buffer;
  readonly body: string | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly memberships: string | null;
  readonly routes: readonly string[] | null;
}

const TRIED = 'body, digest, name_key, manager_external_id, reason, detail, memberships, routes, affiliation_path';

/** Keeps what a plan may change beside itself. Call it before anything is tried. */
export async function beginTrial(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(
    db,
    `create temporary table trial_records on commit drop as
     select resource_type, external_id, ${TRIED} from mirror_records where false`,
  );
  await sql(db, `create temporary table trial_disputes on commit drop as select * from disputes where provider = ?`, [
    provider,
  ]);
}

/** The next records in order; none at the end. */
export async function nextToTry(
  db: Db,
  provider: ProviderKindName,
  { after, limit }: { after: { readonly type: string; readonly id: string }; limit: number },
): Promise<readonly TriedRecord[]> {
  const { rows } = await sql<TriedRecord>(
    db,
    `select resource_type, external_id, record, record_digest, body, reason, detail, memberships, routes from mirror_records
     where provider = ? and (resource_type, external_id) > (?, ?) and gone_at is null
     order by resource_type, external_id limit ?`,
    [provider, after.type, after.id, limit],
  );
  return rows;
}

/** Puts other contents in place of what these records came to. */
export async function tryRecords(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  records: readonly MirrorRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const ids = records.map(({ external_id }) => external_id);
  await sql(
    db,
    `insert into trial_records select resource_type, external_id, ${TRIED} from mirror_records
     where provider = ? and resource_type = ? and external_id = any(?::text[])`,
    [provider, type, ids],
  );
  await sql(
    db,
    `update mirror_records m set body = r.body, digest = decode(r.digest, 'hex'), name_key = r.name_key,
       manager_external_id = r.manager_external_id, reason = r.reason, detail = r.detail, memberships = r.memberships,
       routes = r.routes, affiliation_path = null
     from jsonb_to_recordset(?::jsonb) as r(external_id text, body text, digest text, name_key text,
       manager_external_id text, reason text, detail text, memberships text, routes text[])
     where m.provider = ? and m.resource_type = ? and m.external_id = r.external_id`,
    [
      JSON.stringify(records.map((record) => ({ ...record, digest: record.digest?.toString('hex') ?? null }))),
      provider,
      type,
    ],
  );
}

/** Puts back what was there. Scope by memberships is decided anew after it, by the settings that are saved. */
export async function endTrial(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(
    db,
    `update mirror_records m set body = t.body, digest = t.digest, name_key = t.name_key,
       manager_external_id = t.manager_external_id, reason = t.reason, detail = t.detail, memberships = t.memberships,
       routes = t.routes, affiliation_path = t.affiliation_path
     from trial_records t where m.provider = ? and m.resource_type = t.resource_type and m.external_id = t.external_id`,
    [provider],
  );
  await sql(db, 'delete from disputes where provider = ?', [provider]);
  await sql(db, 'insert into disputes overriding system value select * from trial_disputes');
}

/** Of these groups those whose members the mirror does not know. */
export async function findUnread(
  db: Db,
  provider: ProviderKindName,
  groups: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>(
    db,
    `select id from unnest(?::text[]) as g(id) where not exists (select 1 from mirror_records m where m.provider = ?
       and m.resource_type = 'Group' and m.external_id = g.id and m.gone_at is null and m.members_digest is not null)`,
    [groups, provider],
  );
  return rows.map(({ id }) => id);
}
