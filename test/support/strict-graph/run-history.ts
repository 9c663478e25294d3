// One history from its seed: a tenant, a strict Graph in front of it, a whole gateway, and step by step what happens in
// the tenant and what the gateway does about it.
import assert from 'node:assert/strict';
import type { DatabaseKind } from '../database.ts';
import {
  approve,
  connect,
  expectStatus,
  freshStorage,
  type RunBody,
  saveSettings,
  startGateway,
  type TestGateway,
  untilOver,
} from '../gateway.ts';
import type { Habits } from './delta.ts';
import { Directory } from './directory.ts';
import { type Expected, expectedOf, type Variant } from './expected.ts';
import { EVENT_NAMES, Tenant } from './histories.ts';
import { makeRandom, type Random } from './random.ts';
import { assertExact, assertNobodyLost, readServed, type Served } from './served.ts';
import { NO_FAULTS, type StrictGraph, startStrictGraph, type Trouble } from './server.ts';
import { chooseVariant, toSettings } from './variants.ts';

const PUBLIC = 'https://gateway.example';
const FAULTS = { throttled: 0.05, server: 0.03, dropped: 0.01, truncated: 0.02, revoked: 0.02, steps: 0.05 };

export interface History {
  readonly seed: string;
  readonly kind: DatabaseKind;
  readonly steps: number;
}

export interface Told {
  /** How many steps have settled, and were compared. */
  readonly settled: number;
  readonly refused: readonly string[];
}

export async function runHistory({ seed, kind, steps }: History): Promise<Told> {
  const random = makeRandom(`history ${seed}`);
  const directory = new Directory(random);
  const tenant = new Tenant(directory, random);
  tenant.fill(25, 9);
  const readsMailboxes = random.chance(0.7);
  const roles = [
    'User.Read.All',
    'GroupMember.Read.All',
    'Group.Read.All',
    ...(readsMailboxes ? ['MailboxSettings.Read'] : []),
  ];
  let gateway: TestGateway | undefined;
  const reach = (url: string): string => url.replace(PUBLIC, gateway?.base ?? '');
  const graph = await startStrictGraph({ directory, seed, habits: chooseHabits(random), roles, reach });
  try {
    const storage = await freshStorage(kind);
    const start = async (): Promise<TestGateway> => {
      await gateway?.close();
      gateway = await startGateway(storage, PUBLIC);
      return gateway;
    };
    const story = new Story({ random, directory, tenant, graph, readsMailboxes, start });
    await story.begin();
    for (let step = 0; step < steps; step += 1) await story.step(step);
    await story.settle('the end');
    assert.deepEqual(graph.subscriptions.failures, []);
    return { settled: story.settled, refused: graph.refused };
  } catch (error) {
    if (error instanceof Error) error.message = `seed ${seed} (${kind}): ${error.message}`;
    throw error;
  } finally {
    await gateway?.close();
    await graph.close();
  }
}

function chooseHabits(random: Random): Habits {
  return {
    pageSize: 2 + random.int(8),
    membersPerItem: 1 + random.int(4),
    wordy: random.pick([0, 0.3, 1]) ?? 0,
    repeats: random.pick([0, 0.1, 0.3]) ?? 0,
    emptyPages: random.pick([0, 0.1]) ?? 0,
    showsBinnedMembers: random.chance(0.5),
    restoreTellsManager: random.chance(0.5),
    expiry:
      random.pick(['goneWithLocation', 'goneWithout', 'syncStateNotFound', 'notFound'] as const) ?? 'goneWithLocation',
  };
}

interface Parts {
  readonly random: Random;
  readonly directory: Directory;
  readonly tenant: Tenant;
  readonly graph: StrictGraph;
  readonly readsMailboxes: boolean;
  start(): Promise<TestGateway>;
}

