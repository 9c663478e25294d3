// A TCP proxy that a test cuts, stalls and slows: the network between two parts.
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

export interface CutProxy {
  readonly port: number;
  /** Where connections lead; asked for at each. */
  to: { readonly host: string; readonly port: number };
  /** Breaks every connection that is open. */
  cut(): void;
  /** Nothing gets through, and nobody is told, until `heal`. */
  stall(): void;
  /** Each piece of data waits for so long. */
  slow(ms: number): void;
  /** No connection is taken, and those that are open break, until `heal`. */
  close(): void;
  heal(): void;
  /** Ends it for good. */
  stop(): Promise<void>;
}

export async function startCutProxy(to = { host: '127.0.0.1', port: 0 }): Promise<CutProxy> {
  const sockets = new Set<Socket>();
  let isClosed = false;
  let delayMs = 0;
  let stalled: PromiseWithResolvers<void> | undefined;

  const server = createServer((client) => {
    if (isClosed) return void client.destroy();
    const upstream = dial(proxy.to.port, proxy.to.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    void carry(client, upstream);
    void carry(upstream, client);
  });

  async function carry(from: Readable, into: Writable): Promise<void> {
    try {
      for await (const piece of from) {
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
        await stalled?.promise;
        if (!into.write(piece)) await once(into, 'drain');
      }
      into.end();
    } catch {
      into.destroy();
    }
  }

  function cut(): void {
    for (const socket of sockets) socket.destroy();
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: CutProxy = {
    port: (server.address() as AddressInfo).port,
    to,
    cut,
    stall() {
      stalled ??= Promise.withResolvers<void>();
    },
    slow(ms) {
      delayMs = ms;
    },
    close() {
      isClosed = true;
      cut();
    },
    heal() {
      isClosed = false;
      delayMs = 0;
      stalled?.resolve();
      stalled = undefined;
    },
    async stop() {
      proxy.heal();
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

/** The same URL by way of the proxy. */
export function through(proxy: CutProxy, url: string): string {
  const given = new URL(url);
  given.host = `127.0.0.1:${proxy.port}`;
  return given.href;
}
