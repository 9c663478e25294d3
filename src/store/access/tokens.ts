// Bearer tokens of downstream apps and of administrators. Only their hash is stored.
import { randomUUID } from 'node:crypto';
import { ConflictError } from '#core/errors.ts';
import type { AppScope } from '#core/scope.ts';
import { type Db, sql } from '../database.ts';
import { type Page, type PageQuery, pageOf } from '../views/page.ts';

export interface TokenRow {
  readonly id: string;
  readonly app_id: string | null;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expires_at: Date | null;
  /** Of the app. */
  readonly scope: AppScope | null;
  readonly user_id: string | null;
}

export interface TokenView {
  readonly id: string;
  readonly name: string;
  /** The token's last four characters. */
  readonly hint: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
  /** The user that the token stands for. */
  readonly userId: string | null;
}

export async function insertToken(
  db: Db,
  token: {
    appId: string | null;
    name: string;
    hash: Buffer;
    hint: string;
    scopes: readonly string[];
    expiresAt: string | null;
    userId: string | null;
  },
): Promise<string> {
  const id = randomUUID();
  await sql(
    db,
    'insert into tokens (id, app_id, name, hash, hint, scopes, expires_at, user_id) values (?, ?, ?, ?, ?, ?::text[], ?, ?)',
    [id, token.appId, token.name, token.hash, token.hint, token.scopes, token.expiresAt, token.userId],
  );
  return id;
}

/** A token that is neither revoked nor expired. */
export async function findToken(db: Db, hash: Buffer): Promise<TokenRow | undefined> {
  const { rows } = await sql(
    db,
    `select t.id, t.app_id, t.name, t.scopes, t.expires_at, t.user_id, a.scope from tokens t left join apps a on a.id = t.app_id
     where t.hash = ? and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())`,
    [hash],
  );
  return rows[0];
}

