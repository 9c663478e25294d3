import type { ResourceSchemas } from '#core/attributes.ts';
import type { SourceRequest } from '#core/cost.ts';
import type { UploadedFiles } from '#core/files.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import type { OutgoingPolicy } from '#platform/fetch.ts';
import { csv } from './csv/index.ts';
import { ldap } from './ldap/index.ts';
import { microsoft365 } from './microsoft365/index.ts';
import { scim } from './scim/index.ts';

/** What kinds are handed: the time, and the schemas that a mapping is held against. */
interface KindParts {
  readonly clock: Clock;
  readonly schemas: ResourceSchemas;
  /** Where an administrator's URL may lead. */
  readonly outgoing: OutgoingPolicy;
  readonly uploads: UploadedFiles;
  /** The only folder of this machine below which files are read. */
  readonly inboundDir: string;
  /** Told of every request to a source, for whoever counts them. */
  readonly onRequest?: (request: SourceRequest) => void;
}

/** Every kind of inbound provider. A new kind is a folder beside this file and a line here. */
export function providerKinds(parts: KindParts): ReadonlyMap<ProviderKindName, ProviderKind> {
  const kinds = [
    microsoft365(parts) as ProviderKind,
    scim(parts) as ProviderKind,
    ldap(parts) as ProviderKind,
    csv(parts) as ProviderKind,
  ];
  return new Map(kinds.map((kind) => [kind.kind, kind]));
}
