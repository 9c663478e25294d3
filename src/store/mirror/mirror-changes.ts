// The mirror written by what changed instead of by a full read: single records, members won and lost, and how objects
// left. Everything that is changed is touched in the same transaction. And the checkpoint from which a read goes on.
import { addToSet } from '#core/digest.ts';
import type { Checkpoint, GoneObject, MemberRef, MembersChange } from '#core/pages.ts';
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { keepPlaces } from './mirror.ts';
import { touch } from './touched.ts';

/** A record as it is kept. */
export interface StoredRecord {
  readonly external_id: string;
  readonly record: string;
  readonly record_digest: Buffer;
  readonly gone: boolean;
  /** False for a group whose members were not read yet, or must not be. */
  readonly has_members: boolean;
}

export async function readStoredRecords(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  externalIds: readonly string[],
): Promise<Map<string, StoredRecord>> {
  const { rows } = await sql<StoredRecord>(
    db,
    `select external_id, record, record_digest, gone_at is not null as gone, members_digest is not null as has_members
     from mirror_records where provider = ? and resource_type = ? and external_id = any(?::text[])`,
    [provider, type, externalIds],
  );
  return new Map(rows.map((row) => [row.external_id, row]));
}

/** Those of these groups that are here: as they were sent where their members are not known, else null. */
export async function readWithoutMembers(
  db: Db,
  provider: ProviderKindName,
  groups: readonly string[],
): Promise<ReadonlyMap<string, string | null>> {
  const { rows } = await sql<{ external_id: string; record: string | null }>(
    db,
    `select external_id, case when members_digest is null then record end as record from mirror_records
     where provider = ? and resource_type = 'Group' and external_id = any(?::text[]) and gone_at is null`,
    [provider, groups],
  );
  return new Map(rows.map(({ external_id, record }) => [external_id, record]));
}

/** Whether the users who come into a group or go are touched with it. */
export interface Touching {
  readonly members: boolean;
}

/** The provider said that these are gone. Of a group the members go too: they are read anew when it comes back. */
export async function markGone(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  objects: readonly GoneObject[],
  touching: Touching,
): Promise<number> {
  if (objects.length === 0) return 0;
  await keepPlaces(db, provider, type, objects);
  const last = new Map(objects.map(({ externalId, how }) => [externalId, how]));
  const { rows } = await sql<{ external_id: string }>(
    db,
    `update mirror_records m set gone_at = coalesce(m.gone_at, now()), left_how = g.how, members_digest = null, came_back = false
     from unnest(?::text[], ?::text[]) as g(external_id, how)
     where m.provider = ? and m.resource_type = ? and m.external_id = g.external_id
       and (m.gone_at is null or m.left_how is distinct from g.how) returning m.external_id`,
    [[...last.keys()], [...last.values()], provider, type],
  );
  const ids = rows.map(({ external_id }) => external_id);
  if (type === 'Group') {
    if (touching.members) await touchMembers(db, provider, ids);
    for (const table of ['mirror_members', 'mirror_skipped'])
      await sql(db, `delete from ${table} where provider = ? and group_external_id = any(?::text[])`, [provider, ids]);
  }
  await touch(db, provider, type, ids);
  return ids.length;
}

/** Who was gone and is there again, and has not been asked for links since. */
export async function readCameBack(db: Db, provider: ProviderKindName, type: ResourceType): Promise<readonly string[]> {
  const { rows } = await sql<{ external_id: string }>(
    db,
    `select external_id from mirror_records where provider = ? and resource_type = ? and came_back and gone_at is null
     order by external_id`,
    [provider, type],
  );
  return rows.map(({ external_id }) => external_id);
}

/** The links of these are known again. Call it in the transaction that writes them. */
export async function forgetReturn(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  externalIds: readonly string[],
): Promise<void> {
  await sql(
    db,
    `update mirror_records set came_back = false where provider = ? and resource_type = ? and external_id = any(?::text[])`,
    [provider, type, externalIds],
  );
}

/** What becomes of one object in one group. */
interface Pair {
  readonly group: string;
  readonly id: string;
  /** `User`, `Group`; null when it goes, or is of no use to us. */
  readonly type: ResourceType | null;
  readonly skipped: {
    readonly objectType: string;
    readonly displayName: string | null;
    readonly reason: string;
  } | null;
}

