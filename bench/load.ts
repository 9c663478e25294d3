// A load of its own process: so many connections, each asking again as soon as it is answered. Answers requests a second.
// Written on sockets, since it shares the machine with what it measures: an HTTP client would cost as much as the server.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { NUMBER } from './processes.ts';

export interface Load {
  readonly origin: string;
  readonly connections: number;
  readonly ms: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly method: 'GET' | 'PATCH' | 'POST';
  /** Asked for in turn. A body, where there is one, belongs to the path of the same place; NUMBER in it is another number each time. */
  readonly paths: readonly string[];
  readonly bodies?: readonly string[];
}

process.on('message', async (load: Load) => {
  const requests = requestsOf(load);
  const { hostname, port } = new URL(load.origin);
  let next = Math.floor(Math.random() * requests.length);
  let done = 0;
  const until = performance.now() + load.ms;
  const ask = async (): Promise<void> => {
    const socket = connect(Number(port), hostname).setNoDelay(true);
    await once(socket, 'connect');
    while (performance.now() < until) {
      const request = numbered(requests[next % requests.length] ?? '');
      next += 1;
      socket.write(request);
      await answered(socket, request);
      done += 1;
    }
    socket.destroy();
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: load.connections }, ask));
  process.send?.({ perSecond: (done * 1_000) / (performance.now() - started) });
});
process.on('disconnect', () => process.exit(0));

let made = 0;

/** Never the same twice, over all loads of this process. */
function numbered(request: string): string {
  if (!request.startsWith('POST')) return request;
  made += 1;
  return request.replaceAll(NUMBER, String(made).padStart(NUMBER.length, '0'));
}

/** As they go over the wire: a body belongs to the path of the same place. */
function requestsOf({ origin, method, headers, paths, bodies }: Load): readonly string[] {
  const { host } = new URL(origin);
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return paths.map((path, place) => {
    const body = bodies?.[place % bodies.length] ?? '';
    const length = body === '' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
    return `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${fields.join('')}${length}\r\n${body}`;
  });
}

const END_OF_HEAD = '\r\n\r\n';

/** Resolves when the answer has come whole. Rejects when it is no success, or the connection ends. */
function answered(socket: Socket, request: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let head = '';
    let left: number | undefined;
    const end = (error?: Error): void => {
      socket.off('data', take).off('close', gone).off('error', end);
      if (error === undefined) resolve();
      else reject(error);
    };
    const gone = (): void => end(new Error('the connection was closed'));
    const take = (chunk: Buffer): void => {
      if (left === undefined) {
        head += chunk.toString('latin1');
        const whole = lengthOf(head);
        if (whole === undefined) return;
        if (!head.startsWith('HTTP/1.1 2'))
          end(new Error(`${request.split('\r\n', 1)} answered ${head.slice(0, 2_000)}`));
        left = whole - head.length;
      } else left -= chunk.length;
      if (left === 0) end();
    };
    socket.on('data', take).on('close', gone).on('error', end);
  });
}

/** Of an answer, once its head is there; one that does not say so has no body. */
function lengthOf(head: string): number | undefined {
  const place = head.indexOf(END_OF_HEAD);
  if (place < 0) return undefined;
  return place + END_OF_HEAD.length + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
}
