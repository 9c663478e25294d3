// Who did what, when. Written in the transaction of the deed.
import { type Db, sql } from './database.ts';
import { type Page, type PageQuery, pageOf } from './views/page.ts';

export interface AuditEntry {
  readonly actor: string;
  /** `noun.verb`: `provider.activate`, `plan.approve`. */
  readonly action: string;
  readonly object?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export async function writeAudit(db: Db, { actor, action, object, detail }: AuditEntry): Promise<void> {
  await sql(db, 'insert into audit (actor, action, object, detail) values (?, ?, ?, ?::jsonb)', [
    actor,
    action,
    object ?? null,
    detail === undefined ? null : JSON.stringify(detail),
  ]);
}

export interface AuditView {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly object: string | null;
  readonly detail: unknown;
}

/** Newest first. */
export async function listAudit(db: Db, { limit, cursor }: PageQuery): Promise<Page<AuditView>> {
  const { rows } = await sql(
    db,
    `select seq as id, at, actor, action, object, detail from audit where ?::bigint is null or seq < ?::bigint
     order by seq desc limit ?`,
    [cursor ?? null, cursor ?? null, limit + 1],
  );
  return pageOf(rows as readonly AuditView[], limit, ({ id }) => id);
}
