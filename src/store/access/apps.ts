// Downstream apps: who reads our directory, and with which limits.
import { randomUUID } from 'node:crypto';
import { ConflictError } from '#core/errors.ts';
import { foldCase } from '#core/search.ts';
import { type Db, sql } from '../database.ts';
import { violates } from '../database-errors.ts';
import { type Page, type PageQuery, pageOf } from '../views/page.ts';
import { refuseLastAdminTokens } from './tokens.ts';

export interface AppView {
  readonly id: string;
  readonly name: string;
  readonly scope: unknown;
  readonly push: unknown;
  readonly createdAt: string;
  readonly updatedAt: string;
}

const COLUMNS = 'id, name, scope, push, created_at as "createdAt", updated_at as "updatedAt"';

/** @throws {ConflictError} `app-name-taken` */
export async function insertApp(db: Db, app: { name: string; scope: unknown }): Promise<AppView> {
  const { rows } = await sql(
    db,
    `insert into apps (id, name, name_key, scope) values (?, ?, ?, ?::jsonb) on conflict (name_key) do nothing
     returning ${COLUMNS}`,
    [randomUUID(), app.name, foldCase(app.name), app.scope === null ? null : JSON.stringify(app.scope)],
  );
  if (rows[0] === undefined) throw nameTaken(app.name);
  return rows[0];
}

export async function readApp(db: Db, id: string): Promise<AppView | undefined> {
  const { rows } = await sql(db, `select ${COLUMNS} from apps where id = ?`, [id]);
  return rows[0];
}

/** In the order in which they were made. */
export async function listApps(db: Db, { limit, cursor }: PageQuery): Promise<Page<AppView>> {
  const { rows } = await sql(
    db,
    `select seq, ${COLUMNS} from apps where ?::bigint is null or seq > ?::bigint order by seq limit ?`,
    [cursor ?? null, cursor ?? null, limit + 1],
  );
  const page = pageOf(rows as readonly (AppView & { seq: string })[], limit, ({ seq }) => seq);
  return { items: page.items.map(({ seq: _seq, ...app }) => app), nextCursor: page.nextCursor };
}

/** @throws {ConflictError} `app-name-taken`, and the transaction is over then; `last-admin-token` */
export async function updateApp(
  db: Db,
  app: { id: string; name: string; scope: unknown },
): Promise<AppView | undefined> {
  if (app.scope !== null) await refuseLastAdminTokens(db, app.id);
  try {
    const { rows } = await sql(
      db,
      `update apps set name = ?, name_key = ?, scope = ?::jsonb, updated_at = now() where id = ? returning ${COLUMNS}`,
      [app.name, foldCase(app.name), app.scope === null ? null : JSON.stringify(app.scope), app.id],
    );
    return rows[0];
  } catch (error) {
    throw violates(error, 'apps_name_key') ? nameTaken(app.name) : error;
  }
}

/** Its tokens go with it. @throws {ConflictError} `last-admin-token` */
export async function deleteApp(db: Db, id: string): Promise<boolean> {
  await refuseLastAdminTokens(db, id);
  const { rowCount } = await sql(db, 'delete from apps where id = ?', [id]);
  return rowCount === 1;
}

function nameTaken(name: string): ConflictError {
  return new ConflictError(`An app named "${name}" exists already.`, {
    reason: 'app-name-taken',
    remedy: 'Choose another name, or change the app that has it.',
  });
}
