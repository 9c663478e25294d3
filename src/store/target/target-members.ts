// The members that a target's groups have, by their ids there, against those they should have.
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

/** Where a walk over a group's members goes on; undefined at its end. */
export interface MemberPage<Member> {
  readonly members: readonly Member[];
  readonly next: string | undefined;
}

/** One walk: a stretch of it after a place, without those named. */
export interface MemberWalk {
  readonly limit: number;
  readonly after: string | undefined;
  readonly except: readonly string[];
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Whom a group lacks at the target, in the order of their ids here. A member whom the target does not have is left out:
 * their own delivery brings the group back. `offset 0` keeps the planner from joining: without statistics it reads all
 * deliveries for each member.
 */
export async function lackingMembers(
  db: Db,
  { appId, groupId }: { appId: string; groupId: string },
  { limit, after, except }: MemberWalk,
): Promise<MemberPage<{ readonly remoteId: string; readonly type: ResourceType }>> {
  const { rows } = await sql<{ place: string; remoteId: string; type: ResourceType }>(
    db,
    `select gm.member_id as place, d.remote_id as "remoteId", d.resource_type as type from group_members gm cross join lateral (
         select remote_id, resource_type from deliveries
         where app_id = ? and resource_id = gm.member_id and remote_id is not null and in_scope offset 0) d
     where gm.group_id = ? and gm.member_id > ?::uuid and d.remote_id <> all(?::text[])
       and not exists (select 1 from target_members t where t.app_id = ? and t.group_id = ? and t.remote_id = d.remote_id and not t.doubted offset 0)
     order by gm.member_id limit ?`,
    [appId, groupId, after ?? FIRST_ID, except, appId, groupId, limit],
  );
  const members = rows.map(({ remoteId, type }) => ({ remoteId, type }));
  return { members, next: rows.length < limit ? undefined : rows.at(-1)?.place };
}

/** `d` was refused there for what it is. Whoever lacks what the mapping requires was not even asked for. */
const IS_REFUSED = `d.state = 'dead' and d.last_error ->> 'kind' in ('refused', 'unsupported')
  and d.last_error ->> 'code' <> 'required-attribute-missing'`;

/**
 * Whether members of the group are meant to be at the target and are linked to nobody there yet. Until then somebody in the
 * group there who is linked to nobody here may be one of them. Whom the target was given and does not take is not there: it
 * was asked for them first, and is once more when somebody new shows up there (`lookForRefused`).
 */
const AWAITS_MEMBERS = `exists (select 1 from group_members gm join deliveries d on d.app_id = ? and d.resource_id = gm.member_id
  where gm.group_id = ? and d.remote_id is null and d.in_scope and d.state <> 'idle' and not (${IS_REFUSED}))`;
/** Whether `t` is linked to anybody here. */
const IS_OURS = `exists (select 1 from deliveries d where d.app_id = t.app_id and d.resource_type in ('User', 'Group')
  and d.remote_id = t.remote_id collate "default" offset 0)`;

/**
 * Whom a group has at the target and should not have, in the order of their ids there. The collation is that of the
 * deliveries' index, which is not used otherwise.
 */
export async function surplusMembers(
  db: Db,
  { appId, groupId }: { appId: string; groupId: string },
  { limit, after, except }: MemberWalk,
): Promise<MemberPage<string>> {
  const { rows } = await sql<{ remote_id: string }>(
    db,
    `select t.remote_id from target_members t where t.app_id = ? and t.group_id = ? and t.remote_id > ? and t.remote_id <> all(?::text[])
       and not exists (select 1 from deliveries d where d.app_id = ? and d.resource_type in ('User', 'Group')
         and d.remote_id = t.remote_id collate "default" and d.in_scope
         and exists (select 1 from group_members gm where gm.group_id = ? and gm.member_id = d.resource_id offset 0) offset 0)
       and (${IS_OURS} or not ${AWAITS_MEMBERS})
     order by t.remote_id limit ?`,
    [appId, groupId, after ?? '', except, appId, groupId, appId, groupId, limit],
  );
  const members = rows.map(({ remote_id }) => remote_id);
  return { members, next: rows.length < limit ? undefined : members.at(-1) };
}

/**
 * A group there shows these. When one of them is new in it and linked to nobody here, they may be a member whom the target
 * refused, and whom somebody made there by hand since: such members are looked for once more, and until that is done nobody
 * is taken out who may be one of them. Answers whether anybody is looked for; it is asked once for each who is new.
 */
export async function lookForRefused(
  db: Db,
  { appId, groupId }: { appId: string; groupId: string },
  shown: readonly string[],
  now: Date,
): Promise<boolean> {
  const { rowCount } = await sql(
    db,
    `with refused as materialized (select d.resource_id from deliveries d where d.app_id = ? and ${IS_REFUSED} and d.remote_id is null
         and d.in_scope and exists (select 1 from group_members gm where gm.group_id = ? and gm.member_id = d.resource_id offset 0)),
       strangers as (insert into target_members (app_id, group_id, remote_id)
         select distinct ?::uuid, ?::uuid, s.id from unnest(?::text[]) s(id) where exists (select 1 from refused)
           and not exists (select 1 from deliveries o where o.app_id = ? and o.resource_type in ('User', 'Group') and o.remote_id = s.id offset 0)
         on conflict do nothing returning 1)
     update deliveries d set state = 'pending', asks = asks + 1, attempts = 0, ready_at = ?, changed_at = ?
     where d.app_id = ? and d.state = 'dead' and d.resource_id = any(array(select resource_id from refused)) and exists (select 1 from strangers)`,
    [appId, groupId, appId, groupId, shown, appId, now, now, appId],
  );
  return (rowCount ?? 0) > 0;
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
      `insert into target_members (app_id, group_id, remote_id) select ?, ?, unnest(?::text[])
       on conflict (app_id, group_id, remote_id) do update set doubted = false where target_members.doubted`,
      [appId, groupId, add],
    );
}

