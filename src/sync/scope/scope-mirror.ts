import type { PullProvider } from '#core/provider.ts';
import { scopeTouched } from '#store/mirror/membership-scope.ts';
import { lacksStatistics, sampleCompared } from '#store/plan/planning.ts';
import { STATISTICS_AFTER } from '../plan/make-plan.ts';
import type { RunContext } from '../run.ts';

/**
 * Decides by memberships who is in scope, on the mirror as the read has left it: so a membership that changed decides
 * about its person in the same run, whether that person's record changed or not.
 * @param changed how many records of the mirror the read has written
 */
export async function scopeMirror(
  context: Pick<RunContext, 'write' | 'provider' | 'log'>,
  { memberships }: Pick<PullProvider, 'memberships'>,
  changed: number,
): Promise<void> {
  await context.write(async (tx) => {
    const many = memberships !== undefined && changed > STATISTICS_AFTER;
    if (many || (memberships !== undefined && (await lacksStatistics(tx)))) await sampleCompared(tx);
    const count = await scopeTouched(tx, context.provider, memberships);
    if (count > 0) context.log.info({ count }, 'scope decided by memberships');
  });
}