/**
 * Members that groups have won and lost, of groups whose members are known; doing it twice changes nothing. Answers the
 * groups that changed.
 */
export async function changeMirrorMembers(
  db: Db,
  provider: ProviderKindName,
  changes: readonly MembersChange[],
  touching: Touching,
): Promise<readonly string[]> {
  const known = await readDigests(db, provider, [...new Set(changes.map(({ group }) => group))]);
  const pairs = [...lastOfEach(changes).values()].filter(({ group }) => known.has(group));
  if (pairs.length === 0) return [];
  const gone = pairs.filter(({ type }) => type === null);
  const lost = await deleteMembers(db, provider, gone);
  const unskipped = await deleteSkipped(db, provider, pairs);
  const won = await insertMembers(db, provider, pairs);
  const skipped = await insertSkipped(db, provider, pairs);
  const digests = new Map<string, Buffer>();
  for (const { group, key } of [...won, ...skipped])
    digests.set(group, addToSet(digests.get(group) ?? known.get(group) ?? NONE, [key], []));
  for (const { group, key } of [...lost, ...unskipped])
    digests.set(group, addToSet(digests.get(group) ?? known.get(group) ?? NONE, [], [key]));
  const changed = [...digests].filter(([group, digest]) => known.get(group)?.equals(digest) !== true);
  await sql(
    db,
    `update mirror_records m set members_digest = decode(d.digest, 'hex') from unnest(?::text[], ?::text[]) as d(id, digest)
     where m.provider = ? and m.resource_type = 'Group' and m.external_id = d.id`,
    [changed.map(([group]) => group), changed.map(([, digest]) => digest.toString('hex')), provider],
  );
  const groups = changed.map(([group]) => group);
  await touch(db, provider, 'Group', groups);
  if (touching.members)
    await touch(
      db,
      provider,
      'User',
      [...lost, ...won].flatMap(({ user }) => user ?? []),
    );
  return groups;
}

/**
 * Adds one user or group to groups that the provider says it is directly in, of those whose members are known. None is taken
 * away: right after a restore the provider may not name them all yet, and whoever is taken out of a group is told with the
 * group. Answers whether all groups were named that it is known to be in.
 */
export async function addToGroups(
  db: Db,
  provider: ProviderKindName,
  member: MemberRef,
  groups: readonly string[],
  touching: Touching,
): Promise<boolean> {
  const { rows } = await sql<{ group: string }>(
    db,
    `select mm.group_external_id as group from mirror_members mm
     join mirror_records g on g.provider = mm.provider and g.resource_type = 'Group' and g.external_id = mm.group_external_id
       and g.gone_at is null and g.members_digest is not null
     where mm.provider = ? and mm.member_external_id = ?`,
    [provider, member.externalId],
  );
  const named = new Set(groups);
  const had = new Set(rows.map(({ group }) => group));
  const changes = [...named.difference(had)].map((group) => ({ group, added: [member], skipped: [], removed: [] }));
  await changeMirrorMembers(db, provider, changes, touching);
  return had.isSubsetOf(named);
}

const NONE = Buffer.alloc(32);

interface Keyed {
  readonly group: string;
  /** As `membersDigest` of a whole membership spells it. */
  readonly key: string;
}

interface KeyedMember extends Keyed {
  /** The id of a user; null for another object. */
  readonly user: string | null;
}

/** Of each object in each group what happened last. */
function lastOfEach(changes: readonly MembersChange[]): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  const put = (pair: Pair): void => void pairs.set(`${pair.group}\n${pair.id}`, pair);
  for (const { group, added, skipped, removed } of changes) {
    for (const id of removed) put({ group, id, type: null, skipped: null });
    for (const { externalId: id, type } of added) put({ group, id, type, skipped: null });
    for (const { externalId: id, objectType, displayName = null, reason } of skipped)
      put({ group, id, type: null, skipped: { objectType, displayName, reason } });
  }
  return pairs;
}

async function readDigests(
  db: Db,
  provider: ProviderKindName,
  groups: readonly string[],
): Promise<ReadonlyMap<string, Buffer>> {
  const { rows } = await sql<{ external_id: string; members_digest: Buffer }>(
    db,
    `select external_id, members_digest from mirror_records where provider = ? and resource_type = 'Group'
       and external_id = any(?::text[]) and members_digest is not null and gone_at is null`,
    [provider, groups],
  );
  return new Map(rows.map((row) => [row.external_id, row.members_digest]));
}

