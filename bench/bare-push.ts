// The limit of a push: the same requests to the same server, as many at once, by undici and nothing else.
import { Pool } from 'undici';
import type { Recorded } from './target-process.ts';

export interface BarePush {
  readonly origin: string;
  readonly connections: number;
  readonly requests: readonly Recorded[];
}

process.on('message', async ({ origin, connections, requests }: BarePush) => {
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const headers = { 'content-type': 'application/scim+json', authorization: 'Bearer bench' };
  let next = 0;
  const send = async (): Promise<void> => {
    for (let place = next++; place < requests.length; place = next++) {
      const { method = 'GET', path = '/', body = null } = requests[place] ?? {};
      const answer = await pool.request({ method: method as 'GET', path, headers, body });
      JSON.parse((await answer.body.text()) || '{}');
    }
  };
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: connections }, send));
  const { user, system } = process.cpuUsage(before);
  process.send?.({ cpuMs: (user + system) / 1_000 });
  await pool.close();
});
process.on('disconnect', () => process.exit(0));
