import type { ResourceSchema } from '#core/attributes.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import type { Authenticator } from '#http/auth.ts';
import type { Clock } from '#platform/clock.ts';
import type { Seal } from '#platform/seal.ts';
import type { Database } from '#store/database.ts';
import type { ResourceReader } from '#store/resource-reader.ts';
import type { ScheduleService, SyncService } from '#sync/service.ts';

/** What the admin routes are handed. */
export interface AdminParts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
  readonly reader: ResourceReader;
  readonly schemas: Readonly<Record<ResourceType, ResourceSchema>>;
  readonly sync: SyncService;
  readonly schedule: ScheduleService;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  /** @throws {InputError} the scope names an attribute, or has a filter, that cannot be */
  checkScope(scope: AppScope | null): void;
  /** Base of every URL we hand out, without a trailing slash. */
  publicUrl(): string;
  /** The OpenAPI document. */
  readonly openapi: Readonly<Record<string, unknown>>;
}
