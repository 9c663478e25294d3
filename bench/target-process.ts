// A SCIM target that costs next to nothing, in a process of its own: it has nobody, takes everybody, and keeps the requests
// that it was sent, so that they can be sent again by a bare client. It answers at once, or as late as it is told to.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly body: string | null;
}

const LIST = JSON.stringify({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
  totalResults: 0,
  startIndex: 1,
  itemsPerPage: 0,
  Resources: [],
});
const CONFIG = JSON.stringify({ patch: { supported: true }, filter: { supported: true, maxResults: 200 } });

let recorded: Recorded[] = [];
let first = 0;
let last = 0;
let made = 0;
let delayMs = 0;

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const { method = '', url: path = '' } = request;
    if (path.startsWith('/ServiceProviderConfig')) return void json(200, CONFIG);
    // The probe and what else is not about somebody.
    if (!path.includes('count=1&') && !path.endsWith('count=1') && path !== '/ResourceTypes') {
      recorded.push({ method, path, body: body === '' ? null : body });
      if (first === 0) first = performance.now();
      last = performance.now();
    }
    if (method === 'GET') return void json(200, LIST);
    if (method !== 'POST') return void send(() => response.writeHead(204).end());
    made += 1;
    json(201, `{"id":"${made}",${body.slice(1)}`);
  });

  function json(status: number, text: string): void {
    send(() => response.writeHead(status, { 'content-type': 'application/scim+json' }).end(text));
  }

  function send(answer: () => void): void {
    if (delayMs === 0) answer();
    else setTimeout(answer, delayMs);
  }
});

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', (what: 'take' | 'times' | { readonly delayMs: number }) => {
  if (typeof what === 'object') delayMs = what.delayMs;
  if (what === 'times') {
    process.send?.({ ms: last - first, count: recorded.length });
    recorded = [];
    first = 0;
  }
  if (what === 'take') process.send?.({ recorded, ms: last - first });
});
process.on('disconnect', () => process.exit(0));
