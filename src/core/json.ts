import { InputError } from './errors.ts';

const DEPTH_MAX = 32;
/** A string, or one of the characters that make the structure. What lies between says nothing of it. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs;

/**
 * JSON as RFC 8259 would rather have it: one value, no name twice in an object (`JSON.parse` would keep the last), and
 * nothing nested deeper than any resource is. Linear in the length of the text.
 * @throws {InputError} `invalidSyntax`
 */
export function parseJson(text: string): unknown {
  const value = parseSyntax(text);
  // What JSON.parse took is JSON, so its structure can be walked by tokens.
  const levels: Level[] = [];
  for (const [token] of text.matchAll(TOKEN)) walk(levels, token);
  return value;
}

/** An object with the names it has so far, or an array. */
interface Level {
  readonly names: Set<string> | undefined;
  /** Whether a string that comes now is a name. */
  atName: boolean;
}

function walk(levels: Level[], token: string): void {
  const level = levels.at(-1);
  if (token === '{' || token === '[') {
    if (levels.length >= DEPTH_MAX) throw refuse(`is nested deeper than ${DEPTH_MAX} levels`, 'too-deep');
    levels.push({ names: token === '{' ? new Set() : undefined, atName: token === '{' });
  } else if (token === '}' || token === ']') levels.pop();
  else if (level?.names === undefined) return;
  else if (token === ',' || token === ':') level.atName = token === ',';
  else if (level.atName) addName(level.names, token);
}

function addName(names: Set<string>, token: string): void {
  const name: string = token.includes('\\') ? JSON.parse(token) : token.slice(1, -1);
  if (names.has(name)) throw refuse(`has "${name.slice(0, 60)}" twice in one object`, 'duplicate-key');
  names.add(name);
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
