// Keys that sign security event tokens. One that is new is published before it signs, and one that is old is published
// after it signed: a receiver that reads the keys now and then has always the right one.
import type { JWK } from 'jose';
import type { SigningKeyPair } from '#platform/set-token.ts';
import { type Db, sql } from '../database.ts';

/** A receiver may keep the keys for minutes; after an hour all have the new one. */
const PUBLISHED_AHEAD_MS = 3_600_000;
/** How long the old key is shown after the new one signs: for tokens that wait at a receiver. */
const KEPT_AFTER_MS = 7 * 24 * 3_600_000;

export interface SigningKeyRow {
  readonly kid: string;
  readonly algorithm: string;
  readonly public_jwk: JWK;
  readonly sealed: string;
  readonly active_at: Date;
  readonly expires_at: Date | null;
}

const COLUMNS = 'kid, algorithm, public_jwk, sealed, active_at, expires_at';

/** Every key that is published, the newest first. */
export async function listSigningKeys(db: Db, now: Date): Promise<readonly SigningKeyRow[]> {
  const { rows } = await sql<SigningKeyRow>(
    db,
    `select ${COLUMNS} from signing_keys where expires_at is null or expires_at > ? order by seq desc`,
    [now],
  );
  return rows;
}

/** The key that signs now; undefined before the first. */
export async function currentSigningKey(db: Db, now: Date): Promise<SigningKeyRow | undefined> {
  const { rows } = await sql<SigningKeyRow>(
    db,
    `select ${COLUMNS} from signing_keys where active_at <= ? and (expires_at is null or expires_at > ?) order by active_at desc, seq desc limit 1`,
    [now, now],
  );
  return rows[0];
}

export type NewSigningKey = Pick<SigningKeyPair, 'kid' | 'algorithm' | 'publicJwk'> & { readonly sealed: string };

/** The first key, unless another process was faster. */
export async function insertFirstKey(db: Db, key: NewSigningKey, now: Date): Promise<void> {
  await db.transaction(async (tx) => {
    await sql(tx, 'lock table signing_keys in share row exclusive mode');
    if ((await currentSigningKey(tx, now)) === undefined) await insertKey(tx, key, now);
  });
}

/**
 * A new key beside the others: it signs in an hour, and the others are published for a week after that. `atOnce` is for
 * a key that somebody else may have: the new one signs now, and the others are shown no more.
 */
export async function rotateSigningKey(
  db: Db,
  key: NewSigningKey,
  { now, atOnce }: { now: Date; atOnce: boolean },
): Promise<Date> {
  const activeAt = atOnce ? now : new Date(now.getTime() + PUBLISHED_AHEAD_MS);
  await sql(db, 'lock table signing_keys in share row exclusive mode');
  await sql(db, 'update signing_keys set expires_at = least(expires_at, ?::timestamptz)', [
    atOnce ? now : new Date(activeAt.getTime() + KEPT_AFTER_MS),
  ]);
  await insertKey(db, key, activeAt);
  await sql(db, `delete from signing_keys where expires_at < ?`, [new Date(now.getTime() - KEPT_AFTER_MS)]);
  return activeAt;
}

async function insertKey(db: Db, { kid, algorithm, publicJwk, sealed }: NewSigningKey, activeAt: Date): Promise<void> {
  await sql(
    db,
    'insert into signing_keys (kid, algorithm, public_jwk, sealed, active_at) values (?, ?, ?::jsonb, ?, ?)',
    [kid, algorithm, JSON.stringify(publicJwk), sealed, activeAt],
  );
}
