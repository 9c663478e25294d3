// A downstream SCIM app with a personality, for tests of what is pushed. It keeps its own books of what it was asked, and
// writes down whatever a well-behaved client would not do. It shares no code with the gateway.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startGrace } from './grace.ts';

export interface Personality {
  readonly patch?: boolean;
  readonly put?: boolean;
  /** `no` refuses filters, `ignore` answers everybody. */
  readonly filter?: 'yes' | 'no' | 'ignore';
  /** How it refuses them; 400 otherwise. */
  readonly filterRefusal?: number;
  /** `required` refuses changes without If-Match, `refused` any that has it. */
  readonly etag?: 'none' | 'weak' | 'odd' | 'required' | 'refused';
  readonly bulk?: boolean;
  readonly config?: boolean;
  /** What it answers at places that it does not have; 404 otherwise. */
  readonly nowhere?: number;
  readonly membersMax?: number;
  /** Takes members as a whole list only. */
  readonly wholeMembers?: boolean;
  /** What it answers when a member is not there; 400 otherwise. */
  readonly unknownMember?: number;
  /** `empty` shows an empty list in their place. */
  readonly hidesMembers?: boolean | 'empty';
  /** Shows no members where there are none, or in no list. */
  readonly omitsMembers?: 'none' | 'listed';
  /** Answers a create of whom it has by this attribute with the one that it has, as it becomes. */
  readonly upsertsBy?: string;
  /** `located` says where it is. */
  readonly noIdOnCreate?: boolean | 'located';
  readonly oneOperation?: boolean;
  readonly deleteMissing?: number;
  readonly pageMax?: number;
  readonly delayMs?: number;
  /** It answers after this. */
  readonly until?: Promise<unknown> | undefined;
  /** Answered 429 after so many requests of a window of 100 ms. */
  readonly rate?: number;
  readonly retryAfter?: 'seconds' | 'date' | 'none';
  /** Of a write: does it, and drops the connection. */
  readonly dropAfter?: () => boolean;
  /** Of any request: drops the connection before doing anything. */
  readonly dropBefore?: () => boolean;
  readonly failing?: (method: string, body: string, path: string) => number | undefined;
  /** What it then says is wrong. */
  readonly detail?: string;
  /** What it then says in Retry-After. */
  readonly failingSeconds?: number;
  /** Says that its answer was the last of a window of a minute. */
  readonly endsWindow?: (method: string, path: string) => boolean;
  /** Does as it is asked, and answers with a page for people. */
  readonly garbled?: (method: string) => boolean;
  readonly oauth?: { readonly lifeSeconds: number };
  readonly basic?: { readonly user: string; readonly password: string };
  readonly token?: string;
  readonly canDelete?: boolean;
  /** Answers 415 to anything but application/json. */
  readonly plainJson?: boolean;
  /** Answered at /Schemas. */
  readonly schemas?: readonly Doc[];
  /** What it makes of whatever it is written, before it keeps it. */
  readonly rewrites?: (doc: Doc) => void;
  /** The only attribute it filters by. */
  readonly filterBy?: string;
  /** What it has made is neither shown nor found, nor taken for a member, until so long after. */
  readonly shownAfterMs?: number;
  /** Answers 404 to a list that is empty. */
  readonly emptyIsMissing?: boolean;
  /** Says of a list that it has no more than the page. */
  readonly countsPage?: boolean;
}

type Doc = Record<string, unknown>;

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  readonly status: number;
}

export interface ScimAppServer {
  readonly url: string;
  readonly tokenUrl: string;
  readonly users: Map<string, Doc>;
  readonly groups: Map<string, Doc>;
  /** What no client should do, in words. */
  readonly violations: string[];
  readonly asked: Asked[];
  personality: Personality;
  /** Requests that change something, since the last call. */
  takeWrites(): Asked[];
  /** Puts somebody there by hand. */
  put(type: 'User' | 'Group', doc: Doc): string;
  /** It may be asked again, whatever it asked for. */
  endRest(): void;
  close(): Promise<void>;
}

const WINDOW_MS = 100;
const GRACE_MS = 300;
const noGrace = (): boolean => true;

