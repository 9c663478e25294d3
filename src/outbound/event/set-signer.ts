// The key that signs our tokens: made when it is first needed, opened once, and changed when the store says so.

import type { Seal } from '#platform/seal.ts';
import { makeSigningKey, openSigner, type SignSet } from '#platform/set-token.ts';
import type { Db } from '#store/database.ts';
import { currentSigningKey, insertFirstKey, rotateSigningKey } from '#store/event/signing-keys.ts';

export interface SetSigner {
  /** Makes the first key, where there is none. */
  prepare(now: Date): Promise<void>;
  /** Signs with the key of this moment. */
  open(now: Date): Promise<SignSet>;
}

export function makeSetSigner(db: Db, seal: Seal): SetSigner {
  let opened: { readonly kid: string; readonly sign: SignSet } | undefined;
  return {
    async prepare(now) {
      await needKey(db, seal, now);
    },
    async open(now) {
      const row = await needKey(db, seal, now);
      if (opened?.kid !== row.kid)
        opened = { kid: row.kid, sign: await openSigner({ kid: row.kid, privateJwk: seal.open(row.sealed) }) };
      return opened.sign;
    },
  };
}

async function needKey(db: Db, seal: Seal, now: Date) {
  const found = await currentSigningKey(db, now);
  if (found !== undefined) return found;
  const { privateJwk, ...key } = await makeSigningKey();
  await insertFirstKey(db, { ...key, sealed: seal.seal(privateJwk) }, now);
  const made = await currentSigningKey(db, now);
  if (made === undefined) throw new Error('a signing key that was just made is not there');
  return made;
}

/** A key beside the others; answers from when it signs. */
export async function rotateKey(
  db: Db,
  seal: Seal,
  when: { readonly now: Date; readonly atOnce: boolean },
): Promise<{ readonly kid: string; readonly activeAt: Date }> {
  const { privateJwk, ...key } = await makeSigningKey();
  const activeAt = await rotateSigningKey(db, { ...key, sealed: seal.seal(privateJwk) }, when);
  return { kid: key.kid, activeAt };
}
