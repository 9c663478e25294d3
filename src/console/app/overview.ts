// What a person sees first, by the days of their own calendar.
import { useGet } from '../api/queries.ts';

const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
/** A browser that does not know where it is has no zone of a place. */
const QUERY = timeZone === undefined || timeZone.startsWith('Etc/') ? {} : { timeZone };

export function useOverview(options: { readonly enabled?: boolean } = {}) {
  return useGet('GET /overview', { query: QUERY, ...options });
}
