// The connection test of a push target. It reads, and leaves nothing behind.
import { randomUUID } from 'node:crypto';
import type { Check } from '#core/check.ts';
import { describeError } from '#core/failure.ts';
import type { PushPolicy, Target } from '#core/target.ts';

/** Each check by its name; the rest is skipped when we are not let in. */
export async function testTarget(target: Target, policy: PushPolicy, signal: AbortSignal): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const check = async (name: string, work: () => Promise<string>): Promise<boolean> => {
    try {
      checks.push({ name, ok: true, detail: await work(), remedy: null });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      const { message, remedy } = describeError(error);
      checks.push({ name, ok: false, detail: message, remedy });
      return false;
    }
  };
  const isIn = await check('connect', async () => {
    await target.probe(signal);
    return 'The target answers with a SCIM list and takes the credential.';
  });
  if (!isIn) return checks;
  await check('capabilities', async () => {
    const { patch, filter, bulk, etag } = await target.discover(signal);
    const can = Object.entries({ PATCH: patch, filters: filter, Bulk: bulk !== undefined, ETags: etag });
    return `It says that it supports: ${
      can
        .filter(([, is]) => is)
        .map(([name]) => name)
        .join(', ') || 'nothing of PATCH, filters, Bulk and ETags'
    }.`;
  });
  for (const type of policy.types)
    await check(type === 'User' ? 'find-user' : 'find-group', async () => {
      const nobody = `sluice-test-${randomUUID()}`;
      const names = type === 'User' ? { userName: nobody } : { displayName: nobody };
      const found = await target.find(type, { externalId: nobody, ...names }, signal);
      if (found.length > 0) throw new Error('somebody was found who cannot be there');
      return target.learned().filter === false
        ? 'It does not filter; everybody is read once instead.'
        : 'A look-up of somebody who cannot be there finds nobody, as it should.';
    });
  return checks;
}
