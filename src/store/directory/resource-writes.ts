// Single writes from outside: one statement each where one is enough, with the change log in it. A sync writes in
// batches instead (resources.ts, memberships.ts).

import { ConflictError, InputError } from '#core/errors.ts';
import { isUuid } from '#core/ids.ts';
import type { MemberChange, NamedMembers } from '#core/patch.ts';
import type { ResourceType } from '#core/resource.ts';
import { type Database, type Db, queryOn, sql } from '../database.ts';
import { TooEarlyError, violates } from '../database-errors.ts';
import { makeMemberLook } from '../mirror/chosen-members.ts';
import { nameOf, Statement } from '../statement.ts';
import { appendChanges } from './changes.ts';
import { IS_LATER, LATER, lockResources, tombstone } from './resources.ts';
import type { ServedRow } from './served.ts';

/** The columns that follow from a document. */
export interface WrittenColumns {
  readonly externalId: string | null;
  readonly nameKey: string;
  readonly display: string;
  readonly uniqueKey: string | null;
  readonly active: boolean;
  readonly body: string;
  readonly search: string;
  readonly managerId: string | null;
}

function bindColumns(statement: Statement, columns: WrittenColumns): Record<keyof WrittenColumns, string> {
  return {
    externalId: statement.bind(columns.externalId, 'text'),
    nameKey: statement.bind(columns.nameKey, 'text'),
    display: statement.bind(columns.display, 'text'),
    uniqueKey: statement.bind(columns.uniqueKey, 'text'),
    active: statement.bind(columns.active, 'boolean'),
    body: statement.bind(columns.body, 'text'),
    search: statement.bind(columns.search, 'jsonb'),
    managerId: statement.bind(columns.managerId, 'uuid'),
  };
}

export interface NewResource {
  readonly id: string;
  readonly type: ResourceType;
  readonly actor: string;
}

/**
 * A new manual entry.
 * @throws {ConflictError} `name-taken`, `external-id-taken`
 */
export async function insertManual(
  on: Database | Db,
  { id, type, actor }: NewResource,
  columns: WrittenColumns,
): Promise<ServedRow> {
  const statement = new Statement();
  const to = bindColumns(statement, columns);
  const written = `insert into resources (id, resource_type, origin, external_id, name_key, display, unique_key, active, body, search, manager_id)
    values (${statement.bind(id, 'uuid')}, '${type}', 'manual', ${to.externalId}, ${to.nameKey}, ${to.display}, ${to.uniqueKey}, ${to.active},
      ${to.body}, ${to.search}, ${to.managerId}) returning *`;
  return needed(await write(on, statement, { written, operation: 'create', actor, detail: null, body: columns.body }));
}

export interface ResourceChange {
  readonly id: string;
  readonly type: ResourceType;
  /** The version that was read. */
  readonly version: string;
  readonly actor: string;
  readonly operation: 'update' | 'deactivate';
  readonly attributes: readonly string[];
}

/**
 * Undefined when somebody else wrote since `version`. Somebody who had left and is active now has not left any more:
 * the next run sees a leaver again, and not one whom it has dealt with.
 * @throws {ConflictError} `name-taken`, `external-id-taken`
 */
export async function updateResource(
  on: Database | Db,
  { id, version, actor, operation, attributes }: ResourceChange,
  columns: WrittenColumns,
): Promise<ServedRow | undefined> {
  const statement = new Statement();
  const to = bindColumns(statement, columns);
  const written = `update resources set external_id = ${to.externalId}, name_key = ${to.nameKey}, display = ${to.display},
      unique_key = ${to.uniqueKey}, active = ${to.active}, body = ${to.body}, search = ${to.search}, manager_id = ${to.managerId},
      digest = null, left_at = case when ${to.active} then null else left_at end, version = version + 1, updated_at = ${LATER}
    where id = ${statement.bind(id, 'uuid')} and version = ${statement.bind(version, 'bigint')} and deleted_at is null returning *`;
  return write(on, statement, { written, operation, actor, detail: { attributes }, body: columns.body });
}

