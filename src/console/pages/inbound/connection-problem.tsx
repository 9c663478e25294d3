import type { ProviderCard, Run } from '../../api/types.ts';
import { RunErrorText } from '../../app/run-error.tsx';

/** Why the source cannot be read, in the reader's words where the cause is known. */
export function ConnectionProblem({ card }: { readonly card: ProviderCard }) {
  const { problem, detail } = card.connection;
  const error = problem ?? card.lastRun?.error ?? null;
  return error === null ? detail : <RunErrorText error={error as NonNullable<Run['error']>} />;
}
