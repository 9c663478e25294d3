// What chaos does. A round is decided before it begins, from random numbers alone, so that a seed always decides the same.
import { setTimeout as wait } from 'node:timers/promises';
import {
  addMember,
  addUser,
  makeUser,
  removeMember,
  removeUser,
  setManager,
  softDeleteUser,
  type Tenant,
  updateUser,
} from '#demo/tenant.ts';
import type { World } from './world.ts';

/** `which` is a replica or a target by number; `forMs` how long it lasts; the next act begins after `thenMs`. */
export interface Act {
  readonly kind: keyof typeof KINDS;
  readonly which: number;
  readonly forMs: number;
  readonly thenMs: number;
}

/** What each does; what it undoes later is in the list that it is handed. */
const KINDS = {
  kill: async (world: World, { which }: Act, later: Promise<unknown>[]) => {
    const replica = pick(world.replicas, which);
    await replica.kill();
    later.push(replica.start());
  },
  pause: async (world: World, { which, forMs }: Act, later: Promise<unknown>[]) => {
    const replica = pick(world.replicas, which);
    replica.pause();
    later.push(wait(forMs).then(() => replica.wake()));
  },
  cutDatabase: async (world: World, { which }: Act) => pick(world.replicas, which).network.cut(),
  closeDatabase: async (world: World, { which, forMs }: Act, later: Promise<unknown>[]) => {
    const { network } = pick(world.replicas, which);
    network.close();
    later.push(wait(forMs).then(network.heal));
  },
  stallDatabase: async (world: World, { which, forMs }: Act, later: Promise<unknown>[]) => {
    const { network } = pick(world.replicas, which);
    network.stall();
    later.push(wait(forMs).then(network.heal));
  },
  slowDatabase: async (world: World, { which, forMs }: Act, later: Promise<unknown>[]) => {
    const { network } = pick(world.replicas, which);
    network.slow(30);
    later.push(wait(forMs).then(network.heal));
  },
  crashPostgres: async ({ postgres }: World, { forMs }: Act, later: Promise<unknown>[]) => {
    postgres.down();
    later.push(wait(forMs / 4).then(() => postgres.up()));
  },
  cutSource: async ({ source }: World) => source.cut(),
  stallSource: async ({ source }: World, { forMs }: Act, later: Promise<unknown>[]) => {
    source.stall();
    later.push(wait(forMs).then(source.heal));
  },
  failSource: async ({ graph }: World, { which, forMs }: Act, later: Promise<unknown>[]) => {
    graph.setFaults({ chance: 0.2, seed: `source ${which}` });
    later.push(wait(forMs).then(() => graph.setFaults({})));
  },
  revokeSource: async ({ graph }: World) => graph.revokeTokens(),
  forgetDeltas: async ({ graph }: World) => graph.forgetDeltas(),
  cutTarget: async (world: World, { which }: Act) => pick(world.targets, which).network.cut(),
  closeTarget: async (world: World, { which, forMs }: Act, later: Promise<unknown>[]) => {
    const { network } = pick(world.targets, which);
    network.close();
    later.push(wait(forMs).then(network.heal));
  },
  stallTarget: async (world: World, { which, forMs }: Act, later: Promise<unknown>[]) => {
    const { network } = pick(world.targets, which);
    network.stall();
    later.push(wait(forMs).then(network.heal));
  },
  failTarget: async (world: World, { which, forMs }: Act, later: Promise<unknown>[]) => {
    const { server } = pick(world.targets, which);
    const before = server.personality;
    server.personality = { ...before, failing: () => 503 };
    later.push(
      wait(forMs).then(() => {
        server.personality = before;
      }),
    );
  },
  /** Does what it is told, and hangs up without a word. */
  muteTarget: async (world: World, { which, forMs }: Act, later: Promise<unknown>[]) => {
    const { server } = pick(world.targets, which);
    const before = server.personality;
    server.personality = { ...before, dropAfter: () => true };
    later.push(
      wait(forMs).then(() => {
        server.personality = before;
      }),
    );
  },
  edit: async ({ tenant }: World, { which }: Act) => edit(tenant, which),
  sync: async (world: World, { which }: Act) => {
    // Refused while one runs, and by a gateway that is cut off or dead: another one is asked for at the end.
    const mode = which % 2 === 0 ? 'full' : 'incremental';
    const ask = async (): Promise<unknown> =>
      world.api(which % world.replicas.length).call('POST', '/api/v1/sync-runs', { mode, allowLargeSync: true });
    await Promise.race([ask(), wait(3_000)]).catch(() => undefined);
  },
} as const;

