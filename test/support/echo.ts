// Remote systems of the worst kind: they refuse, and say back whatever they were sent, credentials included.
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { discovery } from '#demo/token-endpoint.ts';
import { makeCertificate } from './certificate.ts';

export interface Echo {
  /** `http://localhost:port`, or https with a certificate of `ca`. */
  readonly origin: string;
  /** PEM; empty without TLS. */
  readonly ca: string;
  /** What came, by path, as one text each. */
  readonly received: { readonly path: string; readonly text: string }[];
  /** Whether token endpoints give tokens, after which only what they open refuses. */
  giveTokens: boolean;
  close(): Promise<void>;
}

/** What the token endpoints give; the part after the name tells them apart. */
export const ACCESS_TOKEN = 'canary-access-token-V4';

export async function startEcho({ tls }: { tls: boolean }): Promise<Echo> {
  const certificate = tls ? await makeCertificate() : undefined;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    let body = '';
    for await (const chunk of request) body += chunk;
    const text = `${JSON.stringify(request.headers)} ${body}`;
    echo.received.push({ path, text });
    const [status, value] = answerTo(path, text);
    response.writeHead(status, {
      'content-type': 'application/json',
      'x-echo': encodeURIComponent(text).slice(0, 4_000),
    });
    response.end(JSON.stringify(value));
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch(() => response.destroy());
  };
  const server = certificate === undefined ? createPlain(listener) : createTls({ ...certificate }, listener);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const echo: Echo = {
    origin: `${tls ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`,
    ca: certificate?.cert ?? '',
    received: [],
    giveTokens: false,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };

  function answerTo(path: string, text: string): [status: number, body: object] {
    if (path.includes('openid-configuration')) return [200, discovery(echo.origin, path.split('/')[1] ?? '')];
    if (/\/token$/.test(path) && echo.giveTokens)
      return [200, { token_type: 'Bearer', expires_in: 3_599, ext_expires_in: 3_599, access_token: ACCESS_TOKEN }];
    if (/\/token$/.test(path))
      return [
        401,
        { error: 'invalid_client', error_description: `AADSTS7000215: wrong: ${text}`, error_codes: [7_000_215] },
      ];
    return [
      401,
      {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
        ...{
          status: '401',
          detail: `I was sent ${text}`,
          error: { code: 'InvalidAuthenticationToken', message: text },
        },
      },
    ];
  }
  return echo;
}
