// Decisions about records that may mean somebody who is here already.
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export interface DisputeRow {
  readonly id: string;
  readonly candidates: readonly string[];
  readonly status: 'open' | 'adopted' | 'refused';
}

/** Locked, so that of two decisions the later one stands. */
export async function lockDispute(db: Db, id: string): Promise<DisputeRow | undefined> {
  const { rows } = await sql<DisputeRow>(
    db,
    'select id, candidates::text[] as candidates, status from disputes where id = ? for update',
    [id],
  );
  return rows[0];
}

/** The record means this resource: the next plan links them. */
export async function adopt(db: Db, id: string, resourceId: string, actor: string): Promise<void> {
  await sql(
    db,
    `update disputes set status = 'adopted', resource_id = ?, refused = array_remove(refused, ?::uuid), decided_at = now(),
       decided_by = ? where id = ?`,
    [resourceId, resourceId, actor, id],
  );
  await touchRecord(db, id);
}

/** The record means none of the candidates: no plan takes them for the same again. */
export async function refuse(db: Db, id: string, actor: string): Promise<void> {
  await sql(
    db,
    `update disputes set status = 'refused', resource_id = null, decided_at = now(), decided_by = ?,
       refused = (select array_agg(distinct r) from unnest(refused || candidates) r) where id = ?`,
    [actor, id],
  );
  await touchRecord(db, id);
}

/** A decision is something new to plan by. */
async function touchRecord(db: Db, id: string): Promise<void> {
  await sql(
    db,
    `insert into mirror_touched (provider, resource_type, external_id)
     select provider, resource_type, external_id from disputes where id = ?
     on conflict (provider, resource_type, external_id) do update set fresh = true, plan_id = null`,
    [id],
  );
}

/** Whether a person said that a record of this provider means this resource. */
export async function findAdopted(db: Db, provider: ProviderKindName, resourceId: string): Promise<boolean> {
  const { rows } = await sql(
    db,
    `select 1 from disputes where provider = ? and status = 'adopted' and resource_id = ?::uuid limit 1`,
    [provider, resourceId],
  );
  return rows.length > 0;
}

/** Of these resources, those of which a person has said that the record of this provider is somebody else. */
export async function findRefused(
  db: Db,
  provider: ProviderKindName,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>(
    db,
    `select distinct c.id from disputes d cross join unnest(d.candidates) c(id)
     where d.provider = ? and d.status = 'refused' and c.id = any(?::uuid[])`,
    [provider, ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Brings before a person that a record seems to mean somebody made by hand; once, and not again after a refusal. */
export async function raiseDispute(
  db: Db,
  dispute: {
    readonly provider: ProviderKindName;
    readonly type: ResourceType;
    readonly anchor: string;
    readonly id: string;
  },
): Promise<void> {
  await sql(
    db,
    `insert into disputes (provider, resource_type, external_id, reason, attribute, candidates)
     values (?, ?, ?, 'Disputed', 'id', array[?::uuid]) on conflict (provider, resource_type, external_id) do nothing`,
    [dispute.provider, dispute.type, dispute.anchor, dispute.id],
  );
}
