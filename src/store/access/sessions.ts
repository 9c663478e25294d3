// Sessions of people in the console. Only the hash of the cookie is stored.
import { randomUUID } from 'node:crypto';
import { type Db, sql } from '../database.ts';

export type Role = 'viewer' | 'operator' | 'admin';

export interface SessionRow {
  readonly id: string;
  readonly token_id: string | null;
  readonly subject: string | null;
  readonly name: string;
  readonly role: Role;
  readonly method: 'token' | 'oidc';
  readonly signed_in_at: Date;
  readonly expires_at: Date;
}

export interface NewSession {
  readonly hash: Buffer;
  readonly tokenId: string | null;
  readonly subject: string | null;
  readonly name: string;
  readonly role: Role;
  readonly method: 'token' | 'oidc';
  /** When it was proven who it is; now, unless that was earlier. */
  readonly signedInAt?: Date;
}

/** Without a request for so long, it is over. */
const IDLE = '30 minutes';
/** However busy, it is over after this long. */
const LIFE = '8 hours';
const TOUCH_EVERY = '1 minute';

const COLUMNS = 's.id, s.token_id, s.subject, s.name, s.role, s.method, s.signed_in_at, s.expires_at';

/** Opens a session, and clears away those that are over. */
export async function insertSession(db: Db, session: NewSession): Promise<SessionRow> {
  const { hash, tokenId, subject, name, role, method, signedInAt } = session;
  await sql(db, `delete from sessions where expires_at < now() or seen_at < now() - interval '${IDLE}'`);
  const { rows } = await sql(
    db,
    `insert into sessions as s (id, hash, token_id, subject, name, role, method, signed_in_at, expires_at)
     values (?, ?, ?, ?, ?, ?, ?, least(coalesce(?::timestamptz, now()), now()), now() + interval '${LIFE}') returning ${COLUMNS}`,
    [randomUUID(), hash, tokenId, subject, name, role, method, signedInAt ?? null],
  );
  return rows[0];
}

/** A session that is not over, nor is the token it was opened with. */
export async function findSession(db: Db, hash: Buffer): Promise<SessionRow | undefined> {
  const { rows } = await sql(
    db,
    `select ${COLUMNS} from sessions s left join tokens t on t.id = s.token_id
     where s.hash = ? and s.expires_at > now() and s.seen_at > now() - interval '${IDLE}'
       and (s.token_id is null or t.revoked_at is null and (t.expires_at is null or t.expires_at > now()))`,
    [hash],
  );
  return rows[0];
}

/** Notes that a person did something, at most once a minute. */
export async function touchSession(db: Db, id: string): Promise<void> {
  await sql(db, `update sessions set seen_at = now() where id = ? and seen_at < now() - interval '${TOUCH_EVERY}'`, [
    id,
  ]);
}

export async function endSession(db: Db, id: string): Promise<void> {
  await sql(db, 'delete from sessions where id = ?', [id]);
}

/** Ends it in a moment: requests of the same browser that are on their way still come with it. */
export async function endSessionSoon(db: Db, id: string): Promise<void> {
  await sql(db, `update sessions set expires_at = least(expires_at, now() + interval '10 seconds') where id = ?`, [id]);
}

/** Ends every session of the same person, or of the same token. */
export async function endSessionsOf(
  db: Db,
  { token_id, subject }: Pick<SessionRow, 'token_id' | 'subject'>,
): Promise<void> {
  await sql(db, 'delete from sessions where token_id = ?::uuid or subject = ?::text', [token_id, subject]);
}
