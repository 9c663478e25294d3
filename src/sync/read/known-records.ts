import type { HeldRecord } from '#store/mirror/whole-read.ts';

const DIGEST_BYTES = 32;
const GONE = 1;
const SEEN = 2;
const LATELY = 4;
const RETURNED = 8;

/**
 * The records of one type that the mirror holds, in memory while everything is read: of each the id, the digest, and
 * whether it was seen. About 150 bytes each, so that a record that is the same costs no look into the database.
 */
export class KnownRecords {
  private readonly places = new Map<string, number>();
  private digests = Buffer.alloc(0);
  private marks = Buffer.alloc(0);

  hold(records: readonly HeldRecord[]): void {
    for (const { external_id, record_digest, gone, gone_lately = false } of records)
      this.add(external_id, record_digest, gone ? GONE + (gone_lately ? LATELY : 0) : 0);
  }

  /** Marks a record as seen with this digest; answers whether the mirror holds another one, or none that is not gone. */
  see(id: string, digest: Buffer): boolean {
    const place = this.places.get(id);
    if (place === undefined) {
      this.add(id, digest, SEEN);
      return true;
    }
    const at = place * DIGEST_BYTES;
    const mark = this.marks[place] ?? 0;
    const isSame = (mark & GONE) === 0 && digest.compare(this.digests, at, at + DIGEST_BYTES) === 0;
    this.marks[place] = SEEN + ((mark & (GONE + RETURNED)) === 0 ? 0 : RETURNED);
    if (!isSame) digest.copy(this.digests, at);
    return !isSame;
  }

  isSeen(id: string): boolean {
    const place = this.places.get(id);
    return place !== undefined && ((this.marks[place] ?? 0) & SEEN) !== 0;
  }

  /** Seen, and gone before this read. */
  isReturned(id: string): boolean {
    const place = this.places.get(id);
    return place !== undefined && ((this.marks[place] ?? 0) & RETURNED) !== 0;
  }

  returned(): string[] {
    return [...this.places.keys()].filter((id) => this.isReturned(id));
  }

  /** There before this read, or shown by it; whoever had gone before was not. */
  isHere(id: string): boolean {
    const place = this.places.get(id);
    return place !== undefined && ((this.marks[place] ?? 0) & GONE) === 0;
  }

  /** Gone for so short a time that a list may not know it yet, and not seen since. */
  isGoneLately(id: string): boolean {
    const place = this.places.get(id);
    return place !== undefined && ((this.marks[place] ?? 0) & LATELY) !== 0;
  }

  /** How many have been seen. */
  seen(): number {
    return this.marks.subarray(0, this.places.size).reduce((count, mark) => count + ((mark & SEEN) === 0 ? 0 : 1), 0);
  }

  /** Those that were there and have not been seen. */
  unseen(): string[] {
    return [...this.places].filter(([, place]) => this.marks[place] === 0).map(([id]) => id);
  }

  private add(id: string, digest: Buffer, mark: number): void {
    const place = this.places.size;
    if (place >= this.marks.length) this.grow();
    this.places.set(id, place);
    // What was never a digest, as of somebody of whom only the id is known, is shorter and equals none.
    this.digests.fill(0, place * DIGEST_BYTES, (place + 1) * DIGEST_BYTES);
    digest.copy(this.digests, place * DIGEST_BYTES);
    this.marks[place] = mark;
  }

  private grow(): void {
    const size = Math.max(1_024, this.marks.length * 2);
    this.marks = Buffer.concat([this.marks], size);
    this.digests = Buffer.concat([this.digests], size * DIGEST_BYTES);
  }
}
