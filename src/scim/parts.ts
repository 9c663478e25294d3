import type { Authenticator } from '#http/auth.ts';
import type { Database } from '#store/database.ts';
import type { Counts } from '#store/directory/counts.ts';
import type { ResourceReader } from '#store/directory/resource-reader.ts';
import type { ServedGroups } from '#store/directory/served-groups.ts';
import type { PushParts } from '#sync/push/push-source.ts';
import type { Cursors } from './cursor.ts';
import type { Places } from './places.ts';
import type { SecurityEvents } from './security-events.ts';

/** What the SCIM routes are handed. */
export interface ScimParts {
  readonly database: Database;
  readonly reader: ResourceReader;
  readonly counts: Counts;
  readonly groups: Pick<ServedGroups, 'complete' | 'serve'>;
  readonly cursors: Cursors;
  readonly places: Places;
  readonly authenticator: Authenticator;
  readonly securityEvents?: SecurityEvents | undefined;
  /** Base of every URL we hand out, without a trailing slash. */
  publicUrl(): string;
  /** What writes of an identity provider need; absent where there is none. */
  readonly push?: PushParts;
}
