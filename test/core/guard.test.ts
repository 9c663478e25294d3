import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_GUARD, judge, type PlanCounts } from '#core/guard.ts';

const NOTHING: PlanCounts = { create: 0, update: 0, deactivate: 0, delete: 0, membershipsRemoved: 0 };
const BASE = { managed: 1_000, memberships: 2_000, usersInSource: 1_000 };
const USUAL = { initial: false, initialAuto: false, allowLargeSync: false };
const held = (counts: Partial<PlanCounts>, base = BASE, settings = DEFAULT_GUARD, situation = USUAL) =>
  judge({ ...NOTHING, ...counts }, base, settings, situation);

describe('the guard', () => {
  it('lets exactly the limit pass and holds one more', () => {
    assert.deepEqual(held({ create: 100 }).held, []);
    assert.deepEqual(held({ create: 101 }).held, ['create']);
    assert.deepEqual(held({ deactivate: 60, delete: 40 }).held, []);
    assert.deepEqual(held({ deactivate: 60, delete: 41 }).held, ['remove']);
    assert.deepEqual(held({ membershipsRemoved: 200 }).held, []);
    assert.deepEqual(held({ membershipsRemoved: 201 }).held, ['membership']);
  });

  it('holds the class over its limit and no other', () => {
    assert.deepEqual(held({ create: 5, update: 50, deactivate: 500 }).held, ['remove']);
  });

  it('holds everything when told to hold plans', () => {
    const { held: classes } = held({ deactivate: 500 }, BASE, { ...DEFAULT_GUARD, holds: 'plan' });
    assert.deepEqual([...classes].sort(), ['create', 'membership', 'remove', 'update']);
  });

  it('leaves a tiny tenant alone up to the floor', () => {
    const tiny = { managed: 12, memberships: 5, usersInSource: 12 };
    assert.deepEqual(held({ deactivate: 10 }, tiny).held, []);
    assert.deepEqual(held({ deactivate: 11 }, tiny).held, ['remove']);
  });

  it('caps deletions whatever their share', () => {
    const large = { managed: 100_000, memberships: 0, usersInSource: 100_000 };
    assert.deepEqual(held({ deactivate: 500 }, large).held, []);
    assert.equal(held({ deactivate: 501 }, large).reasons[0]?.code, 'deletions-exceeded');
  });

  it('holds all of a first run, unless it may go by itself', () => {
    const empty = { managed: 0, memberships: 0, usersInSource: 10 };
    assert.equal(held({ create: 10 }, empty, DEFAULT_GUARD, { ...USUAL, initial: true }).reasons[0]?.code, 'first-run');
    assert.deepEqual(
      held({ create: 10 }, empty, DEFAULT_GUARD, { ...USUAL, initial: true, initialAuto: true }).held,
      [],
    );
  });

  it('holds everything when the provider shows nobody, approval in advance or not', () => {
    const gone = { ...BASE, usersInSource: 0 };
    for (const allowLargeSync of [false, true])
      assert.equal(
        held({ deactivate: 1 }, gone, DEFAULT_GUARD, { ...USUAL, allowLargeSync }).reasons[0]?.code,
        'source-empty',
      );
  });

  it('lets everything else pass with approval in advance', () => {
    assert.deepEqual(held({ deactivate: 900 }, BASE, DEFAULT_GUARD, { ...USUAL, allowLargeSync: true }).held, []);
  });

  it('never lets more removals pass than the limits', () => {
    fc.assert(
      fc.property(fc.nat(5_000), fc.nat(5_000), fc.nat({ max: 100 }), (managed, removals, percent) => {
        const settings = { ...DEFAULT_GUARD, percent };
        const verdict = held({ deactivate: removals }, { managed, memberships: 0, usersInSource: 1 }, settings);
        const passes = !verdict.held.includes('remove');
        const within = removals <= settings.minObjects || removals * 100 <= managed * percent;
        assert.equal(passes, within && removals <= settings.maxDeletes);
      }),
    );
  });
});
