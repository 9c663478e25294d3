// A receiver of webhooks and tokens on loopback that keeps every request as it came and answers what the test says.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** What it was answered; 0 when the connection was cut. */
  readonly status: number;
}

export interface ReceiverAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Receiver {
  readonly url: string;
  /** In the order in which they came. */
  readonly received: Received[];
  /** Decides on each request from now on; undefined cuts the connection after having read it. */
  answerWith(
    decide: (text: string, headers: IncomingHttpHeaders) => ReceiverAnswer | undefined | Promise<ReceiverAnswer>,
  ): void;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let decide: Parameters<Receiver['answerWith']>[0] = () => ({ status: 204 });
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const answer = await decide(text, request.headers);
    received.push({ headers: request.headers, text, status: answer?.status ?? 0 });
    if (answer === undefined) request.socket.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/receive`,
    received,
    answerWith(next) {
      decide = next;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
