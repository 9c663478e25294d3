// A server that vanished without a word, as when its machine loses power or a cable is pulled: the kernel keeps connections
// to it open for a quarter of an hour, and every query on them waits. So it is asked now and then on a connection of its own.
import pg from 'pg';

/** Between two looks, while queries are under way. */
const LOOK_EVERY_MS = 5_000;
/** What connecting, and answering the simplest query, may take; a server that is busy is slower than one that is idle. */
export const CONNECT_WITHIN_MS = 5_000;
/** So many looks in a row without an answer. */
const SILENT_LOOKS = 3;

export interface ServerWatch {
  /** A connection of the pool; forgotten when it ends. */
  add(client: pg.ClientBase): void;
  stop(): void;
}

/**
 * Looks after the connections of a pool: when the server answers nobody any more, all are broken, and the queries on them
 * fail, so that requests are answered and the pool connects anew.
 * @param isBusy whether queries are under way
 * @param onSilence told before they are broken
 */
export function watchServer(url: string, isBusy: () => boolean, onSilence: () => void): ServerWatch {
  const clients = new Set<pg.ClientBase>();
  let wasBusy = false;
  let silent = 0;
  let looking = false;

  async function look(): Promise<void> {
    const busy = isBusy();
    const isWorthIt = busy && (wasBusy || silent > 0);
    wasBusy = busy;
    if (!isWorthIt) {
      silent = 0;
      return;
    }
    silent = (await answers(url)) ? 0 : silent + 1;
    if (silent < SILENT_LOOKS) return;
    silent = 0;
    onSilence();
    for (const client of clients) streamOf(client).destroy();
  }

  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  }, LOOK_EVERY_MS);
  timer.unref();

  return {
    add(client) {
      clients.add(client);
      client.once('end', () => clients.delete(client));
    },
    stop: () => clearInterval(timer),
  };
}

/** Whether there is anybody: an error of PostgreSQL, such as too many connections, is an answer as well. */
async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: CONNECT_WITHIN_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch (error) {
    return error instanceof pg.DatabaseError;
  } finally {
    // Not waited for: a server that does not answer does not say goodbye either.
    void client.end().catch(() => undefined);
    streamOf(client).destroy();
  }
}

function streamOf(client: pg.ClientBase): { destroy(): void } {
  return (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection.stream;
}
