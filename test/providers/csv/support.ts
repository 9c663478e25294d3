// A folder of files in front of the CSV provider.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { UploadedFiles } from '#core/files.ts';
import { type Clock, systemClock } from '#platform/clock.ts';
import { csv } from '#providers/csv/index.ts';
import type { CsvRecord } from '#providers/csv/records.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function makeInbound(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-csv-test-'));
  folders.push(folder);
  return folder;
}

/** Writes a file as somebody did an hour ago. */
export function putFile(folder: string, name: string, content: string | Buffer): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), content);
  const before = new Date(Date.now() - 3_600_000);
  utimesSync(join(folder, name), before, before);
}

export const NO_UPLOADS: UploadedFiles = {
  latest: async () => undefined,
  async *read() {
    yield* [];
  },
};

export function csvKind(inboundDir: string, uploads: UploadedFiles = NO_UPLOADS, clock: Clock = systemClock) {
  const outgoing = { allowLoopback: true };
  return csv({ clock, schemas: RESOURCE_SCHEMAS, outgoing, uploads, inboundDir });
}

export function openFolder(inboundDir: string, settings: Record<string, unknown> = {}) {
  const kind = csvKind(inboundDir);
  return kind.open(kind.parseSettings({ source: { kind: 'folder' }, ...settings }));
}

/** What a read shows, up to its end or to what stopped it. */
export async function readFolder(inboundDir: string, settings: Record<string, unknown> = {}) {
  const provider = openFolder(inboundDir, settings);
  const read = {
    users: [] as CsvRecord[],
    groups: [] as CsvRecord[],
    members: new Map<string, string[]>(),
    skippedMembers: [] as string[],
    ended: false,
    error: undefined as { reason: string; code: string; message: string } | undefined,
    provider,
  };
  try {
    for await (const page of provider.pages(new AbortController().signal)) {
      if (page.type === 'end') read.ended = true;
      if (page.type === 'records')
        read[page.resourceType === 'User' ? 'users' : 'groups'].push(...(page.records as CsvRecord[]));
      if (page.type !== 'members') continue;
      const known = read.members.get(page.group) ?? [];
      read.members.set(page.group, [...known, ...page.members.map((one) => `${one.type}:${one.externalId}`)]);
      read.skippedMembers.push(...page.skipped.map(({ externalId }) => externalId));
    }
  } catch (error) {
    read.error = error as { reason: string; code: string; message: string };
  }
  return read;
}
