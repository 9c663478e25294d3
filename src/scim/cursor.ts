import { createHash } from 'node:crypto';
import { InputError } from '#core/errors.ts';
import type { Seal } from '#platform/seal.ts';
import type { Place } from '#store/directory/resource-pages.ts';

/** Where a list goes on. Sealed, so that it can be neither read nor made by anybody else (RFC 9865 section 2). */
export interface Position {
  readonly place: Place;
  readonly back: boolean;
  /** How many the first page was asked for. */
  readonly count: number;
}

/** How long a cursor is good for; ServiceProviderConfig says so. */
export const CURSOR_LIFE_SECONDS = 3_600;

export interface Cursors {
  make(list: string, position: Position): string;
  /** @throws {InputError} `invalidCursor`: not ours, or of another list; `expiredCursor` */
  read(list: string, cursor: string): Position;
}

/** @param now in milliseconds */
export function makeCursors(seal: Seal, now: () => number): Cursors {
  return {
    make(list, { place, back, count }) {
      const at = Math.floor(now() / 1_000);
      const opened: Opened = [fingerprint(list), at, back ? 1 : 0, place.pos, place.key ?? null, count];
      return seal.seal(JSON.stringify(opened));
    },
    read(list, cursor) {
      const [of, at, back, pos, key, count] = open(seal, cursor);
      if (of !== fingerprint(list))
        throw new InputError('The cursor belongs to another list: filter, order or endpoint differ.', {
          scimType: 'invalidCursor',
        });
      if (now() / 1_000 - at > CURSOR_LIFE_SECONDS)
        throw new InputError('The cursor has expired.', {
          scimType: 'expiredCursor',
          remedy: 'Start again with an empty cursor.',
        });
      return { place: { pos, key }, back: back === 1, count };
    },
  };
}

type Opened = [of: string, at: number, back: 0 | 1, pos: string, key: string | null, count: number];

function open(seal: Seal, cursor: string): Opened {
  try {
    const opened: unknown = JSON.parse(seal.open(cursor));
    if (isOpened(opened)) return opened;
    throw new TypeError('sealed for another purpose');
  } catch (cause) {
    throw new InputError('The cursor is not one that was given out here.', { scimType: 'invalidCursor', cause });
  }
}

/** Everything that is sealed has one key: what was sealed for something else is no cursor. */
function isOpened(value: unknown): value is Opened {
  if (!Array.isArray(value) || value.length !== 6) return false;
  const [of, at, back, pos, key, count] = value as unknown[];
  return (
    [of, pos].every((part) => typeof part === 'string') &&
    [at, back, count].every((part) => typeof part === 'number') &&
    (key === null || typeof key === 'string')
  );
}

function fingerprint(list: string): string {
  return createHash('sha256').update(list).digest('base64url').slice(0, 16);
}
