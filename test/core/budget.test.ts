import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adviseBudget, forecastMonth, NO_BUDGET } from '#core/budget.ts';

const MONTH = {
  month: '2026-11',
  runs: 10,
  wallMs: 600_000,
  requests: 1_000,
  resourceUnits: 2_000,
  bytes: 1,
  throttledMs: 0,
};

describe('the budget of a month', () => {
  it('forecasts the whole month from what it has cost so far', () => {
    assert.deepEqual(forecastMonth(MONTH, new Date('2026-11-11T00:00:00Z')), {
      wallMinutes: 30,
      requests: 3_000,
      resourceUnits: 6_000,
    });
    assert.equal(forecastMonth(MONTH, new Date('2026-12-01T00:00:00Z')).requests, 31_000, 'one run is not a trend');
    assert.equal(forecastMonth(MONTH, new Date('2026-11-01T00:00:01Z')).requests, 30_000);
  });

  it('says what to do only when it will not last', () => {
    const forecast = { wallMinutes: 600, requests: 3_000, resourceUnits: 6_000 };
    assert.equal(adviseBudget(forecast, NO_BUDGET), null);
    assert.equal(adviseBudget(forecast, { ...NO_BUDGET, wallMinutes: 600 }), null, 'exactly the budget is within it');
    assert.match(
      adviseBudget(forecast, { ...NO_BUDGET, wallMinutes: 500, requests: 1_000 }) ?? '',
      /3000 requests.*1000.*3 times/,
    );
  });
});
