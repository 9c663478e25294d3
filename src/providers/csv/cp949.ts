// CP949 (windows-949), the Korean of Windows. The "euc-kr" of Node knows of it the places of KS X 1001 alone: of the 8,822
// syllables beyond, it refuses most and takes the first byte of others for a control character. Those stand in the order
// of Unicode, so they are counted off here. Source: WHATWG Encoding, index "euc-kr", checked 2026-11.

export interface Cp949Decoder {
  /** @throws {TypeError} bytes that mean nothing; or, unless there is more to come, an end within a character */
  decode(chunk?: Uint8Array, options?: { readonly stream?: boolean }): string;
  /**
   * Whether what was decoded looks Korean: it has usual syllables, and fewer that hardly any word has. Letters with accents
   * of Western encodings make those of the second kind, and Chinese characters.
   */
  looksKorean(): boolean;
}

const NOTHING = new Uint8Array();
/** No character has it. */
const NONE = 0xffff;
const SYLLABLES = { first: 0xac00, last: 0xd7a3 } as const;

let table: Uint16Array | undefined;

export function makeCp949Decoder(): Cp949Decoder {
  table ??= makeTable();
  const units = table;
  let lead = 0;
  let usual = 0;
  let rare = 0;

  function count(unit: number, trail: number): void {
    if (unit < SYLLABLES.first || unit > SYLLABLES.last) return;
    if (lead >= 0xa1 && trail >= 0xa1) usual += 1;
    else rare += 1;
  }

  return {
    decode(chunk = NOTHING, { stream = false } = {}) {
      const text = new Uint16Array(chunk.length);
      let length = 0;
      for (const byte of chunk) {
        if (lead === 0 && byte >= 0x80) {
          lead = byte;
          continue;
        }
        const unit = units[(lead << 8) | byte] ?? NONE;
        if (unit === NONE) throw new TypeError('These bytes are no CP949.');
        count(unit, byte);
        text[length] = unit;
        length += 1;
        lead = 0;
      }
      if (lead !== 0 && !stream) throw new TypeError('The bytes end within a character.');
      return Buffer.from(text.buffer, 0, length * 2).toString('utf16le');
    },
    looksKorean: () => usual > rare,
  };
}

/** The character of each pair of bytes, and of ASCII. */
function makeTable(): Uint16Array {
  const units = new Uint16Array(0x10000).fill(NONE);
  for (let byte = 0; byte < 0x80; byte += 1) units[byte] = byte;
  const standard = new TextDecoder('euc-kr');
  const usual = new Set<number>();
  for (let lead = 0xa1; lead <= 0xfe; lead += 1)
    for (let trail = 0xa1; trail <= 0xfe; trail += 1) {
      const unit = standard.decode(Uint8Array.of(lead, trail)).charCodeAt(0);
      if (unit === 0xfffd) continue;
      units[(lead << 8) | trail] = unit;
      usual.add(unit);
    }
  // Two signs that were added to KS X 1001 later.
  units[0xa2e6] = 0x20ac;
  units[0xa2e7] = 0xae;
  const places = placesBeyond();
  for (let unit: number = SYLLABLES.first; unit <= SYLLABLES.last; unit += 1) {
    if (usual.has(unit)) continue;
    const { value } = places.next();
    if (value !== undefined) units[value] = unit;
  }
  return units;
}

/** The pairs beyond KS X 1001, in order: the second byte is a letter or beyond ASCII, and below that standard's own. */
function* placesBeyond(): Generator<number, undefined> {
  for (let lead = 0x81; lead <= 0xc6; lead += 1) {
    const last = lead <= 0xa0 ? 0xfe : 0xa0;
    for (let trail = 0x41; trail <= last; trail += 1)
      if (trail <= 0x5a || (trail >= 0x61 && trail <= 0x7a) || trail >= 0x81) yield (lead << 8) | trail;
  }
}
