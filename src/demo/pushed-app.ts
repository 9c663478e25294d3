// A small downstream app that is written to: it takes users and groups over SCIM, keeps them in memory, and shows them. It
// knows nothing of the gateway but the token that it asks for.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Document } from '#core/coerce.ts';
import { GatewayError } from '#core/errors.ts';
import { matches, parseFilter } from '#core/filter.ts';
import { applyPatch, type MemberChange, parsePatch } from '#core/patch.ts';
import type { ResourceType } from '#core/resource.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { escapeHtml } from './sample-app.ts';

export interface PushedApp {
  /** Its page; SCIM lies below /scim. */
  readonly url: string;
  counts(): { users: number; groups: number };
  close(): Promise<void>;
}

type Store = Map<string, Document>;

interface Answer {
  readonly status: number;
  readonly body?: object;
}

export async function startPushedApp(options: { token: string; port?: number }): Promise<PushedApp> {
  const stores: Readonly<Record<ResourceType, Store>> = { User: new Map(), Group: new Map() };
  const server = createServer(async (request, response) => {
    if (!request.url?.startsWith('/scim/')) {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(render(stores));
      return;
    }
    const isIn = request.headers.authorization === `Bearer ${options.token}`;
    const { status, body } = isIn ? await answer(request, stores).catch(failure) : { status: 401, body: {} };
    response.writeHead(status, { 'content-type': 'application/scim+json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts: () => ({ users: stores.User.size, groups: stores.Group.size }),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

let made = 0;

async function answer(request: IncomingMessage, stores: Readonly<Record<ResourceType, Store>>): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://app');
  const [, , place, id] = pathname.split('/');
  if (place === 'ServiceProviderConfig')
    return { status: 200, body: { patch: { supported: true }, filter: { supported: true } } };
  const type = place === 'Users' ? 'User' : place === 'Groups' ? 'Group' : undefined;
  if (type === undefined) return { status: 404 };
  const store = stores[type];
  if (id === undefined) {
    if (request.method === 'GET') return list(store, searchParams);
    made += 1;
    const document: Document = { ...(await readJson(request)), id: `${type}-${made}` };
    store.set(`${type}-${made}`, document);
    return { status: 201, body: document };
  }
  const document = store.get(id);
  if (document === undefined) return { status: 404 };
  if (request.method === 'GET') return { status: 200, body: document };
  if (request.method === 'DELETE') return { status: store.delete(id) ? 204 : 404 };
  const body = await readJson(request);
  store.set(id, request.method === 'PUT' ? { ...body, id } : patched(type, document, body));
  return { status: 200, body: store.get(id) ?? {} };
}

function list(store: Store, query: URLSearchParams): Answer {
  const filter = query.get('filter');
  const tree = filter === null ? undefined : parseFilter(filter);
  const found = [...store.values()].filter((document) => tree === undefined || matches(tree, document));
  const start = Math.max(1, Number(query.get('startIndex') ?? 1));
  const page = found.slice(start - 1, start - 1 + Math.min(100, Number(query.get('count') ?? 100)));
  return {
    status: 200,
    body: { totalResults: found.length, startIndex: start, itemsPerPage: page.length, Resources: page },
  };
}

function patched(type: ResourceType, { members, id, ...document }: Document, body: unknown): Document {
  const { document: changed, members: changes } = applyPatch(RESOURCE_SCHEMAS[type], document, parsePatch(body));
  const ids = new Set(((members ?? []) as { value: string }[]).map(({ value }) => value));
  for (const change of changes) changeMembers(ids, change);
  return { ...changed, id, ...(type === 'Group' ? { members: [...ids].map((value) => ({ value })) } : {}) };
}

function changeMembers(ids: Set<string>, change: MemberChange): void {
  if ('filter' in change) return;
  if (change.kind === 'replace') ids.clear();
  for (const id of change.ids) {
    if (change.kind === 'remove') ids.delete(id);
    else ids.add(id);
  }
}

async function readJson(request: IncomingMessage): Promise<Document> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return JSON.parse(text);
}

function failure(error: unknown): Answer {
  return { status: error instanceof GatewayError ? 400 : 500, body: { detail: String(error) } };
}

function render({ User: users, Group: groups }: Readonly<Record<ResourceType, Store>>): string {
  const rows = [...users.values()]
    .slice(0, 100)
    .map(
      ({ userName, displayName, active }) =>
        `<tr><td>${escapeHtml(String(displayName ?? ''))}<td>${escapeHtml(String(userName))}<td>${active === false ? 'no' : 'yes'}`,
    )
    .join('');
  return `<!doctype html><meta charset="utf-8"><title>Pushed app</title><h1>Pushed app</h1><p>${users.size} people and ${groups.size} groups were pushed by the gateway. The first 100:</p><table><tr><th>Name<th>User name<th>Active${rows}</table>`;
}
