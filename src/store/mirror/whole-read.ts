// A full read, as the database sees it: what the mirror held before, that it is unfinished, and what follows from what it
// did not show. Who was seen is known to the process that reads (sync/read/known-records.ts): a read that stops begins anew.
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { LIST_LAG } from './mirror.ts';

/** What the mirror holds of one record. */
export interface HeldRecord {
  readonly external_id: string;
  readonly record_digest: Buffer;
  readonly gone: boolean;
  /** Gone for no longer than a list of the provider may lag behind. */
  readonly gone_lately?: boolean;
  readonly members_digest: Buffer | null;
}

/** With the first page of a full read: until it ends, the mirror may hold something of it and not everything. */
export async function noteUnfinished(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(db, 'update mirror_state set unfinished_since = coalesce(unfinished_since, now()) where provider = ?', [
    provider,
  ]);
}

/** Rows that are fetched together: some megabytes. */
const HELD_AT_ONCE = 5_000;

/**
 * Hands on all that the mirror holds of one type, in no order, some thousands at once. The table is walked over as it
 * lies: in the order of a key, a table larger than the server's own memory is read once for each few rows.
 */
export async function readHeld(
  db: Db,
  { provider, type }: { readonly provider: ProviderKindName; readonly type: ResourceType },
  each: (records: readonly HeldRecord[]) => void,
): Promise<void> {
  await db.transaction(async (tx) => {
    await sql(
      tx,
      `declare held no scroll cursor for select external_id, record_digest, gone_at is not null as gone,
         gone_at is not null and gone_at > now() - interval '${LIST_LAG}' as gone_lately, members_digest
       from mirror_records where provider = ? and resource_type = ?`,
      [provider, type],
    );
    for (;;) {
      const { rows } = await sql<HeldRecord>(tx, `fetch ${HELD_AT_ONCE} from held`);
      each(rows);
      if (rows.length < HELD_AT_ONCE) return;
    }
  });
}

/** What a full read did not show. */
export interface Unseen {
  /** Records that were not gone before. */
  readonly records: Readonly<Record<ResourceType, readonly string[]>>;
  /** Groups whose members were known, and were not asked for or are gone. */
  readonly members: readonly string[];
  /** Who was gone and has been shown: lists of members may lack them yet. */
  readonly returned: Ids;
}

/**
 * Ends a full read: whatever it did not show is gone, and who the members are of groups that it did not ask is not known
 * any more, since changes are told from now on. Whoever it showed and said to be restorable too, or who came back, is asked for links by
 * the next read of changes. Answers how many records went.
 * @throws {Error} the mirror is not as it was when the read began: somebody else writes it
 */
export async function endWholeRead(
  db: Db,
  provider: ProviderKindName,
  { records, members, returned }: Unseen,
): Promise<number> {
  let gone = 0;
  for (const type of ['User', 'Group'] as const) {
    const ids = records[type];
    if (ids.length === 0) continue;
    const { rowCount } = await sql(
      db,
      `update mirror_records m set gone_at = now() from unnest(?::text[]) as u(id)
       where m.provider = ? and m.resource_type = ? and m.external_id = u.id and m.gone_at is null`,
      [ids, provider, type],
    );
    if (rowCount !== ids.length)
      throw new Error(`a read did not show ${ids.length} records, of which ${rowCount} are here`);
    gone += ids.length;
  }
  if (members.length > 0) await forgetMembers(db, provider, members);
  // Whoever is in the list and in the recycle bin too went in between, or came back: lists of members may lack them.
  await sql(
    db,
    `update mirror_records set left_how = null, came_back = left_how is not distinct from 'softDeleted'
       or (resource_type, external_id) in (select 'User', unnest(?::text[]) union all select 'Group', unnest(?::text[]))
     where provider = ? and gone_at is null and (left_how is not null or came_back)`,
    [returned.User, returned.Group, provider],
  );
  await sql(
    db,
    'update mirror_records set came_back = false where provider = ? and came_back and gone_at is not null',
    [provider],
  );
  await sql(db, 'update mirror_state set read_at = now(), unfinished_since = null where provider = ?', [provider]);
  return gone;
}

