// What is claimed, carried out and settled at once, and what becomes of it when the work has to stop.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drain, makeClaimSize, type PoolParts } from '#outbound/push/pool.ts';
import type { SettledDelivery } from '#store/target/deliveries.ts';
import type { Claimed } from '#store/target/delivery-claims.ts';

interface Story {
  readonly begun: string[];
  readonly settled: string[];
  most: number;
}

/** `count` deliveries; each takes a turn of the event loop. */
function makePool(count: number, more: (story: Story) => Partial<PoolParts>): { story: Story; parts: PoolParts } {
  const story: Story = { begun: [], settled: [], most: 0 };
  let [left, inFlight] = [count, 0];
  const parts: PoolParts = {
    size: makeClaimSize(),
    concurrency: () => 4,
    isStopped: () => false,
    async claim(limit) {
      const rows = Array.from({ length: Math.min(limit, left) }, (_, n) => ({ id: `${left - n}` }) as Claimed);
      left -= rows.length;
      return rows;
    },
    async carryOut({ id }) {
      story.begun.push(id);
      inFlight += 1;
      story.most = Math.max(story.most, inFlight);
      await new Promise(setImmediate);
      inFlight -= 1;
      return { resource_id: `done ${id}` } as SettledDelivery;
    },
    giveBack: ({ id }) => ({ resource_id: `back ${id}` }) as SettledDelivery,
    async settle(settled) {
      story.settled.push(...settled.map(({ resource_id: what }) => what));
    },
    ...more(story),
  };
  return { story, parts };
}

describe('the pool of a target', () => {
  it('carries out no more at once than it may, also when that is less than before', async () => {
    let width = 4;
    const over: number[] = [];
    const { story, parts } = makePool(60, ({ begun }) => ({
      concurrency() {
        if (begun.length >= 20) width = 1;
        return width;
      },
    }));
    let inFlight = 0;
    const { carryOut } = parts;
    const watched = async (row: Claimed): Promise<SettledDelivery> => {
      inFlight += 1;
      if (story.begun.length > 24) over.push(inFlight);
      const outcome = await carryOut(row);
      inFlight -= 1;
      return outcome;
    };
    assert.equal(await drain({ ...parts, carryOut: watched }, () => false), 60);
    assert.deepEqual([story.most, Math.max(...over), story.settled.length], [4, 1, 60]);
  });

  it('is stopped: what is on its way ends and is settled, what was not begun is given back, and nothing more is claimed', async () => {
    const { story, parts } = makePool(9_000, ({ begun }) => ({ isStopped: () => begun.length >= 10 }));
    const done = await drain(parts, () => false);
    const back = story.settled.filter((what) => what.startsWith('back'));
    const ended = story.settled.filter((what) => what.startsWith('done'));
    assert.deepEqual([ended.length, done], [story.begun.length, story.begun.length]);
    assert.ok(story.begun.length < 15, `${story.begun.length} were begun`);
    assert.ok(back.length > 0, 'nothing was given back');
    assert.equal(new Set(story.settled).size, story.settled.length);
    assert.ok(story.settled.length < 9_000, 'more was claimed');
  });
});
