// Reads so many people and memberships in a process of its own (started with --expose-gc), and prints how many it found
// and the most megabytes that were alive at any page.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { csvKind, putFile } from './support.ts';

const [folder = '', lines = '0'] = process.argv.slice(2);
const CHUNK = 10_000;

function write(name: string, header: string, line: (index: number) => string): void {
  putFile(folder, name, header);
  for (let start = 0; start < Number(lines); start += CHUNK) {
    const count = Math.min(CHUNK, Number(lines) - start);
    appendFileSync(join(folder, name), Array.from({ length: count }, (_, index) => line(start + index)).join(''));
  }
}

write(
  'users.csv',
  'id,userName,displayName,department\n',
  (at) => `u${at},user${at}@example.com,User ${at},D${at % 50}\n`,
);
write('memberships.csv', 'group,member\n', (at) => `g${at % 500},u${at}\n`);
const kind = csvKind(folder);
const source = { kind: 'folder', memberships: 'memberships.csv', settleSeconds: 0 };
const found = { users: 0, groups: 0, members: 0 };
let alive = 0;
let pages = 0;
for await (const page of kind.open(kind.parseSettings({ source })).pages(new AbortController().signal)) {
  if (page.type === 'records') found[page.resourceType === 'User' ? 'users' : 'groups'] += page.records.length;
  if (page.type === 'members') found.members += page.members.length;
  pages += 1;
  if (pages % 10 !== 0) continue;
  globalThis.gc?.();
  alive = Math.max(alive, process.memoryUsage().heapUsed / 1_048_576);
}
process.stdout.write(`${JSON.stringify({ found, alive })}\n`);
