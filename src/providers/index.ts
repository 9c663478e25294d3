import { InputError } from '#core/errors.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import { microsoft365 } from './microsoft365/index.ts';
import { scim } from './scim/index.ts';

/** Every kind of inbound provider. A new kind is a folder beside this file and a line here. */
export function providerKinds(parts: { clock: Clock }): ReadonlyMap<ProviderKindName, ProviderKind> {
  const kinds = [
    microsoft365(parts) as ProviderKind,
    scim as ProviderKind,
    comingKind('ldap', 'LDAP and Active Directory'),
    comingKind('csv', 'CSV files'),
  ];
  return new Map(kinds.map((kind) => [kind.kind, kind]));
}

/** A kind that is known, so that the one-active rule covers it, and that says clearly that it cannot be configured. */
function comingKind(kind: ProviderKindName, title: string): ProviderKind {
  const refuse = (): never => {
    throw new InputError(`The inbound provider "${title}" is not available yet.`, {
      reason: 'not-available-yet',
      remedy: 'Use Microsoft 365; a later release brings this one.',
    });
  };
  return {
    kind,
    title,
    available: false,
    secretPaths: [],
    parseSettings: refuse,
    policy: refuse,
    open: refuse,
    test: async () => refuse(),
  };
}
