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
    return connect(settings, AbortSignal.timeout(120_000));
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

/** One value as LDAP writes it, shorter than 128 bytes. */
const tlv = (tag: number, ...parts: (Buffer | string)[]): Buffer => {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([tag, bytes.length]), bytes]);
};
const DONE = [tlv(0x0a, '\0'), tlv(0x04), tlv(0x04)];

/** A server that says of each list that it goes on, and shows these names on each page of it. */
function startEndless(names: (page: number) => readonly string[]): Promise<Server> {
  let pages = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.setNoDelay();
    socket.on('data', (request) => {
      const at = 2 + ((request[1] ?? 0) < 0x80 ? 0 : (request[1] ?? 0) & 0x7f);
      const end = at + 2 + (request[at + 1] ?? 0);
      const operation = request[end];
      const answer = (inner: Buffer, ...more: Buffer[]) =>
        socket.write(tlv(0x30, request.subarray(at, end), inner, ...more));
      if (operation === 0x60) answer(tlv(0x61, ...DONE));
      if (operation !== 0x63) return;
      pages += 1;
      for (const name of names(pages)) answer(tlv(0x64, tlv(0x04, name), tlv(0x30)));
      const cookie = tlv(0x30, tlv(0x02, '\0'), tlv(0x04, 'next'));
      answer(tlv(0x65, ...DONE), tlv(0xa0, tlv(0x30, tlv(0x04, '1.2.840.113556.1.4.319'), tlv(0x04, cookie))));
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

describe('a list that never ends', () => {
  for (const [what, names] of [
    ['has no entries', () => []],
    ['has the same entries again and again', () => ['cn=a', 'cn=b']],
    ['turns in a circle', (page: number) => [`cn=a${page % 3}`, 'cn=b']],
  ] as const)
    it(`is an incomplete read where it ${what}`, async () => {
      const server = await startEndless(names);
      const settings = parseSettings({
        ...{ preset: 'openldap', allowPlaintext: true, users: { base: 'dc=example' } },
        url: `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`,
      });
      const connection = await connect(settings, AbortSignal.timeout(120_000));
      const asked = {
        base: 'dc=example',
        scope: 'sub',
        filter: '(cn=*)',
        attributes: ['cn'],
        doing: 'search',
      } as const;
      try {
        await assert.rejects(
          async () => {
            let pages = 0;
            for await (const _page of connection.search(asked, new AbortController().signal)) {
              pages += 1;
              assert.ok(pages < 1_200, 'it goes on');
            }
          },
          { reason: 'list-endless', failure: 'source-incomplete' },
        );
      } finally {
        await connection.close();
        server.close();
      }
    });
});
