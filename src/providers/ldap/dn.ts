// Distinguished names as keys: the same entry is named by its own server in more than one spelling. Source: RFC 4514.

/** A key that is equal for names that differ in case, spaces around separators, or escapes; undefined for no name. */
export function dnKey(text: string): string | undefined {
  const rdns = parseDn(text);
  if (rdns === undefined) return undefined;
  return rdns
    .map((parts) =>
      parts
        .map(([type, value]) => `${type}=${value}`)
        .sort()
        .join('+'),
    )
    .join(',');
}

export function isDn(text: string): boolean {
  const rdns = parseDn(text);
  return rdns !== undefined && rdns.length > 0;
}

type Part = readonly [type: string, value: string];

/** Relative names from the entry to the root, each of one or more parts, folded; the empty text is the root. */
function parseDn(text: string): Part[][] | undefined {
  if (text.trim() === '') return [];
  const reader = { text, at: 0 };
  const rdns: Part[][] = [[]];
  for (;;) {
    const part = readPart(reader);
    if (part === undefined) return undefined;
    rdns.at(-1)?.push(part);
    if (reader.at >= text.length) return rdns;
    const separator = text[reader.at];
    reader.at += 1;
    if (separator === ',' || separator === ';') rdns.push([]);
    else if (separator !== '+') return undefined;
  }
}

interface Reader {
  readonly text: string;
  at: number;
}

function readPart(reader: Reader): Part | undefined {
  const equals = reader.text.indexOf('=', reader.at);
  if (equals < 0) return undefined;
  const type = reader.text
    .slice(reader.at, equals)
    .trim()
    .toLowerCase()
    .replace(/^oid\./, '');
  if (!/^([a-z][a-z0-9-]*|\d+(\.\d+)*)$/.test(type)) return undefined;
  reader.at = equals + 1;
  const value = readValue(reader);
  return value === undefined ? undefined : [type, value];
}

/** Up to the next separator that stands for itself. Escaped bytes are those of UTF-8. */
function readValue(reader: Reader): string | undefined {
  while (reader.text[reader.at] === ' ') reader.at += 1;
  const quoted = reader.text[reader.at] === '"';
  if (quoted) reader.at += 1;
  const bytes: Buffer[] = [];
  for (;;) {
    const character = reader.text[reader.at];
    if (character === undefined) {
      if (quoted) return undefined;
      break;
    }
    if (quoted ? character === '"' : character === ',' || character === ';' || character === '+') break;
    const taken = takeCharacter(reader);
    if (taken === undefined) return undefined;
    bytes.push(taken);
  }
  if (quoted) {
    reader.at += 1;
    while (reader.text[reader.at] === ' ') reader.at += 1;
  }
  return folded(Buffer.concat(bytes).toString('utf8'));
}

function takeCharacter(reader: Reader): Buffer | undefined {
  const { text, at } = reader;
  if (text[at] !== '\\') {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    reader.at += character.length;
    return Buffer.from(character);
  }
  const hex = /^[0-9a-fA-F]{2}/.exec(text.slice(at + 1, at + 3))?.[0];
  if (hex !== undefined) {
    reader.at += 3;
    return Buffer.from(hex, 'hex');
  }
  const escaped = text[at + 1];
  if (escaped === undefined) return undefined;
  reader.at += 2;
  return Buffer.from(escaped);
}

/** As directory strings compare: without case, one space for many, none at the ends. Source: RFC 4518. */
function folded(value: string): string {
  return value
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[,+=\\]/g, (one) => `\\${one}`);
}

/** Whether an entry of this name may be found from a base. */
export function isBelow(name: string, base: string, scope: 'sub' | 'one' | 'base'): boolean {
  const [key, baseKey] = [dnKey(name), dnKey(base)];
  if (key === undefined || baseKey === undefined) return false;
  if (scope === 'base') return key === baseKey;
  if (scope === 'one') return baseKey === parentOf(key);
  return key === baseKey || baseKey === '' || key.endsWith(`,${baseKey}`);
}

/** Keys have no separator that is not one: what belongs to a value is behind a backslash. */
function parentOf(key: string): string {
  return /^(?:\\.|[^,\\])*,(.*)$/s.exec(key)?.[1] ?? '';
}
