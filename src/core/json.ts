import { InputError } from './errors.ts';

const DEPTH_MAX = 32;
/** Many times what all schemas declare: some hundred thousand that nobody knows took four seconds to read. */
const NAMES_MAX = 10_000;

/**
 * JSON as RFC 8259 would rather have it: one value, no name twice in an object (`JSON.parse` would keep the last), and
 * nothing nested deeper than any resource is, nor with more names than any has. Linear in the length of the text.
 * @throws {InputError} `invalidSyntax`
 */
export function parseJson(text: string): unknown {
  const found = lookThrough(text);
  if (found.tooMuch !== undefined) throw found.tooMuch;
  const value = parseSyntax(text);
  if (found.doubled !== undefined)
    throw refuse(`has "${found.doubled.slice(0, 60)}" twice in one object`, 'duplicate-key');
  return value;
}

/** By the signs that make the structure. A string is passed over as a whole, wherever it stands. */
function lookThrough(text: string): Structure {
  const structure = new Structure();
  for (let at = 0; at < text.length && structure.tooMuch === undefined; at += 1) {
    const sign = text.charCodeAt(at);
    if (sign === QUOTE) {
      const end = endOfString(text, at);
      if (structure.isAtName) structure.name(nameOf(text.slice(at, end + 1)));
      at = end;
    } else if (sign === OBJECT || sign === ARRAY) structure.open(sign === OBJECT);
    else if (sign === OBJECT_END || sign === ARRAY_END) structure.close();
    else if (sign === COMMA) structure.goOn();
  }
  return structure;
}

/** What is wrong with a text, if it is JSON. */
class Structure {
  /** Set where reading the text would cost too much, whether it is JSON or not. */
  tooMuch: InputError | undefined;
  /** A name that an object has twice. */
  doubled: string | undefined;
  /** Whether a string that comes now is a name. */
  isAtName = false;
  /** The names of each object that is open; undefined for an array. */
  private readonly levels: (Set<string> | undefined)[] = [];
  private readonly names = new Set<string>();

  open(isObject: boolean): void {
    if (this.levels.length >= DEPTH_MAX) this.tooMuch = refuse(`is nested deeper than ${DEPTH_MAX} levels`, 'too-deep');
    this.levels.push(isObject ? new Set() : undefined);
    this.isAtName = isObject;
  }

  close(): void {
    this.levels.pop();
  }

  goOn(): void {
    this.isAtName = this.levels.at(-1) !== undefined;
  }

  name(name: string): void {
    const mine = this.levels.at(-1);
    if (mine?.has(name) === true) this.doubled ??= name;
    mine?.add(name);
    this.names.add(name);
    if (this.names.size > NAMES_MAX)
      this.tooMuch = refuse(`has more than ${NAMES_MAX} different names`, 'too-many-names');
    this.isAtName = false;
  }
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OBJECT, OBJECT_END, ARRAY, ARRAY_END] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Where a string that begins at a place ends: a quote that no backslash belongs to, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}

/** A name as it is read: `a` and `\u0061` are the same. */
function nameOf(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}

function parseSyntax(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse('is not JSON', 'malformed-json');
  }
}

function refuse(what: string, reason: string): InputError {
  return new InputError(`The body ${what}.`, { scimType: 'invalidSyntax', reason, remedy: 'Send valid JSON.' });
}

/** `JSON.stringify` writes so what has no other half, and nothing else. A backslash that stands for itself is a pair. */
const HALF = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/** Whether a string in it, or a name, is no well-formed Unicode, which nobody can store. */
export function hasHalfCharacter(value: unknown): boolean {
  return HALF.test(JSON.stringify(value) ?? '');
}

/** A text as it stands inside a JSON string. */
export function jsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** In JSON as it is made: what stands for U+0000 and for half of a surrogate pair. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/;
const ESCAPE = /\\(?:u0000|ud[89a-f][0-9a-f]{2}|.)/g;

/** JSON that PostgreSQL takes, whatever others wrote into its texts: U+0000 is left out, half a character replaced. */
export function storableJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!UNSTORABLE.test(text)) return text;
  return text.replaceAll(ESCAPE, (escaped) => {
    if (escaped === '\\u0000') return '';
    return escaped.startsWith('\\ud') ? '\ufffd' : escaped;
  });
}
