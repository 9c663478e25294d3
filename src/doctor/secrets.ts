// Whether everything that was sealed can be opened; and all of it in plain, so that it can be kept out of what is shown.
import type { Seal } from '#platform/seal.ts';
import { type KeyState, readKeyState } from '#store/access/key-check.ts';
import { eachSealed } from '#store/access/sealed.ts';
import type { Db } from '#store/database.ts';
import type { Finding } from './report.ts';

export interface Opened {
  readonly findings: readonly Finding[];
  /** Every value that must be seen nowhere. */
  readonly plain: readonly string[];
}

export async function openSecrets(db: Db, seal: Seal): Promise<Opened> {
  const plain: string[] = [];
  const closed: string[] = [];
  let count = 0;
  for await (const { place, key, sealed } of eachSealed(db)) {
    count += 1;
    try {
      plain.push(...valuesOf(seal.open(sealed)));
    } catch {
      closed.push(`${place} of ${key}`);
    }
  }
  const key = keyOf(await readKeyState(db, seal));
  const about = { area: 'Secrets', name: 'sealed credentials' };
  if (closed.length === 0)
    return {
      plain,
      findings: [key, { ...about, level: 'ok', detail: `All ${count} can be opened with the keys given.` }],
    };
  const detail = `${closed.length} of ${count} cannot be opened: ${closed.slice(0, 5).join(', ')}.`;
  const remedy =
    'Give the SECRET_KEY that sealed them, or add it to SECRET_KEYS_ACCEPTED; or save those credentials again.';
  return { plain, findings: [key, { ...about, level: 'problem', detail, remedy }] };
}

function keyOf(state: KeyState): Finding {
  const about = { area: 'Secrets', name: 'SECRET_KEY' };
  if (state === 'right') return { ...about, level: 'ok', detail: 'It is the key of this database.' };
  if (state === 'unknown') return { ...about, level: 'ok', detail: 'Nothing is sealed in this database yet.' };
  return {
    ...about,
    level: 'problem',
    detail: 'It is not the key that sealed what is in this database; no gateway starts with it.',
    remedy: 'Give the key of before. If it is lost, npm run reseal -- --key-lost takes this one.',
  };
}

/** Every text in it, since most are sealed as one JSON. */
function valuesOf(text: string): string[] {
  try {
    return textsIn(JSON.parse(text));
  } catch {
    return [text];
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
