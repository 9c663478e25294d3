import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { daysUntil, nextWarning, WARN_DAYS } from '#core/connect.ts';

const DAY_MS = 86_400_000;
const end = new Date('2027-03-01T12:00:00Z');
const before = (days: number): Date => new Date(end.getTime() - days * DAY_MS);

describe('warnings before a credential ends', () => {
  it('come 60, 30, 7 and 1 days before, and when it has ended', () => {
    const told: number[] = [];
    let warned: number | null = null;
    for (let now = before(90); now <= before(-2); now = new Date(now.getTime() + DAY_MS / 4)) {
      const warning = nextWarning(end, warned, now);
      if (warning === undefined || warning.at > now) continue;
      told.push(warning.days);
      warned = warning.days;
    }
    assert.deepEqual(told, [...WARN_DAYS]);
    assert.equal(nextWarning(end, 0, before(-3)), undefined);
  });

  it('say the latest only where several are overdue', () => {
    assert.equal(nextWarning(end, null, before(5))?.days, 7);
    assert.equal(nextWarning(end, 60, before(0.5))?.days, 1);
    assert.deepEqual(nextWarning(end, 7, before(5)), { days: 1, at: before(1) });
  });

  it('count whole days, rounded up', () => {
    assert.equal(daysUntil(end, before(6.5)), 7);
    assert.equal(daysUntil(end, before(0)), 0);
    assert.equal(daysUntil(end, before(-1)), -1);
  });
});
