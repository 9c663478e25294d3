import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isTimeZone, lastDays, nextDaily, nextInterval, previousDaily, previousInterval } from '#core/schedule.ts';

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

it('tells the last days of a zone, also over the night in which its clock changes', () => {
  const at = new Date('2026-03-29T22:30:00Z');
  assert.deepEqual(lastDays('Europe/Berlin', at, 3), [
    { day: '2026-03-28', from: new Date('2026-03-27T23:00:00Z') },
    { day: '2026-03-29', from: new Date('2026-03-28T23:00:00Z') },
    { day: '2026-03-30', from: new Date('2026-03-29T22:00:00Z') },
  ]);
  assert.equal(lastDays('UTC', at, 30).at(-1)?.day, '2026-03-29');
});

it('knows a time zone from a word', () => {
  assert.equal(isTimeZone('Europe/Berlin'), true);
  assert.equal(isTimeZone('Mars/Olympus'), false);
});
