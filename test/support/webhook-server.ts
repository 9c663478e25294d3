// A receiver of webhooks on loopback, which checks signatures with the library that receivers use.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export const WEBHOOK_SECRET = `whsec_${Buffer.from('canary-of-the-webhook-secret-012').toString('base64')}`;

export interface HookData {
  readonly run: { readonly id: string; readonly status: string; readonly error: unknown };
  readonly reasons: readonly string[];
  readonly results: { readonly total: number; readonly cut: boolean; readonly items: readonly unknown[] };
}

export interface Hook {
  readonly headers: IncomingHttpHeaders;
  readonly body: { readonly type: string; readonly timestamp: string; readonly data: HookData };
}

export interface WebhookServer {
  readonly url: string;
  readonly received: Hook[];
  /** Answers the next posts with this status, and asks to be left alone for so many seconds. */
  answer(times: number, status: number, retryAfter?: number): void;
  close(): Promise<void>;
}

export async function startWebhookServer(): Promise<WebhookServer> {
  const received: Hook[] = [];
  let scripted = { times: 0, status: 204, retryAfter: 7 };
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (scripted.times > 0) {
      scripted.times -= 1;
      response
        .writeHead(scripted.status, { location: 'http://127.0.0.1:1/', 'retry-after': String(scripted.retryAfter) })
        .end('no');
      return;
    }
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers;
    // Not `verify`: that refuses what a clock sent that a test has moved.
    const right = new Webhook(WEBHOOK_SECRET).sign(String(id), new Date(Number(timestamp) * 1000), text);
    if (signature === right) received.push({ headers: request.headers, body: JSON.parse(text) });
    response.writeHead(signature === right ? 204 : 401).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer(times, status, retryAfter = 7) {
      scripted = { times, status, retryAfter };
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
