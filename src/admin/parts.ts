import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import type { Authenticator } from '#http/auth.ts';
import type { Notifier } from '#outbound/notify.ts';
import type { Clock } from '#platform/clock.ts';
import type { OutgoingPolicy } from '#platform/fetch.ts';
import type { Seal } from '#platform/seal.ts';
import type { Database } from '#store/database.ts';
import type { ResourceReader } from '#store/resource-reader.ts';
import type { ResourceSchemas } from '#sync/protect.ts';
import type { ScheduleService, SwitchService, SyncService } from '#sync/service.ts';
import type { SubscriptionKeeper } from '#sync/subscriptions.ts';
import type { RunWatcher } from '#sync/watch-runs.ts';

/** What the admin routes are handed. */
export interface AdminParts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
  readonly reader: ResourceReader;
  readonly schemas: ResourceSchemas;
  readonly sync: SyncService;
  readonly switching: SwitchService;
  readonly schedule: ScheduleService;
  readonly watcher: RunWatcher;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  /** @throws {InputError} the scope names an attribute, or has a filter, that cannot be */
  checkScope(scope: AppScope | null): void;
  /** Absent on a replica that only answers requests: another one looks within some seconds. */
  readonly notifier: Pick<Notifier, 'wake'> | undefined;
  /** Absent on a replica that only answers requests: another one looks within some seconds. */
  readonly subscriptions: Pick<SubscriptionKeeper, 'wake'> | undefined;
  readonly outgoing: OutgoingPolicy;
  /** Base of every URL we hand out, without a trailing slash. */
  publicUrl(): string;
  /** The OpenAPI document. */
  readonly openapi: Readonly<Record<string, unknown>>;
}
