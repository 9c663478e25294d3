import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isTimeZone, nextDaily, nextInterval, previousDaily, previousInterval } from '#core/schedule.ts';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Seoul',
  'Australia/Lord_Howe',
  'Pacific/Kiritimati',
  'Asia/Kathmandu',
];
const anyTime = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
const anyInstant = fc.date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true });

describe('daily slots', () => {
  it('run at the next valid minute on the day on which the clock jumps over them', () => {
    assert.equal(
      nextDaily('02:30', 'Europe/Berlin', new Date('2027-03-27T12:00Z')).toISOString(),
      '2027-03-28T01:00:00.000Z',
    );
  });

  it('run once, at the first of the two, on the day on which they come twice', () => {
    const first = nextDaily('02:30', 'Europe/Berlin', new Date('2027-10-30T12:00Z'));
    assert.equal(first.toISOString(), '2027-10-31T00:30:00.000Z');
    assert.equal(nextDaily('02:30', 'Europe/Berlin', first).toISOString(), '2027-11-01T01:30:00.000Z');
  });

  it('come on a leap day', () => {
    assert.equal(
      nextDaily('03:00', 'Asia/Seoul', new Date('2028-02-28T18:30Z')).toISOString(),
      '2028-02-29T18:00:00.000Z',
    );
  });

  it('follow each other by about a day, and the last one before the next is the one before', () => {
    fc.assert(
      fc.property(anyTime, fc.constantFrom(...ZONES), anyInstant, (time, zone, instant) => {
        const next = nextDaily(time, zone, instant);
        const after = nextDaily(time, zone, next);
        assert.ok(next > instant);
        const hours = (after.getTime() - next.getTime()) / 3_600_000;
        assert.ok(hours >= 22 && hours <= 26, `${hours} hours`);
        assert.deepEqual(previousDaily(time, zone, new Date(after.getTime() - 1)), next);
        assert.deepEqual(previousDaily(time, zone, next), next);
      }),
    );
  });
});

describe('interval slots', () => {
  it('are the same on every replica', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 10_080 }), anyInstant, (minutes, instant) => {
        const next = nextInterval(minutes, instant);
        assert.ok(next > instant && next.getTime() - instant.getTime() <= minutes * 60_000);
        assert.deepEqual(previousInterval(minutes, next), next);
      }),
    );
  });
});

it('knows a time zone from a word', () => {
  assert.equal(isTimeZone('Europe/Berlin'), true);
  assert.equal(isTimeZone('Mars/Olympus'), false);
});
