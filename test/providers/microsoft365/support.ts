// A clock that a test moves, and a Graph that answers what a test says.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { type GraphServer, type GraphServerOptions, startGraphServer } from '#demo/graph-server.ts';
import type { Tenant } from '#demo/tenant.ts';
import type { Clock } from '#platform/clock.ts';
import { microsoft365 } from '#providers/microsoft365/index.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { trust, trustedCertificate } from '../../support/certificate.ts';

export interface TestClock extends Clock {
  /** Milliseconds that were slept, one after the other. */
  readonly slept: number[];
}

/** Sleeping takes no time; the clock just moves on. Sleeps at the same time overlap. */
export function makeTestClock(): TestClock {
  let now = Date.now();
  const slept: number[] = [];
  return {
    slept,
    now: () => new Date(now),
    elapsed: () => now,
    async sleep(ms, signal) {
      const until = now + ms;
      slept.push(ms);
      await turn();
      signal?.throwIfAborted();
      now = Math.max(now, until);
    },
  };
}

export const CLIENT_ID = '11111111-2222-4333-8444-555555555555';

export function settingsFor(server: { origin: string }, tenantId: string, changes: Record<string, unknown> = {}) {
  return {
    tenantId,
    clientId: CLIENT_ID,
    credential: { kind: 'clientSecret', secret: 'demo-secret' },
    endpoints: { graph: server.origin, login: server.origin },
    scope: { groupTypes: ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'] },
    ...changes,
  };
}

/** The kind, and a provider with these settings. */
export function openProvider(value: unknown, clock: Clock = makeTestClock()) {
  const kind = microsoft365({ clock, schemas: RESOURCE_SCHEMAS });
  const settings = kind.parseSettings(value);
  return { kind, settings, clock, provider: kind.open(settings) };
}

/** A simulated tenant whose authority this process trusts. */
export async function startTenant(tenant: Tenant, options?: GraphServerOptions): Promise<GraphServer> {
  const server = await startGraphServer(tenant, options);
  trust(server.ca);
  return server;
}

export interface Asked {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly token: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Said {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  /** Breaks the connection off instead of answering. */
  readonly drop?: true;
}

export interface ScriptedGraph {
  readonly origin: string;
  /** Everything but sign-in, in order. */
  readonly asked: Asked[];
  /** Tokens given so far. */
  tokens(): number;
  close(): Promise<void>;
}

/** What a full read asks beside the lists, and can do without: where changes begin, and how many people there are. */
export function isBeside(url: string): boolean {
  return /\/delta\?.*deltatoken=latest/.test(decodeURIComponent(url)) || url.startsWith('/v1.0/users/$count');
}

/** Answers Graph's part by `answer`, and sign-in by itself: tokens are `token-1`, `token-2`, … */
export async function startScripted(
  answer: (asked: Asked, origin: string) => Said | Promise<Said>,
  signIn?: (asked: Asked) => Said | undefined,
  refuses: (url: string) => boolean = () => false,
): Promise<ScriptedGraph> {
  const server = await makeHttpsServer();
  const asked: Asked[] = [];
  let tokens = 0;
  server.on('request', async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const url = request.url ?? '/';
    const one: Asked = {
      method: request.method ?? 'GET',
      url,
      token,
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    const isSignIn = url.includes('/oauth2/v2.0/token') || url.includes('/.well-known/');
    if (refuses(url)) {
      response.writeHead(400, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify({ error: { code: 'Request_BadRequest', message: 'not scripted' } }));
    }
    if (!isSignIn) asked.push(one);
    const said = isSignIn ? (signIn?.(one) ?? usual(url)) : await answer(one, origin());
    if (said.drop === true) return void response.socket?.destroy();
    const text = typeof said.body === 'string' ? said.body : JSON.stringify(said.body ?? {});
    response.writeHead(said.status ?? 200, { 'content-type': 'application/json', ...said.headers });
    response.end(text);
  });
  const origin = (): string => `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const usual = (url: string): Said => {
    const tenant = `${origin()}/${url.split('/')[1]}`;
    if (url.includes('/.well-known/'))
      return {
        body: {
          token_endpoint: `${tenant}/oauth2/v2.0/token`,
          issuer: `${tenant}/v2.0`,
          authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
          end_session_endpoint: `${tenant}/oauth2/v2.0/logout`,
          jwks_uri: `${tenant}/discovery/v2.0/keys`,
        },
      };
    tokens += 1;
    return { body: { token_type: 'Bearer', expires_in: 3599, access_token: `token-${tokens}` } };
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: origin(),
    asked,
    tokens: () => tokens,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function makeHttpsServer() {
  return createServer({ ...(await trustedCertificate()) });
}
