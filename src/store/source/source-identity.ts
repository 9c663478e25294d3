// Which source the resources of a provider are linked to.
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

/** Undefined while nothing of it was applied, or the source does not tell. */
export async function readSource(db: Db, provider: ProviderKindName): Promise<string | undefined> {
  const { rows } = await sql(db, 'select source_identity from provider_settings where kind = ?', [provider]);
  return rows[0]?.source_identity ?? undefined;
}

export async function noteSource(db: Db, runId: string, identity: string): Promise<void> {
  await sql(db, 'update runs set source_identity = ? where id = ?', [identity, runId]);
}

/**
 * The source that this run read is the one that the provider's resources are linked to.
 * @param over whether the whole plan was carried out; a part of it counts only while no source is known
 */
export async function rememberSource(db: Db, runId: string, { over }: { over: boolean }): Promise<void> {
  await sql(
    db,
    `update provider_settings p set source_identity = r.source_identity from runs r
     where r.id = ? and p.kind = r.provider and r.source_identity is not null and (p.source_identity is null or ?)`,
    [runId, over],
  );
}
