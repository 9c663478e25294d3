// CP949 (windows-949), the Korean of Windows, by iconv-lite: the "euc-kr" of Node knows of it the places of KS X 1001 alone,
// refuses most of the 8,822 syllables beyond, and takes the first byte of others for a control character.
import { encode, getDecoder } from 'iconv-lite';

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
/** What stands for bytes that mean nothing; CP949 itself does not have it. */
const UNKNOWN = '\ufffd';
const SYLLABLES = { first: 0xac00, last: 0xd7a3 } as const;
/** From here on both bytes of what KS X 1001 has. */
const STANDARD = 0xa1;

let rarely: Uint8Array | undefined;

export function makeCp949Decoder(): Cp949Decoder {
  const decoder = getDecoder('cp949');
  rarely ??= rareSyllables();
  const isRare = rarely;
  let usual = 0;
  let rare = 0;

  function count(text: string): void {
    for (let at = 0; at < text.length; at += 1) {
      const place = text.charCodeAt(at) - SYLLABLES.first;
      if (isRare[place] === 0) usual += 1;
      else if (isRare[place] === 1) rare += 1;
    }
  }

  return {
    decode(chunk = NOTHING, { stream = false } = {}) {
      const text = decoder.write(Buffer.from(chunk)) + (stream ? '' : (decoder.end() ?? ''));
      if (text.includes(UNKNOWN)) throw new TypeError('These bytes are no CP949, or end within a character.');
      count(text);
      return text;
    },
    looksKorean: () => usual > rare,
  };
}

/** Of each syllable, in the order of Unicode, whether it is beyond KS X 1001. */
function rareSyllables(): Uint8Array {
  const all = Uint16Array.from({ length: SYLLABLES.last - SYLLABLES.first + 1 }, (_, place) => SYLLABLES.first + place);
  const pairs = encode(Buffer.from(all.buffer).toString('utf16le'), 'cp949');
  return Uint8Array.from(all, (_, place) =>
    (pairs[2 * place] ?? 0) < STANDARD || (pairs[2 * place + 1] ?? 0) < STANDARD ? 1 : 0,
  );
}
