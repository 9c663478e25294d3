import type { ProviderKind } from '#core/provider.ts';
import type { Seal } from '#platform/seal.ts';
import type { ProviderRow } from '#store/source/settings.ts';
import type { SourceMark } from '#store/source/source-marks.ts';
import type { SubscriptionRow } from '#store/source/subscriptions.ts';
import { openSettings } from '../provider/settings.ts';
import { whyUnavailable } from './subscriptions.ts';

/** How being told of changes stands. */
export interface NotificationsView {
  /** `unsupported`: this kind cannot tell. `off`: the settings do not want it, or the provider is not active. */
  readonly state: 'unsupported' | 'off' | 'unavailable' | 'pending' | 'active' | 'failed';
  readonly detail: string;
  /** The source has told of something that no run has read since; null when everything told was read. */
  readonly changedSince: string | null;
  readonly subscriptions: readonly {
    readonly resource: string;
    readonly expiresAt: string | null;
    readonly error: string | null;
  }[];
}

/** In words for the provider's card. Never throws: settings that cannot be opened are said so. */
export function describeNotifications(
  kind: ProviderKind,
  row: ProviderRow | undefined,
  { rows, mark }: { readonly rows: readonly SubscriptionRow[]; readonly mark: SourceMark | undefined },
  { seal, publicUrl }: { readonly seal: Seal; publicUrl(): string },
): NotificationsView {
  const subscriptions = rows.map(({ resource, expires_at: expiresAt, error }) => ({
    resource,
    expiresAt: expiresAt?.toISOString() ?? null,
    error: error?.message ?? null,
  }));
  // What a run has looked for in vain has been seen, as far as there was anything to see.
  const changedSince = mark?.follow_at === null ? mark.first_at.toISOString() : null;
  const say = (state: NotificationsView['state'], detail: string): NotificationsView => ({
    ...{ state, detail, changedSince, subscriptions },
  });
  if (kind.subscriptions === undefined) return say('unsupported', 'This provider cannot tell what changes.');
  if (row === undefined) return say('off', 'No settings are saved.');
  const wanted = isWanted(kind, row, seal);
  if (wanted === undefined) return say('failed', 'The saved settings cannot be opened.');
  if (!wanted) return say('off', 'The settings switch notifications off.');
  const unavailable = whyUnavailable(publicUrl());
  if (unavailable !== undefined) return say('unavailable', `Notifications: unavailable (${unavailable}).`);
  if (!row.active) return say('off', 'The provider is not active.');
  const failed = rows.find(({ error }) => error !== null);
  if (failed?.error != null) return say('failed', failed.error.message);
  const made = rows.filter(({ remote_id: remoteId }) => remoteId !== null);
  if (made.length < kind.subscriptions.resources.length) return say('pending', 'Subscriptions are being made.');
  return say('active', 'The source tells what changes.');
}

function isWanted(kind: ProviderKind, row: ProviderRow, seal: Seal): boolean | undefined {
  try {
    return kind.subscriptions?.wanted(openSettings(kind, row, seal));
  } catch {
    return undefined;
  }
}
