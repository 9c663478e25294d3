// The members that a target's groups have, by their ids there, against those they should have.
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from './database.ts';

export interface MemberDifference {
  readonly add: readonly { readonly remoteId: string; readonly type: ResourceType }[];
  readonly remove: readonly string[];
}

/**
 * What a group lacks and has too much at the target, at most `limit` of each. A member whom the target does not have
 * is left out: their own delivery brings the group back.
 */
export async function differenceOfMembers(
  db: Db,
  { appId, groupId }: { appId: string; groupId: string },
  limit: number,
  except: readonly string[] = [],
): Promise<MemberDifference> {
  const { rows } = await sql<{ remote_id: string; type: ResourceType; added: boolean }>(
    db,
    `(select d.remote_id, d.resource_type as type, true as added from group_members gm
        join deliveries d on d.app_id = ? and d.resource_id = gm.member_id and d.remote_id is not null and d.in_scope
        where gm.group_id = ? and d.remote_id <> all(?::text[]) and not exists (select 1 from target_members t
          where t.app_id = d.app_id and t.group_id = gm.group_id and t.remote_id = d.remote_id) order by d.remote_id limit ?)
     union all
     (select t.remote_id, 'User', false from target_members t where t.app_id = ? and t.group_id = ? and t.remote_id <> all(?::text[])
        and not exists (select 1 from deliveries d join group_members gm on gm.group_id = t.group_id and gm.member_id = d.resource_id
          where d.app_id = t.app_id and d.remote_id = t.remote_id and d.in_scope) order by t.remote_id limit ?)`,
    [appId, groupId, except, limit, appId, groupId, except, limit],
  );
  return {
    add: rows.filter(({ added }) => added).map(({ remote_id, type }) => ({ remoteId: remote_id, type })),
    remove: rows.filter(({ added }) => !added).map(({ remote_id }) => remote_id),
  };
}

/** What was written, so that a push cut short goes on where it was. */
export async function noteMembers(
  db: Db,
  { appId, groupId }: { appId: string; groupId: string },
  { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
): Promise<void> {
  if (remove.length > 0)
    await sql(db, 'delete from target_members where app_id = ? and group_id = ? and remote_id = any(?::text[])', [
      appId,
      groupId,
      remove,
    ]);
  if (add.length > 0)
    await sql(
      db,
      'insert into target_members (app_id, group_id, remote_id) select ?, ?, unnest(?::text[]) on conflict do nothing',
      [appId, groupId, add],
    );
}

/** The whole list as it should be, for a target that takes nothing less. */
export async function wantedMembers(db: Db, { appId, groupId }: { appId: string; groupId: string }): Promise<string[]> {
  const { rows } = await sql<{ remote_id: string }>(
    db,
    `select d.remote_id from group_members gm join deliveries d on d.app_id = ? and d.resource_id = gm.member_id
       and d.remote_id is not null and d.in_scope where gm.group_id = ? order by 1`,
    [appId, groupId],
  );
  return rows.map(({ remote_id }) => remote_id);
}

/** The whole list as it is there, as far as is known. */
export async function knownMembers(db: Db, { appId, groupId }: { appId: string; groupId: string }): Promise<string[]> {
  const { rows } = await sql<{ remote_id: string }>(
    db,
    'select remote_id from target_members where app_id = ? and group_id = ?',
    [appId, groupId],
  );
  return rows.map(({ remote_id }) => remote_id);
}

/** Forgets what is known of a group, or what groups have of a member, that is gone there. */
export async function forgetMembers(
  db: Db,
  appId: string,
  gone: { readonly groupId: string } | { readonly remoteId: string },
): Promise<void> {
  if ('groupId' in gone)
    await sql(db, 'delete from target_members where app_id = ? and group_id = ?', [appId, gone.groupId]);
  else await sql(db, 'delete from target_members where app_id = ? and remote_id = ?', [appId, gone.remoteId]);
}

/** A resource goes by another id there. */
export async function renameMember(db: Db, appId: string, remoteId: string, to: string): Promise<void> {
  await sql(
    db,
    `with old as (delete from target_members where app_id = ? and remote_id = ? returning group_id)
     insert into target_members (app_id, group_id, remote_id) select ?, group_id, ? from old on conflict do nothing`,
    [appId, remoteId, appId, to],
  );
}

/** Puts what was read of a group in place of what was known. */
export async function replaceKnownMembers(
  db: Db,
  place: { appId: string; groupId: string },
  remoteIds: readonly string[],
): Promise<void> {
  await forgetMembers(db, place.appId, place);
  await noteMembers(db, place, { add: [...new Set(remoteIds)], remove: [] });
}

/** Whether another resource of ours is already linked to this one of theirs. */
export async function isTaken(
  db: Db,
  { appId, type, remoteId, by }: { appId: string; type: ResourceType; remoteId: string; by: string },
): Promise<boolean> {
  const { rows } = await sql(
    db,
    'select 1 from deliveries where app_id = ? and resource_type = ? and remote_id = ? and resource_id <> ?',
    [appId, type, remoteId, by],
  );
  return rows.length > 0;
}
