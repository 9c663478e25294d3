// Links and names that somebody gives up at a target, for whoever comes after them under the same name.
import { nameKey } from '#core/names.ts';
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { onTheirWay } from './delivery-claims.ts';

/** A resource there, and whoever of ours wants it. */
export interface WantedLink {
  readonly appId: string;
  readonly type: ResourceType;
  readonly remoteId: string;
  readonly by: string;
}

/** `gone` here, and has left there; `leaving` is about to, `held` when a person lets them; `stays` is here, or is to stay there, or nobody has it. */
export type Holder = 'gone' | 'leaving' | 'held' | 'stays';

const LINKED = 'd.app_id = ? and d.resource_type = ? and d.remote_id = ? and d.resource_id <> ?';
const IS_HERE = 'exists (select 1 from resources r where r.id = d.resource_id and r.deleted_at is null)';
const IS_GONE = `d.gone_since is not null and d.state <> 'held'`;
const HAS_LEFT = `${IS_GONE}
  and not exists (select 1 from delivery_claims c where c.app_id = d.app_id and c.resource_id = d.resource_id)`;

/** A person wants it to stay there. */
const IS_KEPT = `d.state = 'idle' and d.last_action = 'kept' and d.gone_since is null`;

/** What has become here of whoever is linked to it, and our id of them; undefined when nobody is. */
export async function holderOf(
  db: Db,
  { appId, type, remoteId, by }: WantedLink,
): Promise<{ readonly state: Holder; readonly id: string | undefined }> {
  const { rows } = await sql<{ id: string; here: boolean; left: boolean; held: boolean; kept: boolean }>(
    db,
    `select d.resource_id as id, ${IS_HERE} as here, ${HAS_LEFT} as left, d.state = 'held' as held, coalesce(${IS_KEPT}, false) as kept
     from deliveries d where ${LINKED}`,
    [appId, type, remoteId, by],
  );
  const [row] = rows;
  if (row === undefined || row.here || row.kept) return { state: 'stays', id: row?.id };
  if (row.held) return { state: 'held', id: row.id };
  return { state: row.left ? 'gone' : 'leaving', id: row.id };
}

/**
 * Takes the link from somebody who is gone here and has left there: what becomes of it there is no business of theirs any
 * more. Answers who it was, and what they were sent last, so that nothing of it stays with whoever comes; that is kept with
 * these as well, for when they are cut short before they are linked. Undefined when somebody has it still. They are claimed
 * for it, so that nobody sends them meanwhile as they were: that might be a deletion.
 */
export async function freeLink(
  db: Db,
  { appId, type, remoteId, by }: WantedLink,
): Promise<{ readonly id: string; readonly sent: Record<string, unknown> } | undefined> {
  return db.transaction(async (tx) => {
    const { rows: claims } = await sql<{ id: string }>(
      tx,
      `insert into delivery_claims (app_id, resource_id, claimed_until) select d.app_id, d.resource_id, clock_timestamp() from deliveries d
       where ${LINKED} and not ${IS_HERE} and ${IS_GONE} on conflict do nothing returning resource_id as id`,
      [appId, type, remoteId, by],
    );
    const id = claims[0]?.id;
    if (id === undefined) return undefined;
    const { rows } = await sql<{ sent: Record<string, unknown> | null }>(
      tx,
      `update deliveries f set remote_id = null, remote_etag = null, link = null, sent = null, gone_since = null, drift = null, state = 'idle',
         last_error = null, first_failed_at = null
       from (select d.app_id, d.resource_id, d.sent from deliveries d where ${LINKED} and d.resource_id = ? and not ${IS_HERE} and ${IS_GONE} for update) held
       where f.app_id = held.app_id and f.resource_id = held.resource_id returning held.sent`,
      [appId, type, remoteId, by, id],
    );
    await sql(tx, 'delete from delivery_claims where app_id = ? and resource_id = ?', [appId, id]);
    const [freed] = rows;
    if (freed === undefined) return undefined;
    const sent = freed.sent ?? {};
    await sql(tx, 'update deliveries set sent = ?::jsonb where app_id = ? and resource_id = ? and remote_id is null', [
      JSON.stringify(sent),
      appId,
      by,
    ]);
    return { id, sent };
  });
}

/** Whoever waits for the link of one of these, or was given up because of it, looks again: they have left, or are to stay. */
export async function askForHeirs(db: Db, appId: string, of: readonly string[], now: Date): Promise<void> {
  if (of.length === 0) return;
  await sql(
    db,
    `update deliveries set state = 'pending', asks = asks + 1, attempts = 0, ready_at = ?
     where app_id = ? and awaits = any(?::uuid[]) and (state = 'dead' or state = 'pending' and ready_at > ?)
       and resource_id not in ${onTheirWay()}`,
    [now, appId, of, now, appId],
  );
}

/** A name that is free at a target. */
export interface FreeName {
  readonly type: ResourceType;
  readonly name: string;
}

/**
 * Whoever was given up because somebody else had one of these names there looks again. Of those on their way it is not known
 * yet what the target says of the name: they are looked at once more.
 */
export async function askForNames(db: Db, appId: string, free: readonly FreeName[], now: Date): Promise<void> {
  if (free.length === 0) return;
  await sql(
    db,
    `update deliveries d set asks = d.asks + 1, state = 'pending',
       attempts = case when d.state = 'dead' then 0 else d.attempts end, ready_at = case when d.state = 'dead' then ? else d.ready_at end
     where d.app_id = ? and d.resource_id = any(array(select r.id from unnest(?::text[], ?::text[]) n(type, name)
         join resources r on r.resource_type = n.type and r.name_key = n.name and r.deleted_at is null))
       and (d.state = 'dead' and d.last_error ->> 'kind' = 'conflict' or d.state = 'pending' and d.resource_id in ${onTheirWay()})`,
    [now, appId, free.map(({ type }) => type), free.map(({ name }) => nameKey(name)), appId],
  );
}
