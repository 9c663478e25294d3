// Answers that once stopped or ended the process. Each is to be an error of the connection, and nothing else.
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { GatewayError } from '#core/errors.ts';
import { connect } from '#providers/ldap/connection.ts';
import { parseSettings } from '#providers/ldap/settings.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** The bind is the client's message 2. */
const SUCCESS = hex('30 0c 02 01 02 61 07 0a 01 00 04 00 04 00');
/** As short as an answer can be. */
const TO_NOTHING = hex('30 05 02 01 09 73 00');

describe('a directory server that is not whole', () => {
  let server: Server;
  let answer: readonly Buffer[] = [];
  const sockets = new Set<Socket>();
  before(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => {
        for (const part of answer) socket.write(part);
        socket.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const signIn = () => {
    const { port } = server.address() as AddressInfo;
    const url = `ldap://127.0.0.1:${port}`;
    const settings = parseSettings({
      ...{ preset: 'openldap', url, allowPlaintext: true, users: { base: 'dc=example' } },
      limits: { connectSeconds: 5, requestSeconds: 5 },
    });
    return connect(settings, AbortSignal.timeout(10_000));
  };

  for (const [what, parts] of [
    ['a string that ends before it begins', [hex('30 06 02 01 02 73 01 04')]],
    ['attributes that are longer than the answer', [hex('30 0c 02 01 02 64 07 04 00 30 7f 30 02 04 00')]],
    ['a length below zero', [hex('30 0d 02 01 02 73 08 04 84 ff ff ff f9 00 00')]],
    ['an answer of four gigabytes', [hex('30 84 ff ff ff ff')]],
    ['a length of no length', [hex('30 80 00 00')]],
    ['controls that never end', [hex('30 15 02 01 02 61 07 0a 01 00 04 00 04 00 a0 84 00 ff ff ff 30')]],
  ] as const)
    it(`is an error of the connection: ${what}`, async () => {
      answer = parts;
      await assert.rejects(signIn(), (error) => error instanceof GatewayError);
    });

  for (const [what, parts] of [
    ['one byte at a time', [...SUCCESS].map((byte) => Buffer.from([byte]))],
    ['two answers in one packet', [Buffer.concat([SUCCESS, SUCCESS])]],
    ['after twenty thousand to nothing', [Buffer.concat([...Array<Buffer>(20_000).fill(TO_NOTHING), SUCCESS])]],
  ] as const)
    it(`is understood when it answers ${what}`, async () => {
      answer = parts;
      await (await signIn()).close();
    });
});