/** How often each is chosen, beside the others. */
const WEIGHTS: Readonly<Record<Act['kind'], number>> = {
  kill: 4,
  pause: 4,
  cutDatabase: 3,
  closeDatabase: 2,
  stallDatabase: 2,
  slowDatabase: 2,
  crashPostgres: 2,
  cutSource: 2,
  stallSource: 1,
  failSource: 2,
  revokeSource: 1,
  forgetDeltas: 1,
  cutTarget: 2,
  closeTarget: 1,
  stallTarget: 1,
  failTarget: 1,
  muteTarget: 2,
  edit: 12,
  sync: 10,
};

/** Longer than every lease of the gateway, now and then. */
const LONGEST_MS = 16_000;

/** So many acts, decided by the random numbers alone. Edits and a run come first, so that there is something to disturb. */
export function decideRound(random: () => number, acts: number): readonly Act[] {
  const below = (limit: number): number => Math.floor(random() * limit);
  const act = (kind: Act['kind']): Act => ({
    kind,
    which: below(1_000_000),
    forMs: random() < 0.3 ? 10_000 + below(LONGEST_MS - 10_000) : 300 + below(3_000),
    thenMs: below(1_200),
  });
  const all = Object.entries(WEIGHTS).flatMap(([kind, weight]) => Array(weight).fill(kind) as Act['kind'][]);
  const chosen = Array.from({ length: acts }, () => act(all[below(all.length)] ?? 'edit'));
  return [act('edit'), act('sync'), ...chosen];
}

/** Does what was decided; resolves when everything works again. */
export async function carryOutRound(world: World, acts: readonly Act[], tell: (line: string) => void): Promise<void> {
  const later: Promise<unknown>[] = [];
  for (const act of acts) {
    tell(`${act.kind} ${act.which % 2} for ${act.forMs} ms, then ${act.thenMs} ms`);
    await KINDS[act.kind](world, act, later);
    await wait(act.thenMs);
  }
  await Promise.all(later);
  for (const replica of world.replicas) {
    replica.wake();
    replica.network.heal();
  }
  for (const { network } of world.targets) network.heal();
  world.source.heal();
  await world.postgres.up();
  await Promise.all(world.replicas.map((replica) => replica.start()));
}

function pick<Item>(items: readonly Item[], which: number): Item {
  const item = items[which % items.length];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}

/** A handful of changes at the source. */
function edit(tenant: Tenant, number: number): void {
  const users = [...tenant.users.keys()];
  const groups = [...tenant.groups.keys()];
  const user = (offset: number): string => pick(users, number + offset * 7);
  addUser(tenant, makeUser('chaos', 100_000 + number));
  updateUser(tenant, user(1), { displayName: `Renamed ${number}`, jobTitle: `Title ${number}` });
  setManager(tenant, user(2), user(3));
  for (const offset of [4, 5]) addMember(tenant, pick(groups, number + offset), user(offset));
  const group = pick(groups, number + 6);
  const [member] = tenant.members.get(group) ?? [];
  if (member !== undefined) removeMember(tenant, group, member);
  if (number % 2 === 0) softDeleteUser(tenant, user(8));
  else removeUser(tenant, user(9));
}