/** Of these, nobody knows whether they are members there: the answer to a change of them was lost. */
export async function doubtMembers(
  db: Db,
  { appId, groupId }: { appId: string; groupId: string },
  remoteIds: readonly string[],
): Promise<void> {
  if (remoteIds.length === 0) return;
  await sql(
    db,
    `insert into target_members (app_id, group_id, remote_id, doubted) select distinct ?::uuid, ?::uuid, id, true from unnest(?::text[]) u(id)
     on conflict (app_id, group_id, remote_id) do update set doubted = true`,
    [appId, groupId, remoteIds],
  );
}

/** Whether of anybody it is not known whether they are a member there. */
export async function hasDoubtedMembers(
  db: Db,
  { appId, groupId }: { appId: string; groupId: string },
): Promise<boolean> {
  const text = 'select 1 from target_members where app_id = ? and group_id = ? and doubted limit 1';
  return (await sql(db, text, [appId, groupId])).rows.length > 0;
}

/** The whole list as it should be, for a target that takes nothing less; strangers stay while members are waited for. */
export async function wantedMembers(db: Db, { appId, groupId }: { appId: string; groupId: string }): Promise<string[]> {
  const { rows } = await sql<{ remote_id: string }>(
    db,
    `select d.remote_id collate "C" as remote_id from group_members gm join deliveries d on d.app_id = ? and d.resource_id = gm.member_id
       and d.remote_id is not null and d.in_scope where gm.group_id = ?
     union select t.remote_id from target_members t where t.app_id = ? and t.group_id = ? and not ${IS_OURS} and ${AWAITS_MEMBERS}
     order by 1`,
    [appId, groupId, appId, groupId, appId, groupId],
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

const MADE_MOST = 10;

/** Those of these whom we have made there, and wrote last since then; the newest first, a few at most. */
export async function madeSince(
  db: Db,
  appId: string,
  since: Date,
  remoteIds: readonly string[],
): Promise<{ readonly remoteId: string; readonly type: ResourceType }[]> {
  const { rows } = await sql<{ remoteId: string; type: ResourceType }>(
    db,
    `select remote_id as "remoteId", resource_type as type from deliveries where app_id = ? and resource_type in ('User', 'Group')
       and remote_id = any(?::text[]) and link = 'created' and settled_at > ? order by settled_at desc limit ?`,
    [appId, remoteIds, since, MADE_MOST],
  );
  return rows;
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
    `with old as (delete from target_members where app_id = ? and remote_id = ? returning group_id, doubted)
     insert into target_members (app_id, group_id, remote_id, doubted) select ?, group_id, ?, doubted from old on conflict do nothing`,
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
