// A small downstream app: it reads users and groups from the gateway's SCIM API page by page, keeps its own copy, and
// shows it. It knows nothing of the gateway but its URL and a token.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SampleApp {
  readonly url: string;
  /** Reads everything again and answers how many it has. */
  refresh(): Promise<{ users: number; groups: number }>;
  close(): Promise<void>;
}

interface Person {
  readonly id: string;
  readonly userName: string;
  readonly displayName?: string;
  readonly active: boolean;
}

const PAGE = 200;

export async function startSampleApp(options: { scim: string; token: string; port?: number }): Promise<SampleApp> {
  let people: Person[] = [];
  let groups: { id: string; displayName: string }[] = [];

  async function readAll<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    for (;;) {
      const response = await fetch(
        `${options.scim}${path}${path.includes('?') ? '&' : '?'}startIndex=${items.length + 1}&count=${PAGE}`,
        {
          headers: { authorization: `Bearer ${options.token}` },
        },
      );
      if (!response.ok) throw new Error(`the gateway answered ${response.status}`);
      const page = (await response.json()) as { totalResults: number; Resources: Item[] };
      items.push(...page.Resources);
      if (page.Resources.length === 0 || items.length >= page.totalResults) return items;
    }
  }

  const server: Server = createServer((request, response) => {
    if (request.url === '/people.json') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(people));
      return;
    }
    response.setHeader('content-type', 'text/html; charset=utf-8').end(render(people, groups.length));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async refresh() {
      people = await readAll<Person>('/Users?attributes=userName,displayName,active');
      groups = await readAll<{ id: string; displayName: string }>('/Groups?excludedAttributes=members');
      return { users: people.length, groups: groups.length };
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function render(people: readonly Person[], groups: number): string {
  const rows = people
    .slice(0, 100)
    .map(
      ({ userName, displayName, active }) =>
        `<tr><td>${escapeHtml(displayName ?? '')}<td>${escapeHtml(userName)}<td>${active ? 'yes' : 'no'}`,
    )
    .join('');
  return `<!doctype html><meta charset="utf-8"><title>Sample app</title><h1>Sample app</h1><p>${people.length} people and ${groups} groups came from the gateway. The first 100:</p><table><tr><th>Name<th>User name<th>Active${rows}</table>`;
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
