// A load of its own process: so many connections, each asking again as soon as it is answered. Answers requests a second.
import { Pool } from 'undici';

export interface Load {
  readonly origin: string;
  readonly connections: number;
  readonly ms: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly method: 'GET' | 'PATCH';
  /** Asked for in turn. A body, where there is one, belongs to the path of the same place. */
  readonly paths: readonly string[];
  readonly bodies?: readonly string[];
}

process.on('message', async (load: Load) => {
  const pool = new Pool(load.origin, { connections: load.connections, pipelining: 1 });
  let next = Math.floor(Math.random() * load.paths.length);
  let done = 0;
  const until = performance.now() + load.ms;
  const ask = async (): Promise<void> => {
    while (performance.now() < until) {
      const place = next % load.paths.length;
      next += 1;
      const { statusCode, body } = await pool.request({
        method: load.method,
        path: load.paths[place] ?? '/',
        headers: load.headers,
        body: load.bodies?.[place % load.bodies.length] ?? null,
      });
      if (statusCode >= 300) throw new Error(`${load.paths[place]} answered ${statusCode}: ${await body.text()}`);
      await body.dump({ limit: 100_000_000 });
      done += 1;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: load.connections }, ask));
  process.send?.({ perSecond: (done * 1_000) / (performance.now() - started) });
  await pool.close();
});
process.on('disconnect', () => process.exit(0));
