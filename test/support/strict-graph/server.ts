// The two hosts of Microsoft in one: the login endpoint and Graph, over https, with all that goes wrong on the way.
// Sources: entra/identity-platform/v2-oauth2-client-creds-grant-flow, graph/throttling, graph/errors.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { trustedCertificate } from '../certificate.ts';
import type { Habits } from './delta.ts';
import type { Directory } from './directory.ts';
import type { Answer } from './query.ts';
import { makeRandom, type Random } from './random.ts';
import { GraphService } from './service.ts';
import { Subscriptions } from './subscriptions.ts';

/** How often something goes wrong with a request; each of them goes away when it is tried again. */
export interface Faults {
  readonly throttled: number;
  readonly server: number;
  readonly dropped: number;
  readonly truncated: number;
  readonly revoked: number;
  readonly steps: number;
}

export const NO_FAULTS: Faults = { throttled: 0, server: 0, dropped: 0, truncated: 0, revoked: 0, steps: 0 };

/** What does not go away while it is set: lists lead to another host, are no lists, or their pages expire. */
export type Trouble = 'hostileLink' | 'noList' | 'deltaBroken' | 'membersBroken' | undefined;

export interface StrictGraphOptions {
  readonly directory: Directory;
  /** Of everything that is left to chance; what a request meets depends on it, on the request, and on how often it came. */
  readonly seed: string;
  readonly habits: Habits;
  readonly roles: readonly string[];
  readonly reach: (url: string) => string;
}

export interface StrictGraph {
  readonly origin: string;
  readonly application: { readonly clientId: string; readonly secret: string };
  readonly service: GraphService;
  readonly subscriptions: Subscriptions;
  faults: Faults;
  trouble: Trouble;
  /** Called before each request is answered, with how many there were. */
  onRequest: (count: number) => void;
  /** What was refused as wrong, which a client of Graph should never see: 400 and 405 but for old tokens. */
  readonly refused: string[];
  close(): Promise<void>;
}

/** An answer, and whether only half of it arrives. */
type Sent = Answer & { readonly cut?: boolean };

const AUDIENCE = 'https://graph.microsoft.com/.default';