class Story {
  settled = 0;
  private readonly parts: Parts;
  private readonly told: string[] = [];
  private gateway!: TestGateway;
  private variant!: Variant;
  /** SCIM ids by the tenant's, for ever. */
  private readonly ids = new Map<string, string>();
  /** Who had to be served at every moment since the last comparison. */
  private staying!: Expected;
  private served!: Served;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  async begin(): Promise<void> {
    const { random, directory, start } = this.parts;
    const told = directory.onChange;
    directory.onChange = (list, id, changeType) => {
      told(list, id, changeType);
      if (this.staying !== undefined) this.narrow();
    };
    this.variant = chooseVariant(random, directory, random.chance(0.3) ? 'groups' : 'full');
    this.gateway = await start();
    await expectStatus(this.gateway.call('PUT', '/api/v1/guard', { enabled: false }), 200);
    const run = await connect(this.gateway, this.settings());
    assert.equal(run.status, 'succeeded', JSON.stringify(run));
    await this.compare('the first run');
    const until = performance.now() + 180_000;
    while (this.parts.graph.subscriptions.resources.length < 2) {
      assert.ok(performance.now() < until, `no subscriptions: ${this.parts.graph.subscriptions.failures.join('; ')}`);
      await this.gateway.call('GET', '/api/v1/providers');
    }
  }

  private settings(): Record<string, unknown> {
    const { directory, graph } = this.parts;
    return {
      ...{ tenantId: directory.tenantId, clientId: graph.application.clientId, initialRun: 'auto' },
      credential: { kind: 'clientSecret', secret: graph.application.secret },
      endpoints: { graph: graph.origin, login: graph.origin },
      ...toSettings(this.variant),
    };
  }

  async step(step: number): Promise<void> {
    const { random, graph } = this.parts;
    this.told.push(`step ${step}:`);
    this.happen(random.int(6));
    this.trouble();
    const later = random.chance(0.15) ? random.int(12) : undefined;
    if (later !== undefined) this.duringRun(later);
    await this.notify();
    const clean = await this.act();
    graph.onRequest = () => undefined;
    const calm =
      graph.faults === NO_FAULTS && graph.trouble === undefined && graph.service.lag === 0 && later === undefined;
    if (clean && calm) await this.compare(`step ${step}`);
    else if (!this.dependsOnGroups() || (later === undefined && graph.service.lag === 0)) await this.look();
    this.calm();
    if (this.parts.random.chance(0.7)) await this.settle(`step ${step}, settled`);
  }

  /** With nothing wrong any more one run of changes brings everything. */
  async settle(what: string): Promise<void> {
    this.calm();
    let run = await this.sync({ mode: 'incremental' });
    // A scope that has nobody left waits for an administrator, whatever the guard's limits say; who may not have been
    // asked by this run, when nothing has changed since.
    if (this.expected().users.size === 0) {
      const waiting = (await this.latestRuns()).find(({ planId }) => planId !== null);
      if (waiting?.status === 'held') run = await approve(this.gateway, waiting.planId);
    }
    assert.equal(run.status, 'succeeded', `${this.story()}: ${JSON.stringify(run)}`);
    await this.compare(what);
  }

  private calm(): void {
    const { graph } = this.parts;
    graph.faults = NO_FAULTS;
    graph.trouble = undefined;
    graph.service.lag = 0;
  }

  private happen(count: number): void {
    const { random, tenant } = this.parts;
    for (let event = 0; event < count; event += 1) {
      const name = random.pick(EVENT_NAMES);
      if (name === undefined) continue;
      this.told.push(name);
      tenant[name]();
    }
  }

  private narrow(): void {
    const now = this.expected();
    const keep = <Item>(before: ReadonlyMap<string, Item>, after: ReadonlyMap<string, Item>): Map<string, Item> =>
      new Map([...after].filter(([id]) => before.has(id)));
    this.staying = {
      ...now,
      users: keep(this.staying.users, now.users),
      groups: keep(this.staying.groups, now.groups),
    };
  }

  private duringRun(at: number): void {
    const { graph } = this.parts;
    let begun: number | undefined;
    graph.onRequest = (count) => {
      begun ??= count;
      if (count - begun !== at) return;
      this.told.push('[during the run:');
      this.happen(3);
      this.told.push(']');
    };
  }

  private trouble(): void {
    const { random, graph } = this.parts;
    if (random.chance(0.25)) graph.faults = FAULTS;
    if (random.chance(0.12))
      graph.trouble = random.pick<Trouble>(['hostileLink', 'noList', 'deltaBroken', 'membersBroken']);
    if (random.chance(0.12)) graph.service.lag = random.int(15);
    if (random.chance(0.08)) {
      graph.service.deltas.expire(random.pick(['users', 'groups', undefined] as const));
      this.told.push('(expired)');
    }
    if (random.chance(0.05)) graph.service.expirePages();
    const { faults, trouble, service } = graph;
    this.told.push(
      ...(faults === NO_FAULTS ? [] : ['(faults)']),
      ...(trouble === undefined ? [] : [`(${trouble})`]),
      ...(service.lag === 0 ? [] : [`(lag ${service.lag})`]),
    );
  }

