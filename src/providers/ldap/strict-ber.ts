// ldapts reads answers as if servers were whole and friendly. Tried with 9.2.0: an answer of eight bytes that claims a string
// and ends keeps the process busy for twenty seconds and gigabytes, and twenty thousand short answers at once end it, by
// the stack. So messages are cut here, one by one, and what ends too early is an error. Look again with a new version.
import { BerReader, type Client, InvalidAsn1Error, type MessageParser } from 'ldapts';

/** More than any entry has: groups with a million members included. */
const MESSAGE_BYTES_MAX = 256 * 1024 * 1024;

// Where the library finds nothing it says null, and goes on asking.
for (const name of ['readLength', 'readSequence', 'readString', 'readTag'] as const) {
  const read = BerReader.prototype[name] as (this: BerReader, first?: number, second?: boolean) => unknown;
  const strictly = function (this: BerReader, first?: number, second?: boolean): unknown {
    const value = read.call(this, first, second);
    if (value === null || this.length < 0) throw new InvalidAsn1Error('An answer ends too early.');
    return value;
  };
  Object.defineProperty(BerReader.prototype, name, { value: strictly });
}

/** Has a client read whole messages only, each by itself. Bytes that are none end the connection. */
export function readStrictly(client: Client): void {
  const { messageParser: parser } = client as unknown as { readonly messageParser: MessageParser };
  const read = parser.read.bind(parser);
  const take = makeCutter();
  let broken = false;
  parser.read = (data, details) => {
    if (broken) return;
    try {
      for (const message of take(data)) read(message, details);
    } catch {
      broken = true;
      client.unbind().catch(() => undefined);
    }
  };
}

/** Answers the messages that are whole with these bytes. Bytes of one that is not are kept, and joined once. */
function makeCutter(): (data: Buffer) => Generator<Buffer> {
  let parts: Buffer[] = [];
  let have = 0;
  let need = 0;
  return function* take(data) {
    parts.push(data);
    have += data.length;
    if (have < need) return;
    let bytes = parts.length === 1 ? data : Buffer.concat(parts);
    for (;;) {
      need = messageLength(bytes);
      if (bytes.length < need) break;
      yield bytes.subarray(0, need);
      bytes = bytes.subarray(need);
    }
    parts = [bytes];
    have = bytes.length;
  };
}

/** With its head; where that is not whole yet, one byte more than there is. */
function messageLength(bytes: Buffer): number {
  const first = bytes[1];
  if (first === undefined) return bytes.length + 1;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new InvalidAsn1Error('An answer has a length that is none.');
  if (bytes.length < 2 + count) return bytes.length + 1;
  const length = 2 + count + bytes.readUIntBE(2, count);
  if (length > MESSAGE_BYTES_MAX) throw new InvalidAsn1Error('An answer is too long.');
  return length;
}
