import type { Readable } from 'node:stream';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import type { Authenticator } from '#http/auth.ts';
import type { EventStreams } from '#http/event-streams.ts';
import type { OidcSignIn } from '#http/oidc.ts';
import type { SessionLookup } from '#http/session.ts';
import type { Dispatcher } from '#outbound/dispatch.ts';
import type { EventViewOf } from '#outbound/event/event-view.ts';
import type { EventWorker } from '#outbound/event/event-worker.ts';
import type { SetSigner } from '#outbound/event/set-signer.ts';
import type { Notifier } from '#outbound/message/notify.ts';
import type { TargetKinds } from '#outbound/push/open-target.ts';
import type { Cut } from '#outbound/push/pump.ts';
import type { Clock } from '#platform/clock.ts';
import type { OutgoingPolicy } from '#platform/fetch.ts';
import type { Seal } from '#platform/seal.ts';
import type { Database } from '#store/database.ts';
import type { ResourceReader } from '#store/directory/resource-reader.ts';
import type { ScopeOf } from '#store/target/deliveries.ts';
import type { ResourceSchemas } from '#sync/plan/protect.ts';
import type { ScheduleService, SwitchService, SyncService } from '#sync/service.ts';
import type { SubscriptionKeeper } from '#sync/watch/subscriptions.ts';
import type { HappeningsWatcher } from '#sync/watch/watch-happenings.ts';
import type { RunWatcher } from '#sync/watch/watch-runs.ts';
import type { LongWork } from './long-work.ts';

/** What the admin routes are handed. */
export interface AdminParts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
  readonly reader: ResourceReader;
  readonly schemas: ResourceSchemas;
  readonly sync: SyncService;
  /** A run was queued: the worker looks at once, where there is one. */
  wakeSync(): void;
  readonly switching: SwitchService;
  readonly schedule: ScheduleService;
  readonly watcher: RunWatcher;
  readonly happenings: HappeningsWatcher;
  readonly eventStreams: EventStreams;
  readonly longWork: LongWork;
  readonly authenticator: Authenticator;
  readonly sessions: SessionLookup;
  /** Sign-in at an identity provider; absent when none is configured. */
  readonly oidc: OidcSignIn | undefined;
  readonly clock: Clock;
  /** @throws {InputError} the scope names an attribute, or has a filter, that cannot be */
  checkScope(scope: AppScope | null): void;
  /** Absent on a replica that only answers requests: another one looks within some seconds. */
  readonly notifier: Pick<Notifier, 'wake'> | undefined;
  /** Absent on a replica that only answers requests: another one looks within some seconds. */
  readonly subscriptions: Pick<SubscriptionKeeper, 'wake'> | undefined;
  readonly outgoing: OutgoingPolicy;
  readonly targetKinds: TargetKinds;
  /** Which resources an app's scope lets through. */
  scopeOf(scope: AppScope | null): ScopeOf;
  /** What it leaves of a resource. */
  cutOf(scope: AppScope | null): Cut;
  /** Absent on a replica that only answers requests. */
  readonly dispatcher: Pick<Dispatcher, 'wake'> | undefined;
  /** Absent on a replica that only answers requests. */
  readonly events: Pick<EventWorker, 'wake'> | undefined;
  readonly eventViewOf: EventViewOf;
  readonly signer: SetSigner;
  /** Looks at everything, and packs it without credentials and people. */
  readonly doctor: {
    report(): Promise<object>;
    bundle(): Promise<{ readonly names: readonly string[]; readonly archive: Readable }>;
  };
  /** Base of every URL we hand out, without a trailing slash. */
  publicUrl(): string;
  /** The OpenAPI document. */
  readonly openapi: Readonly<Record<string, unknown>>;
}
