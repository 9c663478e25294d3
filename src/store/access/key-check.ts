// Whether SECRET_KEY is the one that sealed what is stored: a text without meaning, sealed at the first start, tells. Without
// it a wrong key would be found out when a credential is needed, by then beside new ones that it has sealed.
import { randomBytes } from 'node:crypto';
import { ConfigError } from '#core/errors.ts';
import type { Seal } from '#platform/seal.ts';
import { type Db, sql } from '../database.ts';
import { readSetting, writeSetting } from '../source/settings.ts';
import { eachSealed } from './sealed.ts';

export const KEY_CHECK = 'secret-key';

interface Stored {
  readonly sealed: string;
}

/** `unknown`: nothing is sealed here yet. */
export type KeyState = 'right' | 'wrong' | 'unknown';

/** Of a database of an earlier release, which has no such text, everything that is sealed is tried. */
export async function readKeyState(db: Db, seal: Seal): Promise<KeyState> {
  const stored = await readSetting<Stored>(db, KEY_CHECK);
  if (stored !== undefined) return opens(seal, stored.sealed) ? 'right' : 'wrong';
  let state: KeyState = 'unknown';
  for await (const { sealed } of eachSealed(db)) {
    if (opens(seal, sealed)) return 'right';
    state = 'wrong';
  }
  return state;
}

/**
 * Lets a key through that opens what is stored, or where nothing is sealed yet.
 * @param adopt called before the first text is sealed with a key that this database has not seen
 * @throws {ConfigError} `secret-key-wrong`
 */
export async function holdKey(db: Db, seal: Seal, adopt: () => void): Promise<void> {
  const state = await readKeyState(db, seal);
  if (state === 'wrong') throw refused();
  if ((await readSetting<Stored>(db, KEY_CHECK)) !== undefined) return;
  if (state === 'unknown') adopt();
  await sql(db, 'insert into settings (name, value) values (?, ?::jsonb) on conflict (name) do nothing', [
    KEY_CHECK,
    JSON.stringify(makeCheck(seal)),
  ]);
  // Another replica may have been the first.
  if ((await readKeyState(db, seal)) === 'wrong') throw refused();
}

/** Takes the key for the right one, whatever it opens. What it does not open has to be entered again. */
export async function forgetKey(db: Db, seal: Seal): Promise<void> {
  await writeSetting(db, KEY_CHECK, makeCheck(seal));
}

/** Random, since the doctor hides every sealed text from what it shows. */
function makeCheck(seal: Seal): Stored {
  return { sealed: seal.seal(randomBytes(24).toString('base64url')) };
}

function opens(seal: Seal, sealed: string): boolean {
  try {
    seal.open(sealed);
    return true;
  } catch {
    return false;
  }
}

function refused(): ConfigError {
  return new ConfigError('this SECRET_KEY is not the key that sealed the credentials in the database', {
    reason: 'secret-key-wrong',
    remedy:
      'Start with the key of before (SECRET_KEY, or secret.key in DATA_DIR). To change it, name that one in SECRET_KEYS_ACCEPTED until everything is sealed anew. If it is lost, "npm run reseal -- --key-lost" takes this one.',
  });
}
