// A 404 about somebody who is gone, told from that of a proxy whose service is away.
import { TargetError, type TargetFailure } from '#core/target.ts';
import type { ScimClient } from './client.ts';

const RESOURCES = /^\/(?:Users|Groups)\b/;
/** It answers, and not as a SCIM service does. */
const AWAY: ReadonlySet<TargetFailure> = new Set(['gone', 'unsupported', 'refused', 'contract']);

/**
 * Believes a 404 about users and groups only where the service itself answers right after it: a proxy whose service is
 * away answers so to everything, and nobody may count as gone for that.
 * @param probe one cheap read that is answered with a list
 */
export function doubtMissing(client: ScimClient, probe: (signal: AbortSignal) => Promise<void>): ScimClient {
  return {
    mask: client.mask,
    async send(request, signal) {
      try {
        return await client.send(request, signal);
      } catch (error) {
        if (!(error instanceof TargetError) || error.kind !== 'gone' || !RESOURCES.test(request.path)) throw error;
        await probe(signal).catch((other: unknown) => {
          throw other instanceof TargetError && AWAY.has(other.kind) ? away(error) : other;
        });
        throw error;
      }
    },
  };
}

function away(cause: TargetError): TargetError {
  return new TargetError('The target answers 404, to what is there as well: its service seems to be away.', {
    kind: 'contract',
    reason: 'not-scim',
    status: cause.status,
    exchange: cause.exchange,
    remedy: 'Check the base URL, and that the service behind it is up.',
    cause,
  });
}
