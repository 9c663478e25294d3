// Why a run or a read of the source failed: the gateway says it in English, and here is the same in Korean.
import type { RunError } from '../api/types.ts';
import { useKorean } from './korean.ts';

/** What happened and what to do; in Korean the gateway's own sentence stands below, for whoever looks it up. */
export function RunErrorText({ error }: { readonly error: Pick<RunError, 'failure' | 'code' | 'message' | 'remedy'> }) {
  const korean = useKorean();
  if (korean === undefined)
    return (
      <>
        {error.message} {error.remedy}
      </>
    );
  const [what, remedy] = korean.KOREAN_ERRORS[error.code] ?? korean.KOREAN_FAILURES[error.failure];
  return (
    <>
      {what} {remedy}
      <small lang="en" style={{ display: 'block', marginTop: 4 }}>
        {error.message}
      </small>
    </>
  );
}