export async function startScimApp(start: Personality = {}): Promise<ScimAppServer> {
  const users = new Map<string, Doc>();
  const groups = new Map<string, Doc>();
  const violations: string[] = [];
  const asked: Asked[] = [];
  const tokens = new Map<string, number>();
  let writes: Asked[] = [];
  let counter = 0;
  let windowAt = 0;
  let inWindow = 0;
  let restUntil = 0;
  let isGraceOver = noGrace;
  const creating = new Map<string, string>();
  const shownFrom = new Map<string, number>();
  const isHidden = (id: string): boolean => (shownFrom.get(id) ?? 0) > Date.now();

  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const { delayMs: delay = 0, until } = app.personality;
      const answerNow = (): void => answer(request, response, text);
      const answerLater = (): void => void (delay > 0 ? setTimeout(answerNow, delay) : answerNow());
      if (until === undefined) answerLater();
      else void until.then(answerLater);
    });
  });

  function answer(request: IncomingMessage, response: ServerResponse, text: string): void {
    const { personality } = app;
    const path = request.url ?? '';
    const method = request.method ?? '';
    if (path === '/token') return void token(request, response, text);
    if (personality.dropBefore?.()) return void request.socket.destroy();
    const now = Date.now();
    // What was on its way when the answer went out is forgiven, and a tick of the clock at the end.
    if (now < restUntil - 20 && isGraceOver()) violations.push(`${method} ${path} during Retry-After`);
    let result: { status: number; body?: unknown; headers?: Record<string, string> };
    let body: unknown;
    try {
      body = text === '' ? undefined : JSON.parse(text);
      result =
        limited(now) ??
        authorised(request) ??
        failing(method, now, text, path) ??
        handle(method, path, body as Doc | undefined, request);
    } catch (error) {
      result = error instanceof Refusal ? refusal(error) : { status: 500, body: { detail: String(error) } };
    }
    const line = { method, path, headers: request.headers, body, status: result.status };
    asked.push(line);
    if (method !== 'GET') writes.push(line);
    const changed = result.status < 300 && method !== 'GET';
    if (changed && personality.dropAfter?.()) return void request.socket.destroy();
    if (personality.garbled?.(method)) return void response.writeHead(result.status).end('<html>Welcome</html>');
    const isLast = personality.endsWindow?.(method, request.url ?? '') === true;
    if (isLast) [isGraceOver, restUntil] = [noGrace, now + 60_000];
    const limit = isLast ? { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' } : {};
    const headers = { 'content-type': 'application/scim+json', ...limit, ...result.headers };
    response.writeHead(result.status, headers).end(result.body === undefined ? undefined : JSON.stringify(result.body));
  }

  function token(request: IncomingMessage, response: ServerResponse, text: string): void {
    const given = request.headers.authorization ?? '';
    const form = new URLSearchParams(text);
    const ok =
      form.get('grant_type') === 'client_credentials' &&
      (given === `Basic ${Buffer.from('client:s3cret').toString('base64')}` || form.get('client_secret') === 's3cret');
    if (!ok) return void response.writeHead(401).end('{"error":"invalid_client"}');
    counter += 1;
    const made = `token-${counter}`;
    const life = app.personality.oauth?.lifeSeconds ?? 60;
    tokens.set(made, Date.now() + life * 1_000);
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ access_token: made, token_type: 'Bearer', expires_in: life }));
  }

  function limited(now: number): { status: number; headers: Record<string, string> } | undefined {
    const { rate, retryAfter = 'seconds' } = app.personality;
    if (rate === undefined) return undefined;
    if (now - windowAt > WINDOW_MS) {
      windowAt = now;
      inWindow = 0;
    }
    inWindow += 1;
    if (inWindow <= rate) return undefined;
    const until = now + 1_000;
    if (retryAfter !== 'none') {
      if (now > restUntil) isGraceOver = startGrace(GRACE_MS);
      restUntil = Math.max(restUntil, until);
    }
    const headers: Record<string, string> =
      retryAfter === 'seconds'
        ? { 'retry-after': '1' }
        : retryAfter === 'date'
          ? { 'retry-after': new Date(Math.ceil(until / 1_000) * 1_000).toUTCString() }
          : {};
    return { status: 429, headers };
  }

  function authorised(request: IncomingMessage): { status: number; body: unknown } | undefined {
    const { oauth, basic, token: secret } = app.personality;
    const given = request.headers.authorization ?? '';
    if (request.headers['user-agent'] === undefined) violations.push('no User-Agent');
    const ok =
      oauth !== undefined
        ? (tokens.get(given.replace('Bearer ', '')) ?? 0) > Date.now()
        : basic !== undefined
          ? given === `Basic ${Buffer.from(`${basic.user}:${basic.password}`).toString('base64')}`
          : secret === undefined || given === `Bearer ${secret}`;
    return ok ? undefined : { status: 401, body: { detail: 'no' } };
  }

  function failing(
    method: string,
    now: number,
    text: string,
    path: string,
  ): { status: number; body: unknown; headers: Record<string, string> } | undefined {
    const { failing: fails, failingSeconds: seconds } = app.personality;
    const status = fails?.(method, text, path);
    if (status === undefined) return undefined;
    if (seconds !== undefined) {
      isGraceOver = noGrace;
      restUntil = now + seconds * 1_000;
    }
    return {
      status,
      body: { detail: app.personality.detail ?? 'out of order' },
      headers: seconds === undefined ? {} : { 'retry-after': String(seconds) },
    };
  }

  function handle(
    method: string,
    url: string,
    body: Doc | undefined,
    request: IncomingMessage,
  ): { status: number; body?: unknown; headers?: Record<string, string> } {
    const { pathname, searchParams } = new URL(url, 'http://x');
    const [, place = '', rawId] = pathname.split('/');
    const type = request.headers['content-type'] ?? '';
    if (app.personality.plainJson === true && method !== 'GET' && method !== 'DELETE' && type !== 'application/json')
      throw new Refusal(415);
    if (method !== 'GET' && method !== 'DELETE' && !type.includes('json')) violations.push(`${method} as ${type}`);
    if (place === 'ServiceProviderConfig') {
      if (app.personality.config === false) throw new Refusal(app.personality.nowhere ?? 404);
      return { status: 200, body: config() };
    }
    if (place === 'Schemas' && app.personality.schemas)
      return { status: 200, body: { Resources: app.personality.schemas } };
    if (place === 'ResourceTypes') throw new Refusal(app.personality.nowhere ?? 404);
    if (place === 'Bulk' && app.personality.bulk === true) return bulk(body, request);
    const store = place === 'Users' ? users : place === 'Groups' ? groups : undefined;
    if (store === undefined) throw new Refusal(app.personality.nowhere ?? 404);
    const kind = store === users ? 'User' : 'Group';
    if (rawId === undefined) {
      if (method === 'POST') return create(kind, body ?? {});
      return list(kind, store, searchParams);
    }
    const id = decodeURIComponent(rawId);
    const found = isHidden(id) ? undefined : store.get(id);
    if (method === 'DELETE') {
      if (app.personality.canDelete === false) throw new Refusal(405);
      if (found === undefined) throw new Refusal(app.personality.deleteMissing ?? 404);
      store.delete(id);
      for (const group of groups.values()) group['members'] = membersOf(group).filter(({ value }) => value !== id);
      return { status: 204 };
    }
    if (method === 'PATCH' && app.personality.patch === false) throw new Refusal(501);
    if (method === 'PUT' && app.personality.put === false) throw new Refusal(405);
    if (found === undefined) throw new Refusal(404);
    if (method === 'GET') return { status: 200, body: shown(kind, found), headers: tagOf(found) };
    checkTag(found, request);
    if (method === 'PUT') return replace(kind, id, body ?? {});
    return patch(kind, id, found, body ?? {});
  }

  function config(): Doc {
    const { patch: canPatch = true, filter = 'yes', etag = 'none', bulk: hasBulk = false } = app.personality;
    return {
      patch: { supported: canPatch },
      bulk: { supported: hasBulk, maxOperations: 20, maxPayloadSize: 100_000 },
      filter: { supported: filter === 'yes', maxResults: 100 },
      etag: { supported: etag !== 'none' },
    };
  }

  function tagOf(doc: Doc): Record<string, string> {
    const { etag = 'none' } = app.personality;
    if (etag === 'none') return {};
    return { etag: etag === 'odd' ? `v${String(doc['$version'])}` : `W/"${String(doc['$version'])}"` };
  }

  function checkTag(doc: Doc, request: IncomingMessage): void {
    const given = request.headers['if-match'];
    if (app.personality.etag === 'required' && given === undefined)
      throw new Refusal(412, undefined, 'If-Match is required');
    if (given !== undefined && app.personality.etag === 'refused') throw new Refusal(412);
    if (given !== undefined && given !== tagOf(doc)['etag']) throw new Refusal(412);
  }

  function shown(kind: string, doc: Doc): Doc {
    const { $version, ...rest } = doc;
    const meta = app.personality.etag === undefined ? {} : { meta: { version: tagOf(doc)['etag'] } };
    void $version;
    const { hidesMembers } = app.personality;
    if (kind === 'Group' && hidesMembers === true) delete rest['members'];
    if (kind === 'Group' && hidesMembers === 'empty') rest['members'] = [];
    if (app.personality.omitsMembers === 'none' && membersOf(rest).length === 0) delete rest['members'];
    return { ...rest, ...meta };
  }

  function list(kind: string, store: Map<string, Doc>, query: URLSearchParams): { status: number; body: Doc } {
    const { filter = 'yes', pageMax = 100 } = app.personality;
    const text = query.get('filter');
    let items = [...store.values()].filter(({ id }) => !isHidden(String(id)));
    if (text !== null && filter === 'no') throw new Refusal(app.personality.filterRefusal ?? 400, 'invalidFilter');
    if (text !== null && filter === 'yes') items = items.filter(byFilter(text));
    const start = Math.max(1, Number(query.get('startIndex') ?? 1));
    const count = Math.min(pageMax, Number(query.get('count') ?? 100));
    const page = items.slice(start - 1, start - 1 + count);
    if (page.length === 0 && app.personality.emptyIsMissing === true) throw new Refusal(404);
    return {
      status: 200,
      body: {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
        totalResults: app.personality.countsPage === true ? page.length : items.length,
        startIndex: start,
        itemsPerPage: page.length,
        Resources: page.map((doc) => listed(kind, doc)),
      },
    };
  }

  function listed(kind: string, doc: Doc): Doc {
    const { members, ...rest } = shown(kind, doc);
    return app.personality.omitsMembers === 'listed' || members === undefined ? rest : { ...rest, members };
  }

  function byFilter(text: string): (doc: Doc) => boolean {
    const match = /^([\w.:]+) eq ("(?:[^"\\]|\\.)*")$/.exec(text);
    if (match === null) {
      violations.push(`filter ${text}`);
      throw new Refusal(400, 'invalidFilter');
    }
    const [, path = '', quoted = '""'] = match;
    if (app.personality.filterBy !== undefined && path !== app.personality.filterBy) throw new Refusal(501);
    const wanted = String(JSON.parse(quoted));
    const [name = '', sub] = path.split('.');
    return (doc) => {
      const value = doc[name];
      const values = Array.isArray(value) ? value.map((item: Doc) => item[sub ?? 'value']) : [value];
      return values.some((one) =>
        name === 'externalId' ? one === wanted : String(one).toLowerCase() === wanted.toLowerCase(),
      );
    };
  }

  function create(kind: 'User' | 'Group', body: Doc): { status: number; body?: Doc; headers?: Record<string, string> } {
    check(kind, body);
    const store = kind === 'User' ? users : groups;
    if (kind === 'User') {
      const name = String(body['userName']).toLowerCase();
      if ([...users.values()].some((doc) => String(doc['userName']).toLowerCase() === name)) {
        if (creating.get(name) === JSON.stringify(body)) violations.push(`blind repeat of ${name}`);
        throw new Refusal(409, 'uniqueness', `${name} is taken`);
      }
      creating.set(name, JSON.stringify(body));
    }
    if (
      kind === 'Group' &&
      body['externalId'] !== undefined &&
      [...groups.values()].some((doc) => doc['externalId'] === body['externalId'])
    )
      violations.push(`group ${String(body['displayName'])} twice`);
    const { upsertsBy } = app.personality;
    const known =
      upsertsBy === undefined ? undefined : [...store.values()].find((doc) => doc[upsertsBy] === body[upsertsBy]);
    if (known !== undefined) return replace(kind, String(known['id']), { ...body, id: known['id'] });
    counter += 1;
    const id = `${kind.toLowerCase()}-${counter}`;
    const doc: Doc = {
      ...body,
      id,
      $version: 1,
      ...(kind === 'Group' ? { members: checkedMembers(membersOf(body)) } : {}),
    };
    app.personality.rewrites?.(doc);
    store.set(id, doc);
    const { noIdOnCreate, shownAfterMs } = app.personality;
    if (shownAfterMs !== undefined) shownFrom.set(id, Date.now() + shownAfterMs);
    if (noIdOnCreate === 'located') return { status: 201, headers: { location: `${url}/${kind}s/${id}` } };
    if (noIdOnCreate === true) return { status: 201 };
    return { status: 201, body: shown(kind, doc), headers: tagOf(doc) };
  }

  function check(kind: string, body: Doc): void {
    const schemas = body['schemas'];
    if (!Array.isArray(schemas) || !schemas.includes(`urn:ietf:params:scim:schemas:core:2.0:${kind}`))
      violations.push(`schemas of a ${kind}: ${JSON.stringify(schemas)}`);
    const urns = Object.keys(body).filter((name) => name.startsWith('urn:'));
    for (const urn of urns) if (!(schemas as string[]).includes(urn)) violations.push(`${urn} is not in schemas`);
    if (kind === 'User' && typeof body['userName'] !== 'string') throw new Refusal(400, 'invalidValue', 'userName');
    if (kind === 'Group' && typeof body['displayName'] !== 'string')
      throw new Refusal(400, 'invalidValue', 'displayName');
    if (urns.some((urn) => urn.includes('gateway'))) violations.push('our own extension is sent');
  }

  function membersOf(doc: Doc): { value: string }[] {
    return Array.isArray(doc['members']) ? (doc['members'] as { value: string }[]) : [];
  }

  function checkedMembers(members: { value: string }[]): { value: string }[] {
    const max = app.personality.membersMax;
    if (max !== undefined && members.length > max) throw new Refusal(400, 'tooMany', 'too many members');
    for (const { value } of members)
      if (isHidden(value) || (!users.has(value) && !groups.has(value)))
        throw new Refusal(app.personality.unknownMember ?? 400, 'invalidValue', `unknown member ${value}`);
    return members.map(({ value }) => ({ value }));
  }

  function replace(
    kind: 'User' | 'Group',
    id: string,
    body: Doc,
  ): { status: number; body: Doc; headers: Record<string, string> } {
    check(kind, body);
    if (body['id'] !== undefined && body['id'] !== id) violations.push('PUT with another id');
    const store = kind === 'User' ? users : groups;
    const before = store.get(id) ?? {};
    const members = kind === 'Group' ? { members: checkedMembers(membersOf(body)) } : {};
    const { meta: _meta, ...rest } = body;
    const doc: Doc = { ...rest, id, ...members, $version: Number(before['$version']) + 1 };
    app.personality.rewrites?.(doc);
    store.set(id, doc);
    return { status: 200, body: shown(kind, doc), headers: tagOf(doc) };
  }

  function patch(
    kind: 'User' | 'Group',
    id: string,
    before: Doc,
    body: Doc,
  ): { status: number; body?: Doc; headers?: Record<string, string> } {
    const operations = body['Operations'];
    if (!Array.isArray(operations) || operations.length === 0) throw new Refusal(400, 'invalidSyntax');
    if (JSON.stringify(body['schemas']) !== '["urn:ietf:params:scim:api:messages:2.0:PatchOp"]')
      violations.push('PATCH without its schema');
    if (app.personality.oneOperation === true && operations.length > 1 && kind === 'User')
      throw new Refusal(400, 'invalidSyntax', 'one operation');
    const changes = operations.reduce(
      (sum: number, { path, value }: Doc) =>
        sum + (String(path).startsWith('members[') ? 1 : path === 'members' && Array.isArray(value) ? value.length : 0),
      0,
    );
    if (changes > (app.personality.membersMax ?? Number.POSITIVE_INFINITY))
      throw new Refusal(400, 'tooMany', 'too many members');
    const doc = structuredClone(before);
    for (const operation of operations as Doc[]) apply(doc, operation);
    if (JSON.stringify({ ...doc, $version: 0 }) === JSON.stringify({ ...before, $version: 0 }))
      noEffect.push(`${kind} ${id}: ${JSON.stringify(operations)}`);
    app.personality.rewrites?.(doc);
    doc['$version'] = Number(before['$version']) + 1;
    (kind === 'User' ? users : groups).set(id, doc);
    return app.personality.etag === undefined
      ? { status: 204 }
      : { status: 200, body: shown(kind, doc), headers: tagOf(doc) };
  }
  const noEffect: string[] = [];

  function apply(doc: Doc, { op, path, value }: Doc): void {
    if (op !== 'add' && op !== 'replace' && op !== 'remove') {
      violations.push(`op ${String(op)}`);
      throw new Refusal(400, 'invalidSyntax');
    }
    if (typeof path !== 'string') throw new Refusal(400, 'noTarget');
    if (path.startsWith('members') && app.personality.wholeMembers === true) {
      if (op !== 'replace' || path !== 'members' || !Array.isArray(value)) throw new Refusal(400, 'invalidValue');
      doc['members'] = checkedMembers(value as { value: string }[]);
      return;
    }
    const one = /^members\[value eq ("(?:[^"\\]|\\.)*")\]$/.exec(path)?.[1];
    if (one !== undefined) doc['members'] = membersOf(doc).filter((member) => member.value !== JSON.parse(one));
    else if (path === 'members') {
      if (op !== 'add' || !Array.isArray(value)) throw new Refusal(400, 'invalidValue');
      const given = checkedMembers(value as { value: string }[]);
      const there = new Set(membersOf(doc).map((member) => member.value));
      doc['members'] = [...membersOf(doc), ...given.filter((member) => !there.has(member.value))];
    } else set(doc, path, op, value);
  }

  function set(doc: Doc, path: string, op: string, value: unknown): void {
    const urn = /^(urn:.+:2\.0:\w+):(\w+)$/.exec(path);
    const [name = '', sub] = urn ? [urn[1] ?? '', urn[2]] : path.split('.');
    if (sub === undefined) {
      if (op === 'remove') delete doc[name];
      else doc[name] = value;
      return;
    }
    const inner = { ...((doc[name] as Doc | undefined) ?? {}) };
    if (op === 'remove') delete inner[sub];
    else inner[sub] = value;
    if (Object.keys(inner).length === 0) delete doc[name];
    else doc[name] = inner;
    if (urn) {
      const schemas = (doc['schemas'] as string[] | undefined) ?? [];
      doc['schemas'] = schemas.includes(name) || inner[sub] === undefined ? schemas : [...schemas, name];
    }
  }

  function bulk(body: Doc | undefined, request: IncomingMessage): { status: number; body: Doc } {
    const operations = (body?.['Operations'] as Doc[] | undefined) ?? [];
    if (operations.length > 20) throw new Refusal(413);
    const results = operations.map(({ method, path, bulkId, data }) => {
      try {
        const made = handle(String(method), String(path), data as Doc, request);
        const id = (made.body as Doc | undefined)?.['id'];
        return { method, bulkId, status: String(made.status), location: `http://x${String(path)}/${String(id)}` };
      } catch (error) {
        const status = error instanceof Refusal ? error.status : 500;
        return {
          method,
          bulkId,
          status: String(status),
          response: error instanceof Refusal ? refusal(error).body : {},
        };
      }
    });
    return {
      status: 200,
      body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkResponse'], Operations: results },
    };
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const app: ScimAppServer = {
    url,
    tokenUrl: `${url}/token`,
    users,
    groups,
    violations,
    asked,
    personality: start,
    takeWrites() {
      const taken = writes;
      writes = [];
      return taken;
    },
    put(type, doc) {
      counter += 1;
      const id = `${type.toLowerCase()}-${counter}`;
      (type === 'User' ? users : groups).set(id, { ...doc, id, $version: 1 });
      return id;
    },
    endRest() {
      restUntil = 0;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
  return app;
}

class Refusal extends Error {
  readonly status: number;
  readonly scimType: string | undefined;
  constructor(status: number, scimType?: string, detail = 'refused') {
    super(detail);
    this.status = status;
    this.scimType = scimType;
  }
}

function refusal({ status, scimType, message }: Refusal): { status: number; body: Doc } {
  const body = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    detail: message,
    ...(scimType === undefined ? {} : { scimType }),
  };
  return { status, body };
}
