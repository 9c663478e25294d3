// Links of those who are gone here, for whoever comes after them under the same name.
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from './database.ts';

/** A resource there, and whoever of ours wants it. */
export interface WantedLink {
  readonly appId: string;
  readonly type: ResourceType;
  readonly remoteId: string;
  readonly by: string;
}

/** `gone` here, and has left there; `leaving` is about to; `stays` is here, or nobody has it. */
export type Holder = 'gone' | 'leaving' | 'stays';

const HELD_BY_OTHERS = `d.app_id = ? and d.resource_type = ? and d.remote_id = ? and d.resource_id <> ?
  and not exists (select 1 from resources r where r.id = d.resource_id and r.deleted_at is null)`;
const HAS_LEFT = `d.gone_since is not null and d.state <> 'held'
  and not exists (select 1 from delivery_claims c where c.app_id = d.app_id and c.resource_id = d.resource_id)`;

/** What has become here of whoever is linked to it. */
export async function holderOf(db: Db, { appId, type, remoteId, by }: WantedLink): Promise<Holder> {
  const { rows } = await sql<{ left: boolean }>(
    db,
    `select ${HAS_LEFT} as left from deliveries d where ${HELD_BY_OTHERS}`,
    [appId, type, remoteId, by],
  );
  if (rows[0] === undefined) return 'stays';
  return rows[0].left ? 'gone' : 'leaving';
}

/** Takes the link from somebody who is gone here and has left there: what becomes of it there is no business of theirs any more. */
export async function freeLink(db: Db, { appId, type, remoteId, by }: WantedLink): Promise<boolean> {
  const { rowCount } = await sql(
    db,
    `update deliveries d set remote_id = null, remote_etag = null, link = null, sent = null, gone_since = null, drift = null, state = 'idle',
       last_error = null, first_failed_at = null
     where ${HELD_BY_OTHERS} and ${HAS_LEFT}`,
    [appId, type, remoteId, by],
  );
  return rowCount === 1;
}
