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

/**
 * Takes the link from somebody who is gone here and has left there: what becomes of it there is no business of theirs any
 * more. Answers what they were sent last, so that nothing of it stays with whoever comes; undefined when somebody has it still.
 */
export async function freeLink(
  db: Db,
  { appId, type, remoteId, by }: WantedLink,
): Promise<{ readonly sent: Record<string, unknown> } | undefined> {
  const { rows } = await sql<{ sent: Record<string, unknown> | null }>(
    db,
    `update deliveries f set remote_id = null, remote_etag = null, link = null, sent = null, gone_since = null, drift = null, state = 'idle',
       last_error = null, first_failed_at = null
     from (select d.app_id, d.resource_id, d.sent from deliveries d where ${HELD_BY_OTHERS} and ${HAS_LEFT} for update) held
     where f.app_id = held.app_id and f.resource_id = held.resource_id returning held.sent`,
    [appId, type, remoteId, by],
  );
  return rows[0] && { sent: rows[0].sent ?? {} };
}
