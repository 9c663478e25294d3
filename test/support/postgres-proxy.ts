// A TCP proxy in front of PostgreSQL, for what a real server does not do on demand.
import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';

export interface Proxy {
  /** The given URL, through the proxy. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ProxyOptions {
  /** Listens there instead of on a free port. */
  readonly port?: number;
  /** Gives clients a made-up process id, as PgBouncer does. */
  readonly hidePid?: boolean;
}

export async function startProxy(databaseUrl: string, options: ProxyOptions = {}): Promise<Proxy> {
  const to = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = dial(Number(to.port || 5432), to.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.pipe(upstream);
    if (options.hidePid) upstream.on('data', (data) => client.write(withoutPid(data)));
    else upstream.pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${await listen(server, options.port ?? 0)}`;
  return {
    url: url.href,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * A server that lets anyone in and answers every query with one row of one column. Source:
 * postgresql.org/docs/18/protocol-message-formats.html, checked 2026-11.
 */
export async function startFakeServer(column: string, value: string): Promise<Proxy> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const ready = message('Z', Buffer.from('I'));
    socket.once('data', () => {
      socket.write(Buffer.concat([message('R', Buffer.alloc(4)), ready]));
      socket.on('data', (data) => {
        if (data[0] !== 'Q'.charCodeAt(0)) return;
        const field = Buffer.concat([Buffer.from(`${column}\0`), Buffer.alloc(6), int32(25), Buffer.alloc(8)]);
        const row = Buffer.concat([int16(1), int32(value.length), Buffer.from(value)]);
        const answer = [message('T', Buffer.concat([int16(1), field])), message('D', row)];
        socket.write(Buffer.concat([...answer, message('C', Buffer.from('SELECT 1\0')), ready]));
      });
    });
  });
  const port = await listen(server, 0);
  return {
    url: `postgres://anyone@127.0.0.1:${port}/any`,
    close: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** BackendKeyData is `K`, length 12, process id, secret key (longer from protocol 3.2 on, which `pg` does not ask for). */
function withoutPid(data: Buffer): Buffer {
  const at = data.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]));
  if (at >= 0) data.writeInt32BE(1, at + 5);
  return data;
}

function message(letter: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(letter), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function int16(value: number): Buffer {
  return int32(value).subarray(2);
}
