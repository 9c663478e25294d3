import { ConflictError, ForbiddenError } from '#core/errors.ts';
import type { ProviderKind } from '#core/provider.ts';

export function refuseComing(kind: ProviderKind): void {
  if (!kind.available)
    throw new ConflictError(`The inbound provider "${kind.title}" is not available yet.`, {
      reason: 'not-available-yet',
      remedy: 'Use Microsoft 365; a later release brings this one.',
    });
}

/** The kind cannot answer this, whatever its settings. */
export function notSupported({ title }: ProviderKind, what: string, remedy: string): ConflictError {
  return new ConflictError(`The inbound provider "${title}" has no ${what} that could be looked up.`, {
    reason: 'not-supported',
    remedy,
  });
}

export function notConfigured(kind: ProviderKind): ConflictError {
  refuseComing(kind);
  return new ConflictError(`The inbound provider "${kind.title}" has no settings.`, {
    reason: 'not-configured',
    remedy: `PUT its settings to /api/v1/providers/${kind.kind} first.`,
  });
}

/** Who is no administrator names a host that no administrator has saved. */
export function destinationNotSaved(): ForbiddenError {
  return new ForbiddenError('These settings lead to another place than the saved ones.', {
    reason: 'destination-not-saved',
    remedy: 'Ask an administrator to try these settings, or to save them.',
  });
}