interface Writing {
  readonly written: string;
  readonly operation: string;
  readonly actor: string;
  readonly detail: object | null;
  readonly body: string;
}

/** The write, its line in the change log, and the resource as it is answered, in one statement. */
async function write(on: Database | Db, statement: Statement, writing: Writing): Promise<ServedRow | undefined> {
  const { written, operation, actor, detail, body } = writing;
  const log = `insert into changes (resource_type, resource_id, version, operation, actor, detail)
    select resource_type, id, version, ${statement.bind(operation, 'text')}, ${statement.bind(actor, 'text')},
      ${statement.bind(detail === null ? null : JSON.stringify(detail), 'jsonb')} from p`;
  const row = 'p.id, p.resource_type, p.version, p.member_count, p.head';
  // The members of a group are not answered by a write, so only a user has something related; who is new is in no group.
  const answered =
    operation === 'create'
      ? `, served as (insert into served_groups (user_id, text) select id, '' from p where resource_type = 'User')
    select ${row}, '' as related from p`
      : ` select ${row}, case when p.resource_type = 'User' then s.text else '' end as related
    from p left join served_groups s on s.user_id = p.id`;
  const text = `with p as (${written}), logged as (${log})${answered}`;
  try {
    const query = { text, values: statement.values };
    const { rows } =
      'maintain' in on
        ? await on.query<ServedRow>({ ...query, name: nameOf(text) })
        : await queryOn<ServedRow>(on, query);
    return rows[0] && { ...rows[0], body };
  } catch (error) {
    throw asConflict(error);
  }
}

/** False when it is gone already. */
export async function deleteManual(tx: Db, id: string, type: ResourceType, actor: string): Promise<boolean> {
  const { gone, groups } = await tombstone(tx, null, [{ seq: '0', id }]);
  await appendChanges(
    tx,
    [
      ...groups.map(({ id: groupId, version, removed }) => ({
        resource_type: 'Group' as const,
        resource_id: groupId,
        version,
        operation: 'membership' as const,
        detail: { removed },
      })),
      ...gone.map(({ version }) => ({ resource_type: type, resource_id: id, version, operation: 'delete' as const })),
    ],
    { actor, runId: null },
  );
  return gone.length > 0;
}

/** Locks a resource for the rest of the transaction. Answers its version; undefined when it is gone. */
export async function lockResource(tx: Db, id: string): Promise<string | undefined> {
  const row = (await lockResources(tx, [id])).get(id);
  return row === undefined || row.deleted ? undefined : row.version;
}

