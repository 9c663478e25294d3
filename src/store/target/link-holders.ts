// Links while they are written: who has one, and how two accounts exchange theirs.
import type { Origin, ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

/** A row about to be written, as far as its link is concerned. */
export interface LinkedRow {
  readonly id: string;
  readonly resource_type: ResourceType;
  readonly origin: Origin;
  readonly external_id: string | null;
}

function bindLinks(rows: readonly LinkedRow[]): readonly (readonly (string | null)[])[] {
  const linked = rows.filter(({ origin }) => origin !== 'manual');
  return [
    linked.map(({ id }) => id),
    linked.map(({ resource_type }) => resource_type),
    linked.map(({ origin }) => origin),
    linked.map(({ external_id }) => external_id),
  ];
}

const HOLDERS = `unnest(?::uuid[], ?::text[], ?::text[], ?::text[]) as w(id, type, origin, external_id)
  join resources r on r.resource_type = w.type and r.origin = w.origin and r.external_id = w.external_id and r.deleted_at is null`;

/** Who has these links now, by `linkKey`. What was made by hand has no link. */
export async function readLinkHolders(db: Db, rows: readonly LinkedRow[]): Promise<Map<string, string>> {
  const { rows: found } = await sql<LinkedRow>(
    db,
    `select r.id, r.resource_type, r.origin, r.external_id from ${HOLDERS}`,
    bindLinks(rows),
  );
  return new Map(found.map((row) => [linkKey(row) ?? '', row.id]));
}

/** What no two resources may have. Undefined for a resource without a link. */
export function linkKey({ resource_type, origin, external_id }: Omit<LinkedRow, 'id'>): string | undefined {
  return origin === 'manual' || external_id === null ? undefined : `${resource_type} ${origin} ${external_id}`;
}

/**
 * Of these rows about to be written, takes the links away from whoever else has them: two accounts that exchange their
 * links would otherwise stand in each other's way.
 */
export async function freeLinks(db: Db, rows: readonly LinkedRow[]): Promise<void> {
  await sql(
    db,
    `update resources o set external_id = null from (select r.id from ${HOLDERS} where r.id <> w.id) held where o.id = held.id`,
    bindLinks(rows),
  );
}

/** Whether a plan changes links. */
export async function hasLinks(db: Db, planId: string): Promise<boolean> {
  const { rows } = await sql(
    db,
    `select 1 where exists (select 1 from plan_links where plan_id = ?)
       or exists (select 1 from plan_items i join plans p on p.id = i.plan_id where p.id = ? and p.reverts is not null
         and i.after_origin is not null)`,
    [planId, planId],
  );
  return rows.length > 0;
}
