// A stream as answers show it: what was set up, without secrets, and how it does.
import type { StreamRow } from '#store/event/event-streams.ts';
import type { StreamFigures } from '#store/views/event-deliveries.ts';
import {
  keptSecrets,
  type SetSettings,
  type StreamSecrets,
  viewKeys,
  type WebhookSettings,
} from './stream-settings.ts';
import type { StreamParts } from './streams.ts';

/** What an answer shows of a stream. */
export function viewStream(
  { seal, clock, publicUrl }: StreamParts,
  stream: StreamRow,
  figures: StreamFigures | undefined,
) {
  const secrets = keptSecrets(seal, stream);
  const own =
    stream.kind === 'webhook'
      ? { ...(stream.settings as WebhookSettings), keys: viewKeys(secrets, clock.now()) }
      : viewSets(stream.settings as SetSettings, secrets, publicUrl());
  return {
    ...own,
    enabled: stream.enabled,
    state: stateOf(stream),
    disabledAt: stream.disabled_at,
    disabledReason: stream.disabled_reason,
    failingSince: stream.failing_since,
    nextAttemptAt: stream.retry_at,
    lastSuccessAt: stream.last_success_at,
    ...(stream.pushed ? {} : { lastPolledAt: stream.polled_at }),
    lastError: stream.last_error,
    waiting: figures?.pending ?? 0,
    oldestWaitingAt: figures?.oldest ?? null,
    dead: figures?.dead ?? 0,
    leavers: {
      count: figures?.leavers ?? 0,
      p50Ms: figures?.p50_ms ?? null,
      p95Ms: figures?.p95_ms ?? null,
      worstMs: figures?.worst_ms ?? null,
    },
  };
}

function viewSets({ delivery, ...rest }: SetSettings, { authorization }: StreamSecrets, publicUrl: string) {
  const shown =
    delivery.method === 'push'
      ? { ...delivery, authorizationSet: authorization !== undefined }
      : { ...delivery, url: `${publicUrl}/scim/v2/SecurityEvents` };
  return { delivery: shown, ...rest, issuer: publicUrl, jwksUri: `${publicUrl}/.well-known/jwks.json` };
}

function stateOf({ enabled, disabled_at, failures }: StreamRow): 'active' | 'failing' | 'paused' | 'disabled' {
  if (!enabled) return 'paused';
  if (disabled_at !== null) return 'disabled';
  return failures > 0 ? 'failing' : 'active';
}
