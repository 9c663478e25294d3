// Which characters the bytes of a file mean. The whole file is looked at, not only its beginning: a Korean name may
// stand in the last line.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { makeCp949Decoder } from './cp949.ts';
import { incomplete, unusable } from './failures.ts';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'cp949' | 'windows-1252';

const SAMPLE_BYTES = 4096;

/**
 * The encoding of the file: by its byte order mark, by the zeros that UTF-16 has in every other place, else UTF-8 where
 * all of it is, else CP949 where all of it is and looks Korean. Windows-1252 is never guessed: any bytes are that.
 * @param wanted what the settings say; only checked then
 * @throws {UpstreamError} the file ends within a character
 * @throws {ConfigError} `encoding-unknown`
 */
export async function findEncoding(
  path: string,
  name: string,
  wanted: Encoding | 'auto',
  signal: AbortSignal,
): Promise<Encoding> {
  const candidates = wanted === 'auto' ? await candidatesOf(path) : [wanted];
  for (const encoding of candidates) {
    const isMeant = wanted === 'auto' && encoding === 'cp949' ? isKorean : isDecodable;
    if (await isMeant(path, { name, encoding, signal })) return encoding;
  }
  throw unusable(`The characters of ${name} are neither UTF-8, UTF-16 nor CP949.`, {
    reason: 'encoding-unknown',
    remedy: 'Save the file as UTF-8; or set format.encoding to "windows-1252" where it comes from a Western Windows.',
  });
}

async function candidatesOf(path: string): Promise<readonly Encoding[]> {
  const sample = await readSample(path);
  const [first = -1, second = -1] = sample;
  if (first === 0xff && second === 0xfe) return ['utf-16le'];
  if (first === 0xfe && second === 0xff) return ['utf-16be'];
  let even = 0;
  let odd = 0;
  for (const [index, byte] of sample.entries())
    if (byte === 0) {
      if (index % 2 === 0) even += 1;
      else odd += 1;
    }
  // Separators and line ends alone make more zeros than this in any script.
  const many = Math.max(1, sample.length / 40);
  if (odd >= many && odd > even * 4) return ['utf-16le'];
  if (even >= many && even > odd * 4) return ['utf-16be'];
  return ['utf-8', 'cp949'];
}

async function readSample(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SAMPLE_BYTES), 0, SAMPLE_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

interface Looked {
  readonly name: string;
  readonly encoding: Encoding;
  readonly signal: AbortSignal;
}

/** @throws {UpstreamError} all of it is in this encoding but for the end, which is cut off */
async function isDecodable(path: string, { name, encoding, signal }: Looked): Promise<boolean> {
  const decoder = makeDecoder(encoding);
  if (!(await isWhole(path, decoder, signal))) return false;
  checkEnd(decoder, name);
  return true;
}

/** The same of CP949, which the few bytes beyond ASCII of a Western file may be by chance. */
async function isKorean(path: string, { name, signal }: Looked): Promise<boolean> {
  const decoder = makeCp949Decoder();
  if (!(await isWhole(path, decoder, signal)) || !decoder.looksKorean()) return false;
  checkEnd(decoder, name);
  return true;
}

/** Whether all of the file is in the encoding, but perhaps for its end. */
async function isWhole(path: string, decoder: Decoder, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const chunk of createReadStream(path, { signal })) decoder.decode(chunk, { stream: true });
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** The text that is left. @throws {UpstreamError} `file-cut-off` */
function checkEnd(decoder: Decoder, name: string): string {
  try {
    return decoder.decode();
  } catch (cause) {
    throw cutWithinCharacter(name, cause);
  }
}

/** The text of a file, in pieces. @throws {UpstreamError} the file ends within a character */
export async function* readText(
  path: string,
  name: string,
  encoding: Encoding,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const decoder = makeDecoder(encoding);
  for await (const chunk of createReadStream(path, { signal })) {
    const text = decoder.decode(chunk, { stream: true });
    if (text !== '') yield text;
  }
  const end = checkEnd(decoder, name);
  if (end !== '') yield end;
}

interface Decoder {
  decode(chunk?: Uint8Array, options?: { readonly stream?: boolean }): string;
}

/** Drops the byte order mark. */
function makeDecoder(encoding: Encoding): Decoder {
  return encoding === 'cp949' ? makeCp949Decoder() : new TextDecoder(encoding, { fatal: true });
}

function cutWithinCharacter(name: string, cause: unknown): Error {
  return incomplete(`${name} ends in the middle of a character.`, {
    reason: 'file-cut-off',
    remedy: 'The file was cut off on its way; bring it whole.',
    cause,
  });
}