export async function startStrictGraph({
  directory,
  seed,
  habits,
  roles,
  reach,
}: StrictGraphOptions): Promise<StrictGraph> {
  const own = makeRandom(seed);
  let random = own;
  const current = follow(() => random);
  const visits = new Map<string, number>();
  const { key, cert } = await trustedCertificate();
  const application = { clientId: own.uuid(), secret: 'Q~strict~secret~1' };
  const subscriptions = new Subscriptions(own, () => directory.tenantId, reach);
  directory.onChange = (list, id, changeType) => subscriptions.note(list, id, changeType);
  const tokens = new Set<string>();
  let origin = '';
  let count = 0;
  const service = new GraphService({
    ...{ directory, random: current, habits, roles, application, subscriptions },
    base: () => `${origin}/v1.0`,
    throttlesStep: () => current.chance(graph.faults.steps),
  });

  function signIn(path: string, form: URLSearchParams): Answer {
    const refuse = (status: number, error: string, code: number, text: string): Answer => ({
      status,
      body: { error, error_description: `AADSTS${code}: ${text} Trace ID: 0`, error_codes: [code] },
    });
    const tenant = path.split('/')[1];
    if (tenant !== directory.tenantId) return refuse(400, 'invalid_request', 90002, `Tenant '${tenant}' not found.`);
    if (form.get('client_id') !== application.clientId)
      return refuse(400, 'unauthorized_client', 700016, 'Application was not found.');
    if (form.get('client_secret') !== application.secret)
      return refuse(401, 'invalid_client', 7000215, 'Invalid client secret provided.');
    if (form.get('grant_type') !== 'client_credentials')
      return refuse(400, 'unsupported_grant_type', 70003, 'Grant type is not supported.');
    if (form.get('scope') !== AUDIENCE)
      return refuse(400, 'invalid_resource', 500011, 'The resource principal was not found.');
    const claims = {
      aud: 'https://graph.microsoft.com',
      tid: directory.tenantId,
      appid: application.clientId,
      roles,
      jti: own.uuid(),
    };
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.${own.uuid()}`;
    tokens.add(token);
    return { status: 200, body: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: token } };
  }

  function discover(path: string): Answer {
    const at = `${origin}/${path.split('/')[1]}`;
    const urls = {
      issuer: `${at}/v2.0`,
      authorization_endpoint: `${at}/oauth2/v2.0/authorize`,
      token_endpoint: `${at}/oauth2/v2.0/token`,
      jwks_uri: `${at}/discovery/v2.0/keys`,
    };
    return {
      status: 200,
      body: {
        ...urls,
        response_types_supported: ['code'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
      },
    };
  }

  function unauthorized(): Answer {
    return {
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="", error="invalid_token"' },
      body: {
        error: { code: 'InvalidAuthenticationToken', message: 'Lifetime validation failed, the token is expired.' },
      },
    };
  }

  /** Undefined: nobody answers. */
  async function answer(request: IncomingMessage, body: string): Promise<Sent | undefined> {
    const url = new URL(request.url ?? '/', origin);
    if (url.pathname.endsWith('/oauth2/v2.0/token')) return signIn(url.pathname, new URLSearchParams(body));
    if (url.pathname.endsWith('/.well-known/openid-configuration')) return discover(url.pathname);
    if (!url.pathname.startsWith('/v1.0/'))
      return { status: 404, body: { error: { code: 'NotFound', message: 'No such API.' } } };
    count += 1;
    graph.onRequest(count);
    const luck = luckOf(`${request.method} ${request.url} ${body}`);
    const { faults } = graph;
    if (luck.chance(faults.dropped)) return undefined;
    if (luck.chance(faults.revoked)) tokens.clear();
    if (!tokens.has(request.headers.authorization?.replace(/^Bearer /, '') ?? '')) return unauthorized();
    if (luck.chance(faults.throttled))
      return {
        status: 429,
        headers: { 'retry-after': '0' },
        body: { error: { code: 'TooManyRequests', message: 'Too many requests.' } },
      };
    if (luck.chance(faults.server))
      return {
        status: luck.pick([500, 502, 503, 504]) ?? 500,
        headers: { 'retry-after': '0' },
        body: { error: { code: 'UnknownError', message: '' } },
      };
    const json = body === '' ? undefined : JSON.parse(body);
    const path = url.pathname.slice('/v1.0'.length);
    if (request.method === 'POST' && path === '/subscriptions' && !(await subscriptions.validate(json)))
      return {
        status: 400,
        body: { error: { code: 'InvalidRequest', message: 'Subscription validation request failed.' } },
      };
    const headers = request.headers as Record<string, string | undefined>;
    random = luck;
    const found = service.answer({
      method: request.method ?? 'GET',
      path,
      parameters: url.searchParams,
      headers,
      body: json,
    });
    if ([400, 405, 501].includes(found.status) && !/Token|syncState/.test(JSON.stringify(found.body)))
      graph.refused.push(`${request.method} ${request.url}: ${JSON.stringify(found.body)}`);
    return { ...troubled(path, found), cut: luck.chance(faults.truncated) };
  }

  function luckOf(request: string): Random {
    const times = (visits.get(request) ?? 0) + 1;
    visits.set(request, times);
    return makeRandom(`${seed} ${request} ${times}`);
  }

  function troubled(path: string, found: Answer): Answer {
    const { trouble } = graph;
    const isList = typeof found.body === 'object' && found.body !== null && 'value' in found.body;
    if (trouble === undefined || !isList) return found;
    const isDelta = path.endsWith('/delta');
    const isMembers = path.endsWith('/members');
    if (trouble === 'hostileLink' && !isDelta)
      return {
        ...found,
        body: { ...(found.body as object), '@odata.nextLink': 'https://evil.example/v1.0/users?$skiptoken=1' },
      };
    if (trouble === 'noList' && !isMembers)
      return { status: 200, body: '<html>Sign in to the network</html>', headers: { 'content-type': 'text/html' } };
    if (trouble === 'deltaBroken' && isDelta) return { status: 200, body: { value: [{ noId: true }] } };
    if (trouble === 'membersBroken' && isMembers) return { status: 200, body: { value: null } };
    return found;
  }

  function send(response: ServerResponse, { status, body, headers = {}, cut = false }: Sent): void {
    const plain = String(headers['content-type'] ?? '').startsWith('text/');
    const text = body === undefined ? '' : plain ? String(body) : JSON.stringify(body);
    response.writeHead(status, {
      'content-type': 'application/json;odata.metadata=minimal',
      'request-id': 'strict',
      'x-ms-resource-unit': '1',
      ...headers,
    });
    response.end(cut && text.length > 2 ? text.slice(0, text.length / 2) : text);
  }

  const server = createServer({ key, cert }, (request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      answer(request, body).then(
        (found) => {
          if (found === undefined) request.socket.destroy();
          else send(response, found);
        },
        (error: unknown) =>
          send(response, { status: 500, body: { error: { code: 'SimulatorBroken', message: String(error) } } }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const graph: StrictGraph = {
    ...{ origin, application, service, subscriptions, faults: NO_FAULTS, trouble: undefined, refused: [] },
    onRequest: () => undefined,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return graph;
}

/** Stands for whichever is in force. */
function follow(random: () => Random): Random {
  return {
    next: () => random().next(),
    int: (below) => random().int(below),
    chance: (share) => random().chance(share),
    pick: (items) => random().pick(items),
    shuffle: (items) => random().shuffle(items),
    uuid: () => random().uuid(),
  };
}