/** Who came and went by a change of a group's members, and the version of the group that has it so. */
export interface MembersChanged {
  readonly version: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * Adds and removes members of a locked group, one row each, whatever the size of the group. Doing it twice changes
 * nothing. Undefined when nothing changed.
 * @throws {InputError} `invalidValue`: a member to be added that the directory does not have; as `MemberLook`
 */
export async function changeMembers(
  tx: Db,
  groupId: string,
  changes: readonly MemberChange[],
  actor: string,
): Promise<MembersChanged | undefined> {
  const added = new Set<string>();
  const removed = new Set<string>();
  const look = makeMemberLook(tx, groupId);
  const note = (ids: readonly string[], to: Set<string>, undoes: Set<string>): void => {
    for (const id of ids) if (!undoes.delete(id)) to.add(id);
  };
  for (const change of changes) {
    const ids = 'filter' in change ? await look.choose(change) : uuidsOf(change);
    const goes = change.kind === 'replace' ? await removeOthers(tx, groupId, ids) : [];
    const isAddition = change.kind === 'add' || change.kind === 'replace';
    const [won, lost] = isAddition
      ? [await addMembers(tx, groupId, ids), goes]
      : [[], await removeMembers(tx, groupId, ids)];
    note(lost, removed, added);
    note(won, added, removed);
    look.note(won, lost);
  }
  if (added.size === 0 && removed.size === 0) return undefined;
  const { rows } = await sql<{ version: string }>(
    tx,
    `with w as (
       update resources set member_count = member_count + ?::int, members_digest = null, version = version + 1, updated_at = ${LATER}
       where id = ?::uuid returning id, resource_type, version)
     insert into changes (resource_type, resource_id, version, operation, actor, detail)
     select w.resource_type, w.id, w.version, 'membership', ?::text, ?::jsonb from w returning version`,
    [added.size - removed.size, groupId, actor, JSON.stringify({ added: added.size, removed: removed.size })],
  );
  return rows[0] && { version: rows[0].version, added: [...added], removed: [...removed] };
}

/** The members of a group that was just made: part of its creation, so neither a version nor a line of their own. */
export async function fillGroup(tx: Db, groupId: string, ids: readonly string[]): Promise<void> {
  const added = await addMembers(tx, groupId, uuidsOf({ kind: 'add', ids }));
  if (added.length > 0)
    await sql(tx, 'update resources set member_count = ?::int where id = ?::uuid', [added.length, groupId]);
}

/** @throws {InputError} `invalidValue`: what is to be added and is no UUID */
function uuidsOf({ kind, ids }: NamedMembers): readonly string[] {
  const uuids = ids.filter((id) => isUuid(id)).map((id) => id.toLowerCase());
  const wrong = kind === 'remove' ? undefined : ids.find((id) => !isUuid(id));
  if (wrong !== undefined) throw unknownMember(wrong);
  return [...new Set(uuids)];
}

/**
 * `for share` makes a deletion of the member wait, so that no membership outlives it. `except` sorts or hashes whatever
 * the planner believes; an anti-join over 10,000 ids became a nested loop of 5 s.
 *
 * A member that a later transaction wrote would come after this membership in the journal: the write is tried again, and
 * then is the later one.
 */
async function addMembers(tx: Db, groupId: string, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  if (ids.includes(groupId))
    throw new InputError('A group cannot be a member of itself.', {
      scimType: 'invalidValue',
      reason: 'member-of-itself',
    });
  const { rows } = await sql<{ won: readonly string[]; missing: string | null; early: boolean }>(
    tx,
    `with given as (select unnest(?::uuid[]) as id),
     found as materialized (select r.id, r.resource_type, ${IS_LATER} as later from resources r
       where r.id = any(?::uuid[]) and r.deleted_at is null order by r.id for share),
     won as (insert into group_members (group_id, member_id, member_type)
       select ?::uuid, id, resource_type from found on conflict do nothing returning member_id)
     select array(select member_id::text from won) as won,
       (select id::text from (select id from given except select id from found) g limit 1) as missing,
       exists (select 1 from found where later) as early`,
    [ids, ids, groupId],
  );
  const row = needed(rows[0]);
  if (row.missing !== null) throw unknownMember(row.missing);
  if (row.early) throw new TooEarlyError();
  return row.won;
}

async function removeMembers(tx: Db, groupId: string, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<{ id: string }>(
    tx,
    'delete from group_members where group_id = ?::uuid and member_id = any(?::uuid[]) returning member_id as id',
    [groupId, ids],
  );
  return rows.map(({ id }) => id);
}

async function removeOthers(tx: Db, groupId: string, ids: readonly string[]): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>(
    tx,
    'delete from group_members where group_id = ?::uuid and member_id <> all(?::uuid[]) returning member_id as id',
    [groupId, ids],
  );
  return rows.map(({ id }) => id);
}

function unknownMember(id: string): InputError {
  return new InputError(`There is no user or group "${id.slice(0, 64)}" to be a member.`, {
    scimType: 'invalidValue',
    reason: 'unknown-member',
  });
}

/** A violated unique key as the conflict that it is; any other error as it is. The deferred key speaks at commit. */
export function asConflict(error: unknown): unknown {
  if (violates(error, 'resources_unique_key_key'))
    return new ConflictError('Another user has this userName.', {
      reason: 'name-taken',
      scimType: 'uniqueness',
      cause: error,
    });
  if (violates(error, 'resources_external_id_key'))
    return new ConflictError('Another resource has this externalId.', {
      reason: 'external-id-taken',
      scimType: 'uniqueness',
      cause: error,
    });
  return error;
}

function needed<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new Error('a statement that answers one row answered none');
  return row;
}
