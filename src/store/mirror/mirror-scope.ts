// Who the mirror has, in scope or not: what other settings are tried on.
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export interface ScopedRecord {
  readonly external_id: string;
  readonly record: string;
  readonly in_scope: boolean;
  readonly reason: string | null;
}

/** Users that are not gone, in the order of their ids, after one. */
export async function pageOfScoped(
  db: Db,
  provider: ProviderKindName,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly ScopedRecord[]> {
  const { rows } = await sql<ScopedRecord>(
    db,
    `select external_id, record, body is not null as in_scope, reason from mirror_records
     where provider = ? and resource_type = 'User' and gone_at is null and external_id > ? order by external_id limit ?`,
    [provider, after, limit],
  );
  return rows;
}
