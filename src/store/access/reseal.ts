// Everything that is sealed, sealed anew when SECRET_KEY changes.
import type { Seal } from '#platform/seal.ts';
import type { Db } from '../database.ts';
import { eachSealed } from './sealed.ts';

export interface Resealed {
  /** Sealed with the present key by this call. */
  readonly resealed: number;
  /** That already were. */
  readonly current: number;
  /** What no key that is known here opens: it stays as it is. */
  readonly unopened: readonly { readonly place: string; readonly key: string }[];
}

/**
 * Seals with the present key whatever another one has sealed. Gateways may be running: each text is replaced by itself,
 * and only if it is still the one that was read. A call that finds nothing to do changes nothing. In a transaction, for
 * the audit entry beside it, those who save the same settings wait.
 */
export async function reseal(db: Db, seal: Seal): Promise<Resealed> {
  let [resealed, current] = [0, 0];
  const unopened: { place: string; key: string }[] = [];
  for await (const { place, key, sealed, replace } of eachSealed(db)) {
    const fresh = seal.isCurrent(sealed) ? undefined : sealedAnew(seal, sealed);
    if (seal.isCurrent(sealed)) current += 1;
    else if (fresh === undefined) unopened.push({ place, key });
    else resealed += await replace(fresh);
  }
  return { resealed, current, unopened };
}

function sealedAnew(seal: Seal, sealed: string): string | undefined {
  try {
    return seal.seal(seal.open(sealed));
  } catch {
    return undefined;
  }
}
