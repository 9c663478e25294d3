// Keys that sign security event tokens, and the tokens themselves. The work is done by jose.
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';

/** Taken by every JOSE library, and small: a signature is 64 bytes (RFC 7518 section 3.4). */
const ALGORITHM = 'ES256';

export interface SigningKeyPair {
  /** The thumbprint of the public key (RFC 7638), so that it names the same key for ever. */
  readonly kid: string;
  readonly algorithm: string;
  /** What `jwks.json` shows. */
  readonly publicJwk: JWK;
  /** JSON text; only ever stored sealed. */
  readonly privateJwk: string;
}

export async function makeSigningKey(): Promise<SigningKeyPair> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const bare = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(bare);
  const publicJwk = { ...bare, kid, alg: ALGORITHM, use: 'sig' };
  return { kid, algorithm: ALGORITHM, publicJwk, privateJwk: JSON.stringify(await exportJWK(privateKey)) };
}

/** Signs the claims of one token after another. */
export type SignSet = (claims: string) => Promise<string>;

/** A signer with a key, which is read once. Tokens have the type `secevent+jwt` (RFC 8417 section 2.3). */
export async function openSigner({ kid, privateJwk }: Pick<SigningKeyPair, 'kid' | 'privateJwk'>): Promise<SignSet> {
  const key = await importJWK(JSON.parse(privateJwk) as JWK, ALGORITHM);
  return (claims) =>
    new CompactSign(new TextEncoder().encode(claims))
      .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'secevent+jwt' })
      .sign(key);
}