const PAIRS = 'unnest(?::text[], ?::text[]) as p(group_id, id)';

function columnsOf(pairs: readonly Pair[]): [string[], string[]] {
  return [pairs.map(({ group }) => group), pairs.map(({ id }) => id)];
}

async function deleteMembers(
  db: Db,
  provider: ProviderKindName,
  pairs: readonly Pair[],
): Promise<readonly KeyedMember[]> {
  const { rows } = await sql<KeyedMember>(
    db,
    `delete from mirror_members m using ${PAIRS} where m.provider = ? and m.group_external_id = p.group_id
       and m.member_external_id = p.id returning m.group_external_id as group, m.member_type || ':' || p.id as key,
         case m.member_type when 'User' then p.id end as user`,
    [...columnsOf(pairs), provider],
  );
  return rows;
}

async function deleteSkipped(db: Db, provider: ProviderKindName, pairs: readonly Pair[]): Promise<readonly Keyed[]> {
  const { rows } = await sql<Keyed>(
    db,
    `delete from mirror_skipped m using ${PAIRS} where m.provider = ? and m.group_external_id = p.group_id
       and m.external_id = p.id returning m.group_external_id as group, '-' || m.reason || ':' || p.id as key`,
    [...columnsOf(pairs), provider],
  );
  return rows;
}

async function insertMembers(
  db: Db,
  provider: ProviderKindName,
  pairs: readonly Pair[],
): Promise<readonly KeyedMember[]> {
  const members = pairs.filter(({ type }) => type !== null);
  const { rows } = await sql<KeyedMember>(
    db,
    `insert into mirror_members (provider, group_external_id, member_external_id, member_type)
     select ?, p.group_id, p.id, p.type from unnest(?::text[], ?::text[], ?::text[]) as p(group_id, id, type)
     on conflict do nothing returning group_external_id as group, member_type || ':' || member_external_id as key,
       case member_type when 'User' then member_external_id end as user`,
    [provider, ...columnsOf(members), members.map(({ type }) => type)],
  );
  return rows;
}

async function insertSkipped(db: Db, provider: ProviderKindName, pairs: readonly Pair[]): Promise<readonly Keyed[]> {
  const objects = pairs.flatMap(({ group, id, skipped }) => (skipped === null ? [] : { group, id, ...skipped }));
  const { rows } = await sql<Keyed>(
    db,
    `insert into mirror_skipped (provider, group_external_id, external_id, object_type, display_name, reason)
     select ?, "group", id, "objectType", "displayName", reason from jsonb_to_recordset(?::jsonb)
       as s("group" text, id text, "objectType" text, "displayName" text, reason text)
     on conflict do nothing returning group_external_id as group, '-' || reason || ':' || external_id as key`,
    [provider, JSON.stringify(objects)],
  );
  return rows;
}

async function touchMembers(db: Db, provider: ProviderKindName, groups: readonly string[]): Promise<void> {
  const { rows } = await sql<{ id: string }>(
    db,
    `select distinct member_external_id as id from mirror_members
     where provider = ? and group_external_id = any(?::text[]) and member_type = 'User'`,
    [provider, groups],
  );
  await touch(
    db,
    provider,
    'User',
    rows.map(({ id }) => id),
  );
}

/** Where the next read of changes goes on, by these settings. Undefined: only a full read is right. */
export async function readCheckpoint(
  db: Db,
  provider: ProviderKindName,
): Promise<{ readonly checkpoint: Checkpoint; readonly configVersion: string } | undefined> {
  const { rows } = await sql(
    db,
    'select checkpoint, checkpoint_config from mirror_state where provider = ? and checkpoint is not null',
    [provider],
  );
  return rows[0] && { checkpoint: rows[0].checkpoint, configVersion: String(rows[0].checkpoint_config) };
}

/** Call it in the transaction that ends a read, or after it: a checkpoint must never be ahead of the mirror. */
export async function saveCheckpoint(
  db: Db,
  provider: ProviderKindName,
  checkpoint: Checkpoint | undefined,
  configVersion: string,
): Promise<void> {
  await sql(db, 'update mirror_state set checkpoint = ?, checkpoint_config = ? where provider = ?', [
    checkpoint ?? null,
    configVersion,
    provider,
  ]);
}
