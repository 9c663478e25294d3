// The members of a group as the entry names them. Active Directory gives 1,500 at a time of a larger group, as
// `member;range=0-1499`, and the rest only to whoever asks. Source: MS-ADTS section 3.1.1.3.1.3.3, checked 2026-11.
import type { Connection, RawEntry } from './connection.ts';
import { incompleteRange } from './failures.ts';
import { textsOf } from './records.ts';

/** Lists of names, in their order: one, or as many as the server makes of it. */
export async function* memberNames(
  connection: Pick<Connection, 'first'>,
  group: RawEntry,
  attribute: string,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  let entry = group;
  for (;;) {
    const range = rangeOf(entry, attribute);
    if (range === undefined) {
      yield textsOf(entry, attribute);
      return;
    }
    yield range.names;
    if (range.last === '*') return;
    const next = Number(range.last) + 1;
    const [found] = await connection.first(
      {
        base: group.dn,
        scope: 'base',
        filter: '(objectClass=*)',
        attributes: [`${attribute};range=${next}-*`],
        doing: 'search of members',
      },
      signal,
    );
    // What was there a moment ago is gone, or the server forgot where it was: nobody knows who else is a member.
    if (found === undefined || rangeOf(found, attribute)?.from !== next) throw incompleteRange();
    entry = found;
  }
}

const IN_PART = /;range=\d+-(\d+|\*)$/i;

/** The same entry with all values of the attributes of which the server gave a part, as Active Directory does of any. */
export async function wholeEntry(
  connection: Pick<Connection, 'first'>,
  entry: RawEntry,
  signal: AbortSignal,
): Promise<RawEntry> {
  const parts = entry.attributes.filter(({ type }) => IN_PART.test(type));
  if (parts.length === 0) return entry;
  const attributes = entry.attributes.filter(({ type }) => !IN_PART.test(type));
  for (const { type } of parts) {
    const name = type.replace(IN_PART, '');
    const values: Buffer[] = [];
    for await (const some of memberNames(connection, entry, name, signal))
      values.push(...some.map((value) => Buffer.from(value)));
    attributes.push({ type: name, values });
  }
  return { ...entry, attributes };
}

interface Range {
  readonly from: number;
  readonly last: string;
  readonly names: readonly string[];
}

function rangeOf({ attributes }: RawEntry, attribute: string): Range | undefined {
  for (const { type, values } of attributes) {
    const found = /^(.+);range=(\d+)-(\d+|\*)$/i.exec(type);
    if (found === null || found[1]?.toLowerCase() !== attribute.toLowerCase()) continue;
    const names = values.map((value) => value.toString('utf8'));
    return { from: Number(found[2]), last: found[3] ?? '*', names };
  }
  return undefined;
}
