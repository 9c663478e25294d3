// A place in the journal of changes, and the opaque text that a consumer keeps of it.

/** Changes are read in this order: by transaction, then by number within it. Both are decimal text, larger than a double holds. */
export interface JournalPlace {
  readonly xid: string;
  readonly seq: string;
}

/** Before everything that is still kept. */
export const JOURNAL_START: JournalPlace = { xid: '0', seq: '0' };

const VERSION = 'c1';
const LONGEST = 200;

/** Opaque, and free of characters that a URL would have to escape. */
export function encodeCursor({ xid, seq }: JournalPlace): string {
  return Buffer.from(`${VERSION}.${xid}.${seq}`).toString('base64url');
}

/** Undefined when it is no cursor of ours. */
export function decodeCursor(text: string): JournalPlace | undefined {
  if (text.length > LONGEST) return undefined;
  const match = /^c1\.(\d{1,20})\.(\d{1,19})$/.exec(Buffer.from(text, 'base64url').toString('utf8'));
  const [, xid, seq] = match ?? [];
  return xid === undefined || seq === undefined ? undefined : { xid, seq };
}

/** Negative when `a` comes before `b`. */
export function comparePlaces(a: JournalPlace, b: JournalPlace): number {
  const by = BigInt(a.xid) - BigInt(b.xid) || BigInt(a.seq) - BigInt(b.seq);
  return by < 0n ? -1 : by > 0n ? 1 : 0;
}
