import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type Asker, makeTurns } from '#platform/turns.ts';

describe('turns', () => {
  function table(limits: { ofAll: number; ofOne: number; waiting: number }) {
    const turns = makeTurns(limits);
    const begun: string[] = [];
    /** Takes a turn; what it answers ends it. */
    const ask = (name: string, more: Partial<Asker> = {}) => {
      const turn = turns.take({ reader: name.slice(0, 1), ...more }, 60_000);
      return turn.then((end) => {
        begun.push(name);
        return end;
      });
    };
    return { turns, begun, ask };
  }

  it('are so many of one and of all, and go to whoever has the fewest, then to whoever waited longest', async () => {
    const { begun, ask } = table({ ofAll: 3, ofOne: 2, waiting: 9 });
    const [one, two] = await Promise.all([ask('a1'), ask('a2')]);
    const waiting = [ask('a3'), ask('a4')];
    const other = await ask('b1');
    const late = ask('c1');
    await setImmediate();
    assert.deepEqual(begun, ['a1', 'a2', 'b1']);
    one();
    (await late)();
    await waiting[0];
    assert.deepEqual(begun.slice(3), ['c1', 'a3']);
    two();
    other();
    await waiting[1];
    assert.deepEqual(begun.slice(5), ['a4']);
  });

  it('are waited for by so many of one', async () => {
    const { ask } = table({ ofAll: 2, ofOne: 1, waiting: 1 });
    const end = await ask('a1');
    const waiting = ask('a2');
    await assert.rejects(ask('a3'), { reason: 'too-many-reads', retryAfterMs: 60_000 });
    (await ask('b1'))();
    end();
    await waiting;
  });

  it('are not waited for without end', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const { turns, begun, ask } = table({ ofAll: 1, ofOne: 1, waiting: 9 });
    const end = await ask('a1');
    const waiting = assert.rejects(turns.take({ reader: 'a' }, 20_000), { reason: 'too-many-reads' });
    const patient = ask('a2');
    context.mock.timers.tick(20_000);
    await waiting;
    end();
    await patient;
    assert.deepEqual(begun, ['a1', 'a2']);
  });

  it('pass over those who have gone, who keep nobody out of the line', async () => {
    const { begun, ask } = table({ ofAll: 1, ofOne: 1, waiting: 1 });
    const end = await ask('a1');
    const gone = assert.rejects(ask('a2', { isGone: () => true }), { reason: 'too-many-reads' });
    let left = false;
    const leaving = assert.rejects(ask('a3', { isGone: () => left }), { reason: 'too-many-reads' });
    await gone;
    left = true;
    const other = ask('b1');
    end();
    await Promise.all([leaving, other]);
    assert.deepEqual(begun, ['a1', 'b1']);
  });
});
