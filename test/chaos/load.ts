// Clients that write and read over SCIM through two gateways behind PgBouncer, of which one is killed again and again.
// Each keeps its own books: what was acknowledged must be there, on either gateway, once; of a request that was cut off
// either is right; and nothing else may fail.
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { makeRandom } from '#demo/tenant.ts';
import { ADMIN_TOKEN, type GatewayProcess } from '../support/gateway.ts';
import { checkNoOrphans, journalHasNoGaps, oneProviderAndNoRun, targetEqualsDirectory } from './invariants.ts';
import { makeWorld, type World } from './world.ts';

export interface LoadOptions {
  readonly seed: string;
  readonly ms: number;
  readonly clients: number;
  readonly pooled: boolean;
  tell(line: string): void;
}

/** A user as its client knows it. More than one title when a request was cut off. */
interface Known {
  readonly userName: string;
  titles: readonly (string | undefined)[];
  /** Versions that it has at least and at most. */
  least: number;
  most: number;
  /** Whether it is certain that it is there. */
  there: boolean | undefined;
}

interface Answer {
  readonly status: number;
  readonly body: { readonly id?: string; readonly title?: string; readonly totalResults?: number };
}

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const KEPT = 30;
const KILL_EVERY_MS = 3_000;

class Books {
  readonly times: number[] = [];
  readonly counts: Record<string, number> = {};
  cutOff = 0;
  kills = 0;
  note(what: string, ms: number): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    this.times.push(ms);
  }
  percentile(share: number): number {
    return Math.round([...this.times].sort((a, b) => a - b)[Math.floor(this.times.length * share)] ?? 0);
  }
}

/** Answers in a sentence what was done. @throws {AssertionError} something was answered wrongly, lost or doubled */
export async function runLoad({ seed, ms, clients, pooled, tell }: LoadOptions): Promise<string> {
  const options = { users: 50, groups: 5, roles: ['all', 'all'] as const, pooled, seed, targets: 1 };
  const world = await makeWorld(options);
  const books = new Books();
  const until = performance.now() + ms;
  const goesOn = (): boolean => performance.now() < until;
  try {
    const workers = Array.from({ length: clients }, (_, number) =>
      makeClient(world, books, makeRandom(`${seed} ${number}`), `${number}`),
    );
    const killing = killAgainAndAgain(world, books, { random: makeRandom(`${seed} kill`), goesOn, tell });
    await Promise.all([killing, ...workers.map((client) => client.work(goesOn))]);
    await Promise.all(world.replicas.map((replica) => replica.start()));
    for (const client of workers) await client.check();
    await journalHasNoGaps(world);
    for (const target of world.targets) await targetEqualsDirectory(world, target);
    for (const replica of world.replicas) await replica.stop();
    await oneProviderAndNoRun(world);
    await checkNoOrphans(world);
  } finally {
    await world.close();
  }
  const total = Object.values(books.counts).reduce((sum, count) => sum + count, 0);
  const latency = `p50 ${books.percentile(0.5)} ms, p99 ${books.percentile(0.99)} ms`;
  return `${total} requests answered rightly (${JSON.stringify(books.counts)}), ${books.cutOff} cut off by ${books.kills} kills, ${latency}`;
}

async function killAgainAndAgain(
  { replicas }: World,
  books: Books,
  { random, goesOn, tell }: { random(): number; goesOn(): boolean; tell(line: string): void },
): Promise<void> {
  while (goesOn()) {
    await wait(KILL_EVERY_MS * (0.5 + random()));
    const replica = replicas[Math.floor(random() * replicas.length)];
    if (replica === undefined) return;
    await replica.kill();
    books.kills += 1;
    tell(`killed ${replica.name}; ${books.times.length} answers so far, ${books.cutOff} cut off`);
    await replica.start();
  }
}

