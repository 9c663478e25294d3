import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_GUARD, type Figures, type GroupLoss, judge } from '#core/guard.ts';

const NOTHING: Figures = {
  create: 0,
  update: 0,
  remove: 0,
  absent: 0,
  groupsIn: { create: 0, update: 0, remove: 0 },
  groupsRemoved: 0,
  leftBefore: 0,
  returning: 0,
  links: 0,
  membershipsRemoved: 0,
  groups: [],
  attributes: [],
  protectedItems: [],
  freshRemovals: undefined,
  lanePassed: 0,
};
const BASE = {
  managed: 1_100,
  users: 1_000,
  groups: 100,
  memberships: 2_000,
  usersInSource: 1_000,
  groupsInSource: 100,
};
const USUAL = { complete: true, initial: false, initialAuto: false, allowLargeSync: false };
const held = (figures: Partial<Figures>, base = BASE, settings = DEFAULT_GUARD, situation = USUAL) =>
  judge({ ...NOTHING, ...figures }, base, settings, situation);
const losing = (loss: Partial<GroupLoss>): Partial<Figures> => ({
  groups: [{ seqs: ['7'], label: 'Payroll', members: 40, added: 0, removed: 0, ...loss }],
});

describe('the guard', () => {
  it('lets exactly the limit pass and holds one more', () => {
    assert.deepEqual(held({ create: 100 }).held, []);
    assert.deepEqual(held({ create: 101 }).held, ['create']);
    assert.deepEqual(held({ update: 100 }).held, []);
    assert.deepEqual(held({ update: 101 }).held, ['update']);
    assert.deepEqual(held({ remove: 100 }).held, []);
    assert.deepEqual(held({ remove: 101 }).held, ['remove']);
    assert.deepEqual(held({ membershipsRemoved: 200 }).held, []);
    assert.deepEqual(held({ membershipsRemoved: 201 }).held, ['membership']);
  });

  it('takes the share of users alone, however many groups there are, and of both together', () => {
    const groups = { ...BASE, groups: 5_000, groupsInSource: 5_000 };
    const groupsIn = (remove: number) => ({ create: 0, update: 0, remove });
    assert.deepEqual(held({ remove: 100 }, groups).held, []);
    const [users] = held({ remove: 101 }, groups).reasons;
    assert.match(users?.message ?? '', /the limit is 10 % of the users\.$/);
    assert.deepEqual(held({ remove: 110, groupsIn: groupsIn(10) }).held, []);
    const [both] = held({ remove: 111, groupsIn: groupsIn(11) }).reasons;
    assert.match(both?.message ?? '', /the limit is 10 % of users and groups together\.$/);
  });

  it('tells those who come back from those who are here, of whom they are none', () => {
    const [mixed] = held({ update: 150, returning: 120 }).reasons;
    assert.equal(
      mixed?.message,
      '30 of 1000 users would be updated, and 120 users who had left would come back; the limit is 10 % of the users.',
    );
    assert.deepEqual([mixed?.count, mixed?.returning], [150, 120]);
    const few = { ...BASE, users: 52 };
    const active = { path: 'active', changed: 146, emptied: 0, holders: 52 };
    assert.deepEqual(
      held({ update: 146, returning: 146, attributes: [active] }, few).reasons.map(({ message }) => message),
      [
        '146 users who had left would come back beside 52 users; the limit is 10 % of the users.',
        '"active" would change for 146 people, those who come back included; the limit is 30 % of the 52 who are here.',
      ],
    );
  });

  it('counts whoever left before in no share, and caps them all the same', () => {
    assert.deepEqual(held({ remove: 200, leftBefore: 100 }).held, []);
    assert.equal(held({ remove: 201, leftBefore: 100 }).reasons[0]?.code, 'share-exceeded');
    assert.equal(held({ remove: 501, leftBefore: 501 }).reasons[0]?.code, 'deletions-exceeded');
  });

  it('says of users and of groups by themselves how many it is about', () => {
    const groupsIn = { create: 1, update: 0, remove: 2 };
    const [created] = held({ create: 150, groupsIn }).reasons;
    const [removed] = held({ remove: 150, groupsIn }).reasons;
    assert.match(created?.message ?? '', /^149 users and 1 group would be created beside 1000 users and 100 groups;/);
    assert.match(removed?.message ?? '', /^148 of 1000 users and 2 of 100 groups would be deactivated or deleted;/);
    assert.deepEqual(
      [removed?.users, removed?.groups],
      [
        { count: 148, total: 1_000 },
        { count: 2, total: 100 },
      ],
    );
    assert.match(
      held({ remove: 150 }).reasons[0]?.message ?? '',
      /^150 of 1000 users would be deactivated or deleted;/,
    );
  });

  it('holds the class over its limit and no other', () => {
    assert.deepEqual(held({ create: 5, update: 50, remove: 500 }).held, ['remove']);
  });

  it('holds everything when told to hold plans', () => {
    const { held: classes } = held({ remove: 500 }, BASE, { ...DEFAULT_GUARD, holds: 'plan' });
    assert.deepEqual([...classes].sort(), ['create', 'membership', 'remove', 'update']);
  });

  it('leaves a tiny tenant alone up to the floor', () => {
    const tiny = { ...BASE, managed: 12, users: 12, groups: 0, memberships: 5, usersInSource: 12 };
    assert.deepEqual(held({ remove: 10 }, tiny).held, []);
    assert.deepEqual(held({ remove: 11 }, tiny).held, ['remove']);
  });

  it('caps deletions whatever their share', () => {
    const large = { ...BASE, managed: 100_000, users: 100_000 };
    assert.deepEqual(held({ remove: 500 }, large).held, []);
    assert.equal(held({ remove: 501 }, large).reasons[0]?.code, 'deletions-exceeded');
  });

  it('holds all of a first run, unless it may go by itself', () => {
    const empty = { ...BASE, managed: 0, users: 0, groups: 0, memberships: 0, usersInSource: 10 };
    assert.equal(held({ create: 10 }, empty, DEFAULT_GUARD, { ...USUAL, initial: true }).reasons[0]?.code, 'first-run');
    assert.equal(held({ links: 1 }, empty, DEFAULT_GUARD, { ...USUAL, initial: true }).reasons[0]?.code, 'first-run');
    assert.deepEqual(
      held({ create: 10 }, empty, DEFAULT_GUARD, { ...USUAL, initial: true, initialAuto: true }).held,
      [],
    );
  });

  it('takes away no more in a first run that goes by itself than in any other', () => {
    const auto = { ...USUAL, initial: true, initialAuto: true };
    assert.deepEqual(held({ create: 900, update: 900 }, BASE, DEFAULT_GUARD, auto).held, []);
    assert.deepEqual(held({ remove: 900 }, BASE, DEFAULT_GUARD, auto).held, ['remove']);
    assert.deepEqual(held({ membershipsRemoved: BASE.memberships }, BASE, DEFAULT_GUARD, auto).held, ['membership']);
  });

  it('holds everything when the provider shows nobody, approval in advance or not', () => {
    const gone = { ...BASE, usersInSource: 0 };
    for (const allowLargeSync of [false, true])
      assert.equal(
        held({ remove: 1 }, gone, DEFAULT_GUARD, { ...USUAL, allowLargeSync }).reasons[0]?.code,
        'source-empty',
      );
  });

  it('lets everything else pass with approval in advance', () => {
    assert.deepEqual(held({ remove: 900 }, BASE, DEFAULT_GUARD, { ...USUAL, allowLargeSync: true }).held, []);
  });

  it('never lets more removals pass than the limits', () => {
    fc.assert(
      fc.property(fc.nat(5_000), fc.nat(5_000), fc.nat({ max: 100 }), (users, removals, percent) => {
        const settings = { ...DEFAULT_GUARD, percent };
        const verdict = held({ remove: removals }, { ...BASE, users }, settings);
        const passes = !verdict.held.includes('remove');
        const within = removals <= settings.minObjects || removals * 100 <= users * percent;
        assert.equal(passes, within && removals <= settings.maxDeletes);
      }),
    );
  });

  it('has limits of their own for single classes', () => {
    const settings = { ...DEFAULT_GUARD, perOperation: { remove: 2 } };
    assert.deepEqual(held({ create: 100, remove: 20 }, BASE, settings).held, []);
    assert.deepEqual(held({ create: 100, remove: 21 }, BASE, settings).held, ['remove']);
  });

  it('holds the group that loses too many members, and no other', () => {
    assert.deepEqual(held(losing({ removed: 20 })).items, []);
    const verdict = held(losing({ removed: 21, added: 30 }));
    assert.deepEqual(verdict.held, []);
    assert.deepEqual(verdict.items, [{ code: 'group-memberships-exceeded', seqs: ['7'] }]);
    assert.match(verdict.reasons[0]?.message ?? '', /Payroll/);
    assert.deepEqual(held(losing({ members: 15, removed: 10 })).items, []);
  });

  it('holds the group that loses all its members, however few, from the size that is set', () => {
    assert.deepEqual(held(losing({ members: 1, removed: 1 })).items, []);
    assert.deepEqual(held(losing({ members: 2, removed: 2 })).items, [{ code: 'group-emptied', seqs: ['7'] }]);
    assert.deepEqual(held(losing({ members: 2, removed: 2, added: 1 })).items, []);
    const lax = { ...DEFAULT_GUARD, emptiedGroupFrom: null };
    assert.deepEqual(held(losing({ members: 9, removed: 9 }), BASE, lax).items, []);
  });

  it('holds the updates that change one attribute everywhere, or empty it for those who have it', () => {
    const shift = { path: 'title', changed: 300, emptied: 0, holders: 900 };
    const lax = { ...DEFAULT_GUARD, percent: 100 };
    assert.deepEqual(held({ update: 300, attributes: [shift] }, BASE, lax).items, []);
    const { items } = held({ update: 301, attributes: [{ ...shift, changed: 301 }] }, BASE, lax);
    assert.deepEqual(items, [{ code: 'attribute-changed', attribute: 'title', emptied: false }]);
    const rare = { path: 'title', changed: 15, emptied: 15, holders: 50 };
    assert.deepEqual(held({ update: 15, attributes: [rare] }).items, []);
    assert.deepEqual(held({ update: 16, attributes: [{ ...rare, changed: 16, emptied: 16 }] }).items, [
      { code: 'attribute-emptied', attribute: 'title', emptied: true },
    ]);
  });

  it('never lets what is protected go by itself, not even with approval in advance', () => {
    for (const allowLargeSync of [false, true]) {
      const verdict = held({ remove: 1, protectedItems: ['3'] }, BASE, DEFAULT_GUARD, { ...USUAL, allowLargeSync });
      assert.deepEqual([verdict.held, verdict.items], [[], [{ code: 'protected', seqs: ['3'] }]]);
    }
  });

  it('holds everything that would be taken away after a read that did not reach its end', () => {
    const cut = { ...USUAL, complete: false, allowLargeSync: true };
    assert.equal(held({ remove: 1, absent: 1 }, BASE, DEFAULT_GUARD, cut).reasons[0]?.code, 'source-incomplete');
    assert.equal(held({ membershipsRemoved: 1 }, BASE, DEFAULT_GUARD, cut).held.length, 4);
    assert.deepEqual(held({ create: 1, update: 1 }, BASE, DEFAULT_GUARD, cut).held, []);
  });

  it('judges deleted groups as a share of the groups, too', () => {
    const few = { ...BASE, groups: 20 };
    assert.deepEqual(held({ remove: 10, absent: 10, groupsRemoved: 10 }, few).held, []);
    assert.equal(held({ remove: 11, absent: 11, groupsRemoved: 11 }, few).reasons[0]?.code, 'groups-exceeded');
  });

  it('holds removals when all groups have gone at once', () => {
    const none = { ...BASE, groupsInSource: 0 };
    assert.deepEqual(held({ remove: 5, absent: 5 }, none).held, ['remove']);
    assert.deepEqual(held({ remove: 1, absent: 1 }, { ...none, groups: 1 }).held, []);
  });

  it('lets a few further leavers pass while a mass of them waits, and not a second mass', () => {
    const mass = (freshRemovals: number | undefined, lanePassed = 0) =>
      held({ remove: 500, freshRemovals, lanePassed }).lane;
    assert.equal(mass(undefined), false);
    assert.equal(mass(0), false);
    assert.equal(mass(5), true);
    assert.equal(mass(6), false);
    assert.equal(mass(2, 3), true);
    assert.equal(mass(2, 4), false);
    assert.equal(held({ remove: 50, freshRemovals: 2 }).lane, false);
    assert.equal(held({ remove: 500, freshRemovals: 1 }, { ...BASE, usersInSource: 0 }).lane, false);
  });
});
