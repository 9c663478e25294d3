// Reads the same thing fifty times a second, whether the last answer has come or not, until it is told to stop. In a process
// of its own, and by its own clock from the moment a request was due, so that waiting is not left out.
import { Pool } from 'undici';

interface Reading {
  readonly url: string;
  readonly token: string;
}

const EVERY_MS = 20;

let stop: (() => Promise<void>) | undefined;

function start({ url, token }: Reading): () => Promise<void> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: 20 });
  const times: number[] = [];
  const open = new Set<Promise<void>>();
  let dueAt = performance.now();

  async function ask(from: number): Promise<void> {
    const answer = await pool.request({ method: 'GET', path: pathname, headers: { authorization: `Bearer ${token}` } });
    if (answer.statusCode !== 200) throw new Error(`${pathname} answered ${answer.statusCode}`);
    await answer.body.dump();
    times.push(performance.now() - from);
  }

  const timer = setInterval(() => {
    for (; dueAt <= performance.now(); dueAt += EVERY_MS) {
      const asked = ask(dueAt).finally(() => open.delete(asked));
      open.add(asked);
    }
  }, EVERY_MS / 2);

  return async () => {
    clearInterval(timer);
    await Promise.all(open);
    await pool.close();
    times.sort((left, right) => left - right);
    const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
    process.send?.({ count: times.length, p50: at(0.5), p99: at(0.99), most: at(1) });
  };
}

process.on('message', (told: Reading | 'stop') => {
  if (told === 'stop') void stop?.();
  else stop = start(told);
});
process.on('disconnect', () => process.exit(0));
