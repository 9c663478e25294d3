import { ConfigError } from '#core/errors.ts';
import type { PullProvider } from '#core/provider.ts';
import { noteSource, readSource } from '#store/source/source-identity.ts';
import type { RunContext } from '../run.ts';

/**
 * Makes sure that the provider is still the source that its resources are linked to: in another tenant the same people
 * have other ids, and a run would take everybody for a leaver.
 * @param relink whether this run makes the links anew
 * @throws {ConfigError} `tenant-changed`
 */
export async function recogniseSource(context: RunContext, provider: PullProvider, relink: boolean): Promise<void> {
  const identity = await provider.identity?.(context.signal);
  if (identity === undefined) return;
  const known = await readSource(context.db, context.provider);
  if (known !== undefined && known !== identity && !relink)
    throw new ConfigError(`The provider is another source now: "${identity}", and "${known}" before.`, {
      reason: 'tenant-changed',
      remedy:
        'Correct the settings; or, when everybody moved there, start a run with resetAccountMapping, look at its plan, and approve it.',
      details: { known, identity },
    });
  await context.write((tx) => noteSource(tx, context.runId, identity));
}