/** Notes that a token was used, at most once a minute. */
export async function touchToken(db: Db, id: string): Promise<void> {
  await sql(
    db,
    `update tokens set last_used_at = now() where id = ? and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
    [id],
  );
}

const VIEW = `t.id, t.name, t.hint, t.scopes, t.created_at as "createdAt", t.expires_at as "expiresAt", t.revoked_at as "revokedAt",
  t.last_used_at as "lastUsedAt", t.user_id as "userId"`;
const isLive = (token: string): string =>
  `${token}.revoked_at is null and (${token}.expires_at is null or ${token}.expires_at > now())`;

/** Those of an app with a scope are let in nowhere but at its part of the directory. */
const mayAdminister = (token: string): string =>
  `${isLive(token)} and 'admin' = any(${token}.scopes)
     and not exists (select from apps a where a.id = ${token}.app_id and a.scope is not null)`;

/** Those of an app, the oldest first, revoked ones too. */
export async function listTokens(db: Db, appId: string, { limit, cursor }: PageQuery): Promise<Page<TokenView>> {
  const { rows } = await sql<TokenView & { seq: string }>(
    db,
    `select t.seq, ${VIEW} from tokens t where t.app_id = ? and t.seq > ?::bigint order by t.seq limit ?`,
    [appId, cursor ?? '0', limit + 1],
  );
  const page = pageOf(rows, limit, ({ seq }) => seq);
  return { ...page, items: page.items.map(({ seq: _seq, ...token }) => token) };
}

/** A token of whomever. */
export interface AnyTokenView extends TokenView {
  /** Null for an administrator's, and a program's that belongs to no app. */
  readonly appId: string | null;
  readonly appName: string | null;
  /** The one that the gateway was set up with: `ADMIN_TOKEN`, or the one printed at the first start. */
  readonly bootstrap: boolean;
}

export interface TokensQuery extends PageQuery {
  /** `over`: revoked or expired. */
  readonly state?: 'live' | 'over' | undefined;
}

/** Every token that there is, the newest first. */
export async function listAllTokens(db: Db, { limit, cursor, state }: TokensQuery): Promise<Page<AnyTokenView>> {
  const wanted = state === undefined ? 'true' : state === 'live' ? isLive('t') : `not (${isLive('t')})`;
  const { rows } = await sql<AnyTokenView & { seq: string }>(
    db,
    `select t.seq, ${VIEW}, t.app_id as "appId", a.name as "appName", t.app_id is null and t.name = 'bootstrap' as bootstrap
     from tokens t left join apps a on a.id = t.app_id
     where (?::bigint is null or t.seq < ?::bigint) and ${wanted} order by t.seq desc limit ?`,
    [cursor ?? null, cursor ?? null, limit + 1],
  );
  const page = pageOf(rows, limit, ({ seq }) => seq);
  return { items: page.items.map(({ seq: _seq, ...token }) => token), nextCursor: page.nextCursor };
}

/**
 * Answers the hash of what was revoked; undefined when the app, or without `appId` anybody, has no such token.
 * @throws {ConflictError} `last-admin-token`: no other token that still works may administer
 */
export async function revokeToken(tx: Db, id: string, appId?: string): Promise<Buffer | undefined> {
  await sql(tx, 'lock table tokens in share row exclusive mode');
  const { rows } = await sql<{ hash: Buffer; last: boolean }>(
    tx,
    `select t.hash, ${mayAdminister('t')} and not exists (
       select from tokens o where o.id <> t.id and ${mayAdminister('o')}) as last
     from tokens t where t.id = ? and (?::uuid is null or t.app_id = ?::uuid)`,
    [id, appId ?? null, appId ?? null],
  );
  const [found] = rows;
  if (found?.last === true) throw lastAdminToken('This is the last token that may administer the gateway.');
  if (found !== undefined)
    await sql(tx, 'update tokens set revoked_at = coalesce(revoked_at, now()) where id = ?', [id]);
  return found?.hash;
}

/**
 * Before an app goes, or gets a scope: its tokens may administer no longer.
 * @throws {ConflictError} `last-admin-token`: they may now, and none of another does
 */
export async function refuseLastAdminTokens(tx: Db, appId: string): Promise<void> {
  const ofApp = `select from tokens t where t.app_id = ? and ${mayAdminister('t')}`;
  const { rows: own } = await sql(tx, `${ofApp} limit 1`, [appId]);
  if (own.length === 0) return;
  await sql(tx, 'lock table tokens in share row exclusive mode');
  const { rows } = await sql<{ last: boolean }>(
    tx,
    `select exists (${ofApp})
       and not exists (select from tokens o where o.app_id is distinct from ? and ${mayAdminister('o')}) as last`,
    [appId, appId],
  );
  if (rows[0]?.last === true) throw lastAdminToken('The last token that may administer the gateway is of this app.');
}

function lastAdminToken(message: string): ConflictError {
  return new ConflictError(message, {
    reason: 'last-admin-token',
    remedy: 'Make another one with the scope "admin" first, and keep it.',
  });
}

/** Makes `hash` the bootstrap token when no administrator has one. False when somebody has, or another process was first. */
export async function makeFirstToken(db: Db, hash: Buffer, hint: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    await sql(tx, 'lock table tokens in share row exclusive mode');
    const { rows } = await sql(
      tx,
      `select 1 from tokens where app_id is null and 'admin' = any(scopes) and revoked_at is null limit 1`,
    );
    if (rows.length > 0) return false;
    await insertBootstrap(tx, hash, hint);
    return true;
  });
}

/** Makes `hash` the one bootstrap token; an earlier one no longer works. */
export async function replaceBootstrapToken(db: Db, hash: Buffer, hint: string): Promise<void> {
  await db.transaction(async (tx) => {
    await sql(
      tx,
      `update tokens set revoked_at = now() where app_id is null and name = 'bootstrap' and revoked_at is null and hash <> ?`,
      [hash],
    );
    await insertBootstrap(tx, hash, hint);
  });
}

async function insertBootstrap(tx: Db, hash: Buffer, hint: string): Promise<void> {
  await sql(
    tx,
    `insert into tokens (id, name, hash, hint, scopes) values (?, 'bootstrap', ?, ?, '{admin}')
     on conflict (hash) do update set revoked_at = null`,
    [randomUUID(), hash, hint],
  );
}

/** Tokens of this app, or of any without one, that may write over SCIM, and when one was last used. */
export async function readWriters(
  db: Db,
  appId: string | null,
): Promise<{ readonly usable: number; readonly lastUsedAt: Date | null }> {
  const { rows } = await sql<{ usable: number; lastUsedAt: Date | null }>(
    db,
    `select count(*)::int as usable, max(last_used_at) as "lastUsedAt" from tokens
     where app_id is not null and app_id = coalesce(?::uuid, app_id) and 'scim:write' = any(scopes) and revoked_at is null
       and (expires_at is null or expires_at > now())`,
    [appId],
  );
  return rows[0] ?? { usable: 0, lastUsedAt: null };
}
