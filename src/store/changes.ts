// The change log: one row per applied change, written in the transaction that applies it. Append only.
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from './database.ts';

export interface NewChange {
  readonly resource_type: ResourceType;
  readonly resource_id: string;
  readonly version: string;
  readonly operation: 'create' | 'update' | 'deactivate' | 'delete' | 'membership';
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
}

/** Appends changes in the order given. `actor` is `sync`, or `token:<id>`. */
export async function appendChanges(
  db: Db,
  changes: readonly NewChange[],
  { actor, runId }: { actor: string; runId: string | null },
): Promise<void> {
  if (changes.length === 0) return;
  await sql(
    db,
    `insert into changes (resource_type, resource_id, version, operation, run_id, actor, detail)
     select resource_type, resource_id, version, operation, ?::uuid, ?, detail
     from jsonb_to_recordset(?::jsonb)
       as c(resource_type text, resource_id uuid, version bigint, operation text, detail jsonb, place bigint)
     order by place`,
    [runId, actor, JSON.stringify(changes.map((change, place) => ({ ...change, place })))],
  );
}