  private async notify(): Promise<void> {
    const { random, graph } = this.parts;
    if (!random.chance(0.3)) return;
    for (const { status } of await graph.subscriptions.deliver()) assert.equal(status, 202);
    if (random.chance(0.2))
      for (const { status } of await graph.subscriptions.forge()) assert.ok(status >= 200 && status < 500);
    if (random.chance(0.2))
      for (const { status } of await graph.subscriptions.lifecycle('reauthorizationRequired'))
        assert.equal(status, 202);
  }

  /** What the gateway does in this step. Answers whether it was a run that brought everything. */
  private async act(): Promise<boolean> {
    const { random } = this.parts;
    const chance = random.next();
    if (chance < 0.1) return false;
    if (chance < 0.2) return this.preview();
    if (chance < 0.27) return this.restart();
    if (chance < 0.34) return this.change();
    const mode = chance < 0.5 ? 'full' : 'incremental';
    this.told.push(mode);
    return (await this.sync({ mode })).status === 'succeeded';
  }

  private async preview(): Promise<false> {
    this.told.push('preview');
    const before = await readServed(this.gateway);
    const earlier = await this.runs();
    const run = await this.sync({ mode: this.parts.random.chance(0.5) ? 'full' : 'incremental', preview: true });
    // A notification may have started a run meanwhile, which is no preview.
    const others = (await this.runs()).difference(earlier);
    others.delete(run.id);
    if (others.size === 0)
      assert.deepEqual(await readServed(this.gateway), before, `${this.story()}: a preview changed what is served`);
    return false;
  }

  private async runs(): Promise<Set<string>> {
    return new Set((await this.latestRuns()).map(({ id }) => id));
  }

  /** The latest first. */
  private async latestRuns(): Promise<readonly RunBody[]> {
    const { body } = await this.gateway.call<{ items: RunBody[] }>('GET', '/api/v1/sync-runs?limit=20');
    return body.items;
  }

  private async restart(): Promise<false> {
    this.told.push('restart');
    if (this.parts.random.chance(0.5)) await this.gateway.call('POST', '/api/v1/sync-runs', {});
    this.gateway = await this.parts.start();
    return false;
  }

  private async change(): Promise<false> {
    const { random, directory } = this.parts;
    // Nobody can select groups where none is left.
    if (this.variant.mode === 'groups' && directory.entries('groups', 'live').length === 0) return false;
    this.variant = chooseVariant(random, directory, this.variant.mode);
    this.told.push(`settings ${JSON.stringify(toSettings(this.variant))}`);
    await saveSettings(this.gateway, this.settings());
    this.narrow();
    return false;
  }

  /** A run of ours, after one that a notification has started meanwhile. */
  private async sync(options: object): Promise<RunBody> {
    for (;;) {
      const { status, body } = await this.gateway.call<RunBody & { runId: string }>(
        'POST',
        '/api/v1/sync-runs',
        options,
      );
      if (status === 202) return untilOver(this.gateway, body.id);
      assert.equal(status, 409, JSON.stringify(body));
      await untilOver(this.gateway, body.runId);
    }
  }

  /**
   * Memberships are no snapshot: who moves from a group that is yet to be read into one that was, is in neither; and a
   * group may be shown by its old name with its new members.
   */
  private dependsOnGroups(): boolean {
    return this.variant.mode === 'groups' || this.variant.filter.includes('memberOf');
  }

  private expected(): Expected {
    return expectedOf(this.parts.directory, this.variant, this.parts.readsMailboxes);
  }

  private async compare(what: string): Promise<void> {
    const served = await readServed(this.gateway);
    this.staying = this.expected();
    assertExact(served, this.staying, `${what}; ${this.story()}`);
    served.assertIds(this.ids, what);
    this.served = served;
    this.parts.graph.service.shown = this.parts.directory.now;
    this.settled += 1;
    this.told.length = 0;
  }

  /** Between comparisons nobody is lost who should be here all the time. */
  private async look(): Promise<void> {
    const served = await readServed(this.gateway);
    assertNobodyLost(this.served, served, this.staying, this.story());
    served.assertIds(this.ids, this.story());
  }

  private story(): string {
    const { matches: _matches, ...variant } = this.variant;
    return `${this.told.join(' ')} ${JSON.stringify(variant)}`;
  }
}
