// How the columns and lines of a file are set apart. Found from its beginning.

export interface Dialect {
  readonly delimiter: string;
  readonly lineEnds: readonly string[];
  /** Lines before the header: Excel's `sep=;`. */
  readonly linesBefore: number;
}

const DELIMITERS = [',', ';', '\t', '|'] as const;
/** Lines that are compared with the header. */
const LINES_LOOKED_AT = 50;

/**
 * @param sample the beginning of the text, without a byte order mark
 * @param wanted the delimiter of the settings, or `auto`
 */
export function findDialect(sample: string, wanted: string): Dialect {
  const said = /^sep=([^\r\n"])\r?(?:\n|$)/i.exec(sample);
  const text = said === null ? sample : sample.slice(said[0].length);
  const lineEnds = text.includes('\n') ? ['\r\n', '\n'] : ['\r'];
  const found = wanted !== 'auto' ? wanted : (said?.[1] ?? guessDelimiter(text));
  return { delimiter: found, lineEnds, linesBefore: said === null ? 0 : 1 };
}

/** The delimiter that divides most lines in as many parts as the header; of several, the one with most parts. */
function guessDelimiter(text: string): string {
  const lines = logicalLines(text);
  const [header = ''] = lines;
  const scored = DELIMITERS.map((delimiter) => {
    const parts = countOutsideQuotes(header, delimiter);
    const alike = lines.filter((line) => countOutsideQuotes(line, delimiter) === parts).length;
    return { delimiter, score: parts === 0 ? 0 : alike * 1_000 + parts };
  });
  const best = scored.reduce((one, other) => (other.score > one.score ? other : one));
  return best.score === 0 ? ',' : best.delimiter;
}

/** Lines, of which one may go over several where quotes hold it together. The last may be cut and is left out. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length && lines.length < LINES_LOOKED_AT; at += 1) {
    const character = text[at];
    if (character === '"') quoted = !quoted;
    if (quoted || (character !== '\n' && character !== '\r')) continue;
    if (at > start) lines.push(text.slice(start, at));
    start = at + 1;
  }
  return lines.length === 0 ? [text] : lines;
}

function countOutsideQuotes(line: string, delimiter: string): number {
  let count = 0;
  let quoted = false;
  for (const character of line) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && character === delimiter) count += 1;
  }
  return count;
}
