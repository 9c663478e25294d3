// Rounds of chaos: some acts, then peace, then the invariants.
import { makeRandom } from '#demo/tenant.ts';
import { carryOutRound, decideRound } from './acts.ts';
import { checkInvariants, checkNoOrphans } from './invariants.ts';
import { makeWorld, type WorldOptions } from './world.ts';

export interface ChaosOptions extends WorldOptions {
  readonly actsPerRound: number;
  /** Asked before each round, with the number of those that are over. */
  goesOn(rounds: number): boolean;
  tell(line: string): void;
}

/** Answers how many rounds and acts there were. @throws {AssertionError} an invariant does not hold */
export async function runChaos({ seed, actsPerRound, goesOn, tell, ...options }: ChaosOptions): Promise<string> {
  const random = makeRandom(seed);
  const world = await makeWorld({ ...options, seed });
  const counts: Record<string, number> = {};
  let rounds = 0;
  try {
    await checkInvariants(world);
    for (; goesOn(rounds); rounds += 1) {
      const acts = decideRound(random, actsPerRound);
      tell(`round ${rounds + 1}`);
      for (const { kind } of acts) counts[kind] = (counts[kind] ?? 0) + 1;
      await carryOutRound(world, acts, (line) => tell(`  ${line}`));
      const from = performance.now();
      await checkInvariants(world);
      tell(`  settled, and all is well, after ${Math.round(performance.now() - from)} ms`);
    }
    for (const replica of world.replicas) await replica.stop();
    await checkNoOrphans(world);
    return `${rounds} rounds, ${JSON.stringify(counts)}`;
  } finally {
    await world.close();
  }
}
