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
  const names: (Set<string> | undefined)[] = [];
  let isName = false;
  for (const [token] of text.matchAll(TOKEN)) {
    const within = names.at(-1);
    if (token === '{' || token === '[') {
      names.push(token === '{' ? new Set() : undefined);
      if (names.length > DEPTH_MAX) throw refuse(`is nested deeper than ${DEPTH_MAX} levels`, 'too-deep');
      isName = token === '{';
    } else if (token === '}' || token === ']') {
      names.pop();
      isName = false;
    } else if (token === ',') isName = within !== undefined;
    else if (token === ':') isName = false;
    else if (isName && within !== undefined) {
      const name: string = token.includes('\\') ? JSON.parse(token) : token.slice(1, -1);
      if (within.has(name)) throw refuse(`has "${name.slice(0, 60)}" twice in one object`, 'duplicate-key');
      within.add(name);
    }
  }
  return value;
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
