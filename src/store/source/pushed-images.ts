// What pushed writes changed, kept so that each can be undone: before-images beside the change log, made into a run and
// its plan when somebody asks for it.
import { randomUUID } from 'node:crypto';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import type { ChangeOperation } from '../directory/changes.ts';
import { countOutcomes } from '../plan/plans.ts';

const PROVIDER: ProviderKindName = 'scim';

export interface NewImage {
  readonly id: string;
  readonly operation: Exclude<ChangeOperation, 'create'>;
  readonly actor: string;
  /** What becomes of it; null for a deletion, and where the resource itself stays as it is. */
  readonly after: string | null;
  /** Its memberships end with this. */
  readonly leaves?: boolean | undefined;
}

/**
 * Keeps a locked resource as it is now, before a write makes its next version. Of somebody who goes, the memberships
 * too.
 */
export async function keepImage(tx: Db, { id, operation, actor, after, leaves = false }: NewImage): Promise<void> {
  await sql(
    tx,
    `with kept as (
       insert into pushed_images (resource_id, version, resource_type, operation, external_id, label, before, before_left_at, after, actor)
       select id, version + 1, resource_type, ?, external_id, display, body, left_at, ?, ? from resources where id = ?::uuid
       returning resource_id, version)
     insert into pushed_members (resource_id, version, group_id, member_id, member_type, removed)
     select k.resource_id, k.version, gm.group_id, gm.member_id, gm.member_type, true from kept k
     join group_members gm on gm.member_id = k.resource_id or gm.group_id = k.resource_id and ?::text = 'delete' where ?::boolean`,
    [operation, after, actor, id, operation, leaves],
  );
}

/** The same of a resource that was just made, in the version that it has. */
export async function keepCreation(tx: Db, { id, actor }: { readonly id: string; readonly actor: string }) {
  await sql(
    tx,
    `insert into pushed_images (resource_id, version, resource_type, operation, external_id, label, after, actor)
     select id, version, resource_type, 'create', external_id, display, body, ? from resources where id = ?::uuid`,
    [actor, id],
  );
}

/** Keeps which members came and went in the version that a locked group has now. */
export async function keepMembers(
  tx: Db,
  { id, actor }: { readonly id: string; readonly actor: string },
  members: { readonly added: readonly string[]; readonly removed: readonly string[] },
): Promise<void> {
  await sql(
    tx,
    `with kept as (
       insert into pushed_images (resource_id, version, resource_type, operation, external_id, label, actor)
       select id, version, resource_type, 'membership', external_id, display, ? from resources where id = ?::uuid
       returning resource_id, version)
     insert into pushed_members (resource_id, version, group_id, member_id, member_type, removed)
     select k.resource_id, k.version, k.resource_id, m.id, r.resource_type, m.removed from kept k
     cross join (select unnest(?::uuid[]) as id, false as removed union all select unnest(?::uuid[]), true) m
     join resources r on r.id = m.id`,
    [actor, id, members.added, members.removed],
  );
}

/** Why a write changed something, in the words of a plan. */
const REASON = `case operation when 'create' then 'NewInSource' when 'update' then 'AttributesChanged' when 'deactivate' then 'SourceDisabled'
  when 'delete' then 'SourceHardDeleted' else 'MembersChanged' end`;

export interface PushedWrite {
  readonly resourceId: string;
  readonly version: string;
}

/**
 * The run that stands for a pushed write, with its plan as if it had been applied by one: made when it is first asked
 * for. Undefined when what it changed is not kept, or not any more.
 */
export async function runOfWrite(tx: Db, { resourceId, version }: PushedWrite, configVersion: string) {
  const { rows } = await sql<{ run_id: string | null }>(
    tx,
    'select run_id from pushed_images where resource_id = ?::uuid and version = ?::bigint for update',
    [resourceId, version],
  );
  const [image] = rows;
  if (image === undefined || image.run_id !== null) return image?.run_id ?? undefined;
  const runId = randomUUID();
  const planId = randomUUID();
  const key = [resourceId, version];
  await sql(
    tx,
    `with image as (update pushed_images set run_id = ?::uuid where resource_id = ?::uuid and version = ?::bigint returning *)
     insert into runs (id, provider, mode, trigger, status, plan_id, config_version, requested_by, created_at, started_at, finished_at,
       notified_at)
     select ?, '${PROVIDER}', 'full', 'push', 'succeeded', ?, ?, actor, at, at, at, now() from image`,
    [runId, ...key, runId, planId, configVersion],
  );
  await sql(
    tx,
    `insert into plans (id, run_id, provider, config_version, status, complete, decided_at) values (?, ?, '${PROVIDER}', ?, 'applied', true, now())`,
    [planId, runId, configVersion],
  );
  await sql(
    tx,
    `insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, base_version, before,
       after, before_left_at, added, removed, outcome, outcome_at, applied_version, attributes)
     select ?, 1, operation, case when operation in ('deactivate', 'delete') then 'remove' else operation end, resource_type, resource_id,
       external_id, label, ${REASON}, version - 1, before, after, before_left_at,
       (select count(*) from pushed_members m where m.resource_id = i.resource_id and m.version = i.version and not m.removed),
       (select count(*) from pushed_members m where m.resource_id = i.resource_id and m.version = i.version and m.removed),
       'applied', at, version, case when operation = 'membership' then array['members'] else '{}' end
     from pushed_images i where resource_id = ?::uuid and version = ?::bigint`,
    [planId, ...key],
  );
  await sql(
    tx,
    `with m as (select m.*, i.operation from pushed_members m join pushed_images i using (resource_id, version)
       where m.resource_id = ?::uuid and m.version = ?::bigint),
     lost as (insert into plan_lost_members (plan_id, seq, group_id, member_id, member_type)
       select ?, 1, group_id, member_id, member_type from m where operation <> 'membership')
     insert into plan_members (plan_id, seq, member_external_id, member_id, member_type, removed)
     select ?, 1, coalesce(r.external_id, m.member_id::text), m.member_id, m.member_type, m.removed from m
     left join resources r on r.id = m.member_id where operation = 'membership'`,
    [...key, planId, planId],
  );
  const { counts, byType } = await countOutcomes(tx, planId);
  await sql(tx, 'update runs set counts = ?::jsonb, counts_by_type = ?::jsonb where id = ?', [
    JSON.stringify(counts),
    JSON.stringify(byType),
    runId,
  ]);
  return runId;
}

/** What nobody can undo any more. */
export async function deleteOldImages(db: Db, before: Date, limit: number): Promise<number> {
  const { rowCount } = await sql(
    db,
    `delete from pushed_images where (resource_id, version) in (
       select resource_id, version from pushed_images where at < ? order by at limit ?)`,
    [before, limit],
  );
  return rowCount ?? 0;
}
