/** What runs cost in a month. Months are UTC, `YYYY-MM`. */
export interface MonthCost {
  readonly month: string;
  readonly runs: number;
  readonly wallMs: number;
  readonly requests: number;
  readonly resourceUnits: number;
  readonly bytes: number;
  readonly throttledMs: number;
}

/** What a month may cost; null is without a limit. It advises and stops nothing. */
export interface Budget {
  readonly wallMinutes: number | null;
  readonly requests: number | null;
  readonly resourceUnits: number | null;
}

export const NO_BUDGET: Budget = { wallMinutes: null, requests: null, resourceUnits: null };

export interface Forecast extends Budget {
  readonly wallMinutes: number;
  readonly requests: number;
  readonly resourceUnits: number;
}

const DAY_MS = 86_400_000;

/** What the month of `now` will have cost at its end when it goes on as it began; a first day counts as a whole one. */
export function forecastMonth({ wallMs, requests, resourceUnits }: MonthCost, now: Date): Forecast {
  const begin = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const days = (Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - begin) / DAY_MS;
  const factor = days / Math.max(1, (now.getTime() - begin) / DAY_MS);
  return {
    wallMinutes: Math.ceil((wallMs / 60_000) * factor),
    requests: Math.ceil(requests * factor),
    resourceUnits: Math.ceil(resourceUnits * factor),
  };
}

const WORDS: Readonly<Record<keyof Budget, string>> = {
  wallMinutes: 'minutes of run time',
  requests: 'requests to the source',
  resourceUnits: 'resource units of the source',
};

/** A sentence that says what to do when the budget will not last; null while it does. */
export function adviseBudget(forecast: Forecast, budget: Budget): string | null {
  const over = (Object.keys(WORDS) as (keyof Budget)[]).flatMap((name) => {
    const limit = budget[name];
    return limit !== null && forecast[name] > limit ? [{ name, limit, share: forecast[name] / limit }] : [];
  });
  const worst = over.sort((a, b) => b.share - a.share)[0];
  if (worst === undefined) return null;
  const times = Math.ceil(worst.share * 10) / 10;
  return `This month will need about ${forecast[worst.name]} ${WORDS[worst.name]}, and the budget is ${worst.limit}. Run ${times} times less often, or raise the budget.`;
}
