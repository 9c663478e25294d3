// A downstream SCIM service written from RFC 7643 and 7644 and the list of what real services do (outbound.md), for
// tests of what is pushed. It shares no code with the gateway, nor with the other stand-in, and keeps books on its client.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Books, keepBooks } from './books.ts';
import type { Manners } from './manners.ts';
import { Refusal } from './patch.ts';
import { type Answer, makeProtocol } from './protocol.ts';
import type { Doc, Kind, SchemaTable } from './schema.ts';

export interface Service {
  readonly base: string;
  readonly tokenUrl: string;
  /** What goes into the settings of a push to be let in. */
  readonly auth: Doc;
  readonly books: Books;
  readonly manners: Manners;
  readonly schemas: SchemaTable;
  resources(kind: Kind): readonly Doc[];
  /** Somebody who is there already; with `hidden: true` no list shows them, and their name is taken all the same. */
  seed(kind: Kind, doc: Doc): string;
  close(): Promise<void>;
}

const SECRET = 'downstream-secret';

/** @param random decides about faults */
export async function startService(manners: Manners, random: () => number): Promise<Service> {
  const books = keepBooks();
  const protocol = makeProtocol(manners, books);
  const tokens = new Map<string, number>();
  let window = 0;
  let inWindow = 0;

  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => void take(request, response, text));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function take(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    if (url === '/oauth/token') return void giveToken(request, response, text);
    const path = url.slice('/scim/v2'.length);
    books.arrived(method, path);
    if (isOverLimit()) return void rest(response);
    const wrong = misbehaviour(request, text);
    if (wrong !== undefined) books.violation(`${method} ${path}: ${wrong}`);
    if (!isLetIn(request)) return void send(response, { status: 401, body: problem(401, 'Who are you?') });
    if (manners.plainJson === true && text !== '' && request.headers['content-type'] !== 'application/json')
      return void send(response, { status: 415, body: problem(415, 'application/json only') });
    if (random() < (manners.cutBefore ?? 0)) {
      if (method !== 'GET') protocol.leaveUnknown(method, path, text);
      return void request.socket.destroy();
    }
    const isWrite = method !== 'GET';
    const done = isWrite ? protocol.begin(method, path, text) : undefined;
    try {
      if (manners.slowMs !== undefined) await new Promise((resolve) => setTimeout(resolve, manners.slowMs));
      if (isWrite && random() < (manners.failing ?? 0)) {
        if (random() < 0.5) answer(request, text);
        protocol.leaveUnknown(method, path, text);
        return void send(response, { status: 500, body: problem(500, 'Something went wrong.') });
      }
      const cut = isWrite && random() < (manners.cutAfter ?? 0);
      const answered = answer(request, text);
      if (cut) {
        protocol.leaveUnknown(method, path, text);
        return void request.socket.destroy();
      }
      send(response, answered);
    } finally {
      done?.();
    }
  }

  function answer(request: IncomingMessage, text: string): Answer {
    const { method = 'GET', url = '/' } = request;
    try {
      const body = text === '' ? {} : (JSON.parse(text) as Doc);
      const at = new URL(url, origin);
      return protocol.carryOut({
        method,
        path: at.pathname.slice('/scim/v2'.length),
        query: at.searchParams,
        body,
        match: request.headers['if-match'],
        size: Buffer.byteLength(text),
      });
    } catch (error) {
      if (error instanceof Refusal)
        return { status: error.status, body: problem(error.status, error.message, error.scimType) };
      books.violation(`${method} ${url} is no SCIM request: ${error}`);
      return { status: 400, body: problem(400, String(error), 'invalidSyntax') };
    }
  }

  function misbehaviour({ headers }: IncomingMessage, text: string): string | undefined {
    const { accept = '', 'content-type': type = '', 'user-agent': agent } = headers;
    if (agent === undefined) return 'no User-Agent';
    const wanted = manners.plainJson === true ? 'application/json' : 'application/scim+json';
    if (!accept.includes(wanted) && !accept.includes('*/*')) return `Accept is ${accept}`;
    if (text === '') return type === '' ? undefined : `Content-Type ${type} without a body`;
    // A service that takes plain JSON only may be asked once in SCIM's own media type.
    if (!/^application\/(scim\+)?json\b/.test(type)) return `Content-Type is ${type}`;
    return manners.plainJson === true || type.includes('scim') ? undefined : `Content-Type is ${type}`;
  }

  function isOverLimit(): boolean {
    if (manners.perSecond === undefined) return false;
    if (Date.now() - window >= 1_000) [window, inWindow] = [Date.now(), 0];
    inWindow += 1;
    return inWindow > manners.perSecond;
  }

  /** A date has no fractions of a second: the end of the rest is rounded up. */
  function rest(response: ServerResponse): void {
    const until = manners.retryAfter === 'date' ? Math.ceil((Date.now() + 1_000) / 1_000) * 1_000 : Date.now() + 1_000;
    const value = manners.retryAfter === 'date' ? new Date(until).toUTCString() : '1';
    books.restUntil(until);
    send(response, { status: 429, headers: { 'retry-after': value }, body: problem(429, 'Too many requests.') });
  }

  function isLetIn({ headers }: IncomingMessage): boolean {
    const token = headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (manners.tokenSeconds === undefined) return token === SECRET;
    return (tokens.get(token) ?? 0) > Date.now();
  }

  function giveToken({ headers }: IncomingMessage, response: ServerResponse, text: string): void {
    const basic = `Basic ${Buffer.from('client:secret').toString('base64')}`;
    if (headers.authorization !== basic || !text.includes('grant_type=client_credentials'))
      return void send(response, { status: 401, body: { error: 'invalid_client' } });
    const life = manners.tokenSeconds ?? 0;
    const token = randomUUID();
    tokens.set(token, Date.now() + life * 1_000);
    send(response, { status: 200, body: { access_token: token, token_type: 'Bearer', expires_in: life } });
  }

  function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
    const type = manners.plainJson === true ? 'application/json' : 'application/scim+json';
    response.writeHead(status, { ...(body && { 'content-type': type }), ...headers });
    response.end(body === undefined ? '' : JSON.stringify(body));
  }

  return {
    base: `${origin}/scim/v2`,
    tokenUrl: `${origin}/oauth/token`,
    auth:
      manners.tokenSeconds === undefined
        ? { kind: 'bearer', token: SECRET }
        : { kind: 'oauth', tokenUrl: `${origin}/oauth/token`, clientId: 'client', clientSecret: 'secret' },
    books,
    manners,
    schemas: protocol.schemas,
    resources: protocol.resources,
    seed: protocol.seed,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function problem(status: number, detail: string, scimType?: string): Doc {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
  return { schemas, status: String(status), detail, ...(scimType && { scimType }) };
}
