// A place in the journal of changes, and the opaque text that a consumer keeps of it.

/** Changes are read in this order: by transaction, then by number within it. Both are decimal text, larger than a double holds. */
export interface JournalPlace {
  readonly xid: string;
  readonly seq: string;
  /** Which order the place is of: it is made anew when the database moves to another server. Absent for places that move along. */
  readonly epoch?: number;
}

/** Before everything that is still kept. */
export const JOURNAL_START: JournalPlace = { xid: '0', seq: '0' };

/** The first order has no number. */
const FIRST = /^c1\.(?<xid>\d{1,20})\.(?<seq>\d{1,19})$/;
const LATER = /^c2\.(?<epoch>\d{1,9})\.(?<xid>\d{1,20})\.(?<seq>\d{1,19})$/;
const LONGEST = 200;

/** Opaque, and free of characters that a URL would have to escape. */
export function encodeCursor({ xid, seq, epoch = 0 }: JournalPlace): string {
  const text = epoch === 0 ? `c1.${xid}.${seq}` : `c2.${epoch}.${xid}.${seq}`;
  return Buffer.from(text).toString('base64url');
}

/** The largest that PostgreSQL has. */
const XID_MAX = 2n ** 64n - 1n;
const SEQ_MAX = 2n ** 63n - 1n;

/** Undefined when it is no cursor of ours. */
export function decodeCursor(text: string): JournalPlace | undefined {
  if (text.length > LONGEST) return undefined;
  const plain = Buffer.from(text, 'base64url').toString('utf8');
  const { xid, seq, epoch = '0' } = (FIRST.exec(plain) ?? LATER.exec(plain))?.groups ?? {};
  if (xid === undefined || seq === undefined || BigInt(xid) > XID_MAX || BigInt(seq) > SEQ_MAX) return undefined;
  return { xid, seq, epoch: Number(epoch) };
}

/** Negative when `a` comes before `b`. */
export function comparePlaces(a: JournalPlace, b: JournalPlace): number {
  const by = BigInt(a.xid) - BigInt(b.xid) || BigInt(a.seq) - BigInt(b.seq);
  return by < 0n ? -1 : by > 0n ? 1 : 0;
}
