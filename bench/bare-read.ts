// The limit of a sync: the bare Graph client reads and parses the very pages that a sync reads, and drops them. With CHANGES, those of
// an incremental cycle: says 'ready', and reads what changed until the next message.
import { once } from 'node:events';
import { Client } from '@microsoft/microsoft-graph-client';
import { GROUP_SELECT, USER_SELECT } from '../src/providers/microsoft365/map/records.ts';

interface Page {
  readonly value: readonly { readonly id: string }[];
  readonly '@odata.nextLink'?: string;
  readonly '@odata.deltaLink'?: string;
}

const { ORIGIN = '', TENANT = '', CLIENT = '', CHANGES } = process.env;
const AT_ONCE = 8;

const answer = await fetch(`${ORIGIN}/${TENANT}/oauth2/v2.0/token`, {
  method: 'POST',
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: CLIENT,
    client_secret: 'demo-secret',
    scope: `${ORIGIN}/.default`,
  }),
});
const { access_token: token } = (await answer.json()) as { access_token: string };
const client = Client.initWithMiddleware({
  baseUrl: `${ORIGIN}/`,
  customHosts: new Set([new URL(ORIGIN).hostname]),
  authProvider: { getAccessToken: async () => token },
});

/** Answers where the changes after it begin, if that was told. */
async function drop(first: string, each?: (id: string) => void): Promise<string | undefined> {
  let after: string | undefined;
  for (let next: string | undefined = first; next !== undefined; ) {
    const page: Page = await client.api(next).get();
    if (each !== undefined) for (const { id } of page.value) each(id);
    after = page['@odata.deltaLink'];
    next = page['@odata.nextLink'];
  }
  return after;
}

async function readAll(): Promise<void> {
  await drop(`/users?$select=${USER_SELECT.join(',')}&$expand=manager($select=id)&$top=999`);
  const groups: string[] = [];
  await drop(`/groups?$select=${GROUP_SELECT.join(',')}&$top=999`, (id) => groups.push(id));
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let id = groups.pop(); id !== undefined; id = groups.pop())
        await drop(`/groups/${id}/members?$select=id&$top=999`);
    }),
  );
}

/** What has changed between the question and the next message. */
async function readChanges(): Promise<() => Promise<void>> {
  const users = await drop(`/users/delta?$select=${USER_SELECT.join(',')},manager&$deltatoken=latest`);
  const groups = await drop(`/groups/delta?$select=${GROUP_SELECT.join(',')},members&$deltatoken=latest`);
  process.send?.('ready');
  await once(process, 'message');
  return async () => void (await Promise.all([drop(users ?? ''), drop(groups ?? '')]));
}

const work = CHANGES === undefined ? readAll : await readChanges();
const started = performance.now();
await work();
process.send?.({ ms: performance.now() - started });
process.disconnect?.();