function makeClient(world: World, books: Books, random: () => number, name: string) {
  const known = new Map<string, Known>();
  const maybe: string[] = [];
  let made = 0;
  const below = (limit: number): number => Math.floor(random() * limit);

  /** Undefined when the gateway was killed meanwhile; one of those that run is asked, as a load balancer does. */
  async function ask(method: string, path: string, body?: unknown): Promise<Answer | undefined> {
    const gateway = await running();
    const started = performance.now();
    try {
      const answer = await fetch(`${gateway.base}/scim/v2${path}`, {
        method,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/scim+json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      books.note(`${method} ${answer.status}`, performance.now() - started);
      return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
    } catch (error) {
      // Its end may be seen a moment later than the end of the connection.
      await wait(50);
      assert.ok(
        world.replicas.every(({ process }) => process !== gateway),
        `${method} ${path}: ${error}`,
      );
      books.cutOff += 1;
      return undefined;
    }
  }

  async function running(): Promise<GatewayProcess> {
    for (;;) {
      const up = world.replicas.flatMap(({ process }) => (process === undefined ? [] : [process]));
      const chosen = up[below(up.length)];
      if (chosen !== undefined) return chosen;
      await wait(20);
    }
  }

  async function create(): Promise<void> {
    made += 1;
    const userName = `load-${name}-${made}`;
    const answer = await ask('POST', '/Users', { schemas: [USER], userName, active: true });
    if (answer === undefined) return void maybe.push(userName);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    known.set(answer.body.id ?? '', { userName, titles: [undefined], least: 1, most: 1, there: true });
  }

  async function change(id: string, user: Known): Promise<void> {
    const title = `Title ${below(1_000_000)}`;
    const operation = { op: 'replace', path: 'title', value: title };
    const answer = await ask('PATCH', `/Users/${id}`, { schemas: [PATCH], Operations: [operation] });
    user.most += 1;
    if (answer === undefined) {
      user.titles = [...user.titles, title];
      return;
    }
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    user.titles = [title];
    user.least += 1;
  }

  async function look(id: string, user: Known): Promise<void> {
    const answer = await ask('GET', `/Users/${id}`);
    if (answer === undefined) return;
    if (user.there !== true && answer.status === 404) {
      user.there = false;
      return;
    }
    assert.equal(answer.status, 200, `${user.userName} is lost`);
    user.there = true;
    assert.ok(user.titles.includes(answer.body.title), `${user.userName} is ${answer.body.title}, not ${user.titles}`);
    user.titles = [answer.body.title];
  }

  async function find({ userName, there }: Known): Promise<void> {
    const answer = await ask('GET', `/Users?filter=${encodeURIComponent(`userName eq "${userName}"`)}`);
    if (answer === undefined) return;
    if (there !== undefined) assert.equal(answer.body.totalResults, there ? 1 : 0, userName);
  }

  async function remove(id: string, user: Known): Promise<void> {
    const answer = await ask('DELETE', `/Users/${id}`);
    user.most += 1;
    if (answer === undefined) user.there = undefined;
    else {
      assert.ok(answer.status === 204 || (user.there === undefined && answer.status === 404), String(answer.status));
      user.there = false;
    }
  }

  return {
    async work(goesOn: () => boolean): Promise<void> {
      while (goesOn()) {
        const there = [...known].filter(([, user]) => user.there !== false);
        const [id, user] = there[below(there.length)] ?? [];
        const dice = random();
        if (id === undefined || user === undefined || (there.length < KEPT && dice < 0.1)) await create();
        else if (user.there === undefined || dice < 0.5) await look(id, user);
        else if (dice < 0.8) await change(id, user);
        else if (dice < 0.95) await find(user);
        else await remove(id, user);
      }
    },
    /** Everything once more, when nobody is killed any more. */
    async check(): Promise<void> {
      for (const [id, user] of known) {
        if (user.there === false) continue;
        await look(id, user);
        await find(user);
      }
      for (const userName of maybe) {
        const answer = await ask('GET', `/Users?filter=${encodeURIComponent(`userName eq "${userName}"`)}`);
        assert.ok((answer?.body.totalResults ?? 0) <= 1, `${userName} is there twice`);
      }
      const ids = [...known.keys()].map((id) => `'${id}'`).join(', ');
      const rows = await world.query<{ id: string; n: number }>(
        `select resource_id as id, count(*)::int as n from changes where resource_id in (${ids}) group by 1`,
      );
      for (const { id, n } of rows) {
        const user = known.get(id);
        assert.ok(user !== undefined && n >= user.least && n <= user.most, `${user?.userName} has changed ${n} times`);
      }
      assert.equal(rows.length, known.size);
    },
  };
}