async function forgetMembers(db: Db, provider: ProviderKindName, groups: readonly string[]): Promise<void> {
  await sql(
    db,
    `with unknown as materialized (select unnest(?::text[]) as id),
     skipped as (delete from mirror_skipped where provider = ? and group_external_id in (select id from unknown)),
     members as (delete from mirror_members where provider = ? and group_external_id in (select id from unknown))
     update mirror_records m set members_digest = null from unknown u
     where m.provider = ? and m.resource_type = 'Group' and m.external_id = u.id`,
    [groups, provider, provider, provider],
  );
}

/** Ids of users and of groups. */
export type Ids = Readonly<Record<ResourceType, readonly string[]>>;

/** Who is there, by id, and was not in a list of the last full read that was whole, or of one since. */
export async function readUnlisted(db: Db, provider: ProviderKindName): Promise<Ids> {
  return readIds(db, provider, 'unlisted');
}

/** A list was short: whom another leaves out, as that of another replica may, is kept in mind with it. */
export async function addUnlisted(db: Db, provider: ProviderKindName, unlisted: Ids): Promise<void> {
  await noteIds(db, provider, 'unlisted', joined(await readUnlisted(db, provider), unlisted));
}

/** A read was whole: whom its lists left out, and nobody else. */
export async function noteUnlisted(db: Db, provider: ProviderKindName, unlisted: Ids): Promise<void> {
  await noteIds(db, provider, 'unlisted', unlisted);
}

/** Of whom changes told a part, who was not found by id, and whom no full read has shown since. */
export async function readUnread(db: Db, provider: ProviderKindName): Promise<Ids> {
  return readIds(db, provider, 'unread');
}

/** Changes told a part of these, and they are not found by id: the next full read may show them. */
export async function addUnread(db: Db, provider: ProviderKindName, unread: Ids): Promise<void> {
  await noteIds(db, provider, 'unread', joined(await readUnread(db, provider), unread));
}

/** A read was whole: whom it has shown, and nobody else, is out of mind. */
export async function forgetUnread(
  db: Db,
  provider: ProviderKindName,
  isShown: (type: ResourceType, externalId: string) => boolean,
): Promise<void> {
  const unread = await readUnread(db, provider);
  const left = (type: ResourceType): string[] => unread[type].filter((id) => !isShown(type, id));
  await noteIds(db, provider, 'unread', { User: left('User'), Group: left('Group') });
}

type IdColumn = 'unlisted' | 'unread';

async function readIds(db: Db, provider: ProviderKindName, column: IdColumn): Promise<Ids> {
  const { rows } = await sql<{ ids: Ids | null }>(db, `select ${column} as ids from mirror_state where provider = ?`, [
    provider,
  ]);
  return rows[0]?.ids ?? { User: [], Group: [] };
}

async function noteIds(db: Db, provider: ProviderKindName, column: IdColumn, ids: Ids): Promise<void> {
  const isAny = ids.User.length + ids.Group.length > 0;
  await sql(db, `update mirror_state set ${column} = ?::jsonb where provider = ?`, [
    isAny ? JSON.stringify(ids) : null,
    provider,
  ]);
}

function joined(some: Ids, others: Ids): Ids {
  const both = (type: ResourceType): string[] => [...new Set([...some[type], ...others[type]])];
  return { User: both('User'), Group: both('Group') };
}

export interface WholeRead {
  /** When everything was last read to the end; undefined when it never was. */
  readonly at: Date | undefined;
  /** One has shown something since that did not come to its end. */
  readonly stopped: boolean;
  /** And it was the last run. */
  readonly justStopped: boolean;
}

export async function readWholeRead(db: Db, provider: ProviderKindName): Promise<WholeRead> {
  const { rows } = await sql<{ at: Date | null; stopped: boolean; last: string }>(
    db,
    `select s.read_at as at, s.unfinished_since is not null as stopped,
       (select mode from runs where provider = s.provider order by seq desc limit 1) as last
     from mirror_state s where s.provider = ?`,
    [provider],
  );
  const { at = null, stopped = false, last } = rows[0] ?? {};
  return { at: at ?? undefined, stopped, justStopped: stopped && last === 'full' };
}
