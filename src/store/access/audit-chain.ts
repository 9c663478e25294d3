// The audit log as a chain of hashes. Entries are sealed in the order in which they are found committed, shortly after
// their transaction and never within it: administrators do not queue for a lock.
import { createHash } from 'node:crypto';
import { type Db, sql } from '../database.ts';

/** Entries of one step; one is about 200 bytes. */
const STEP = 1_000;
/** Any number that no other advisory lock uses. */
const SEALING_LOCK = 7_214_455_303;
const GENESIS = Buffer.alloc(32);
/** No link is as high. */
const BEYOND = '9223372036854775807';

interface Entry {
  readonly seq: string;
  /** What is hashed beside the hash before. */
  readonly text: string;
}

/** Of the chain so far. */
interface End {
  readonly link: string;
  readonly hash: Buffer;
}

interface SealedEntry extends Entry, End {
  readonly previous: Buffer;
}

/** In UTC and with all its digits, whatever the session says. */
const TEXT = `jsonb_build_array(seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS'), actor, action, object, detail)::text`;

/** The end of the chain. */
export interface ChainHead {
  readonly link: string;
  /** Hex. */
  readonly hash: string;
}

/** Adds what was committed since to the chain. Answers its new end, or undefined when there was nothing to add. */
export async function sealAudit(db: Db): Promise<ChainHead | undefined> {
  let head: ChainHead | undefined;
  for (;;) {
    const next = await db.transaction((tx) => sealStep(tx));
    if (next === undefined) return head;
    head = next;
  }
}

async function sealStep(tx: Db): Promise<ChainHead | undefined> {
  const { rows: locks } = await sql(tx, 'select pg_try_advisory_xact_lock(?::bigint) as mine', [SEALING_LOCK]);
  if (locks[0]?.mine !== true) return undefined;
  const { rows } = await sql<Entry>(
    tx,
    `select seq, ${TEXT} as text from audit where link is null order by seq limit ${STEP}`,
  );
  if (rows.length === 0) return undefined;
  const { rows: last } = await sql(
    tx,
    `(select link, hash from audit where link is not null order by link desc limit 1)
     union all select link, hash from audit_anchor order by link desc limit 1`,
  );
  let link = BigInt(last[0]?.link ?? 0);
  let previous: Buffer = last[0]?.hash ?? GENESIS;
  const sealed = rows.map(({ seq, text }) => {
    link += 1n;
    const before = previous;
    previous = hashOf(before, text);
    return { seq, link: String(link), previous: before.toString('hex'), hash: previous.toString('hex') };
  });
  await sql(
    tx,
    `update audit a set link = s.link, previous = decode(s.previous, 'hex'), hash = decode(s.hash, 'hex')
     from unnest(?::bigint[], ?::bigint[], ?::text[], ?::text[]) as s(seq, link, previous, hash) where a.seq = s.seq`,
    [
      sealed.map(({ seq }) => seq),
      sealed.map((one) => one.link),
      sealed.map((one) => one.previous),
      sealed.map(({ hash }) => hash),
    ],
  );
  return { link: String(link), hash: previous.toString('hex') };
}

function hashOf(previous: Buffer, text: string): Buffer {
  return createHash('sha256').update(previous).update(text, 'utf8').digest();
}

/**
 * Removes the oldest entries of the chain, up to the first that is not older than the cutoff, and keeps where it begins
 * then. Entries that are not sealed stay. Answers how many went, fewer than `limit` when there is no more.
 */
export async function deleteOldestAudit(db: Db, before: Date, limit: number): Promise<number> {
  const { rows } = await sql(
    db,
    `with oldest as (select link, at from audit where link is not null order by link limit ?),
     gone as (delete from audit where link in (
       select link from oldest where link < coalesce((select min(link) from oldest where at >= ?), ${BEYOND}))
       returning link, hash),
     kept as (insert into audit_anchor as a (link, hash) select link, hash from gone order by link desc limit 1
       on conflict (singleton) do update set link = excluded.link, hash = excluded.hash where excluded.link > a.link)
     select count(*)::int as count from gone`,
    [limit, before],
  );
  return rows[0].count;
}

export interface ChainCheck {
  readonly ok: boolean;
  /** Sealed entries that were looked at. */
  readonly entries: number;
  /** Written a moment ago and not sealed yet. */
  readonly unsealed: number;
  readonly head: ChainHead | null;
  /** The first entry that is not as it was sealed, or before which one is missing. */
  readonly brokenAt: { readonly id: string; readonly problem: 'changed' | 'missing' } | null;
  /** Whether the hash asked for is in the chain; null when none was asked for. */
  readonly contains: boolean | null;
}

/**
 * Goes through the whole chain. What retention removed from its beginning is no break; anything else that is missing
 * there is. Give a transaction that sees one state, so that retention does not come between.
 * @param known hex of a hash that was the end of the chain once: shows that nothing was cut off since
 * @param left stops it between two steps, with its reason
 */
export async function verifyAudit(db: Db, known?: string, left?: AbortSignal): Promise<ChainCheck> {
  let entries = 0;
  const { rows: anchors } = await sql<End>(db, 'select link, hash from audit_anchor');
  // What is left follows from the entry that retention removed last.
  let contains = anchors[0]?.hash.toString('hex') === known;
  let last: End = anchors[0] ?? { link: '0', hash: GENESIS };
  let brokenAt: ChainCheck['brokenAt'] = null;
  for (;;) {
    left?.throwIfAborted();
    const { rows } = await sql<SealedEntry>(
      db,
      `select seq, link, previous, hash, ${TEXT} as text from audit where link > ?::bigint order by link limit ${STEP}`,
      [last.link],
    );
    for (const entry of rows) {
      brokenAt ??= problemOf(entry, last);
      contains ||= entry.hash.toString('hex') === known;
      entries += 1;
      last = entry;
    }
    if (rows.length < STEP) break;
  }
  const { rows } = await sql(db, 'select count(*)::int as unsealed from audit where link is null');
  return {
    ok: brokenAt === null && (known === undefined || contains),
    entries,
    unsealed: rows[0].unsealed,
    head: entries === 0 ? null : { link: last.link, hash: last.hash.toString('hex') },
    brokenAt,
    contains: known === undefined ? null : contains,
  };
}

function problemOf(entry: SealedEntry, last: End): ChainCheck['brokenAt'] {
  const follows = BigInt(entry.link) === BigInt(last.link) + 1n && entry.previous.equals(last.hash);
  if (!follows) return { id: entry.seq, problem: 'missing' };
  return hashOf(entry.previous, entry.text).equals(entry.hash) ? null : { id: entry.seq, problem: 'changed' };
}
