import { useState } from 'react';
import { queryClient, refresh } from '../../api/queries.ts';

/** Several calls as one step: what went wrong with the first that failed, and everything is read again afterwards. */
export function useAttempt(): {
  readonly error: unknown;
  readonly busy: boolean;
  attempt(work: () => Promise<void>): Promise<void>;
} {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  async function attempt(work: () => Promise<void>): Promise<void> {
    setBusy(true);
    setError(null);
    await work().catch(setError);
    refresh(queryClient, ['provider', 'run', 'plan', 'schedule', 'guard']);
    setBusy(false);
  }
  return { error, busy, attempt };
}
