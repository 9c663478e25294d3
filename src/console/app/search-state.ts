import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

export type Search = Readonly<Record<string, string | undefined>>;

/** Filters, tab and search of a page live in its address. */
export function useSearchState(): readonly [Search, (changes: Search) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const change = useCallback(
    (changes: Search) =>
      void navigate({
        to: '.',
        replace: true,
        search: (before: Search) =>
          Object.fromEntries(
            Object.entries({ ...before, ...changes }).filter(([, value]) => value !== undefined && value !== ''),
          ),
      } as never),
    [navigate],
  );
  return [search, change];
}

/** The instants between two days of the reader's calendar, both of them included. */
export function betweenDays({ since, until }: Search): { since?: string; until?: string } {
  const instant = (day: string, plus: number): string => {
    const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
    return new Date(year, month - 1, date + plus).toISOString();
  };
  const isDay = (day: string | undefined): day is string => /^\d{4}-\d\d-\d\d$/.test(day ?? '');
  return {
    ...(isDay(since) ? { since: instant(since, 0) } : {}),
    ...(isDay(until) ? { until: instant(until, 1) } : {}),
  };
}
