import type { Handles } from '#core/provider.ts';
import { allAddresses } from '../map/addresses.ts';
import type { GraphGroup, GraphUser } from '../map/records.ts';
import { textOf } from '../map/text.ts';

/** Everything that Microsoft shows somebody by, whether the mapping carries it or not. */
export function userHandles(user: GraphUser): Handles {
  return {
    names: texts(user.userPrincipalName, user.displayName),
    addresses: allAddresses(user),
    anchors: anchorsOf(user),
  };
}

/**
 * What ties an account to the one of the organization's own directory. It is the same when the account is made anew, here
 * or in another tenant; `securityIdentifier` is the object id in another spelling.
 */
function anchorsOf({ onPremisesImmutableId, onPremisesSecurityIdentifier }: GraphUser): string[] {
  const [immutableId] = texts(onPremisesImmutableId);
  const [sid] = texts(onPremisesSecurityIdentifier);
  return [
    ...(immutableId === undefined ? [] : [`immutableId:${immutableId}`]),
    ...(sid === undefined ? [] : [`sid:${sid.toUpperCase()}`]),
  ];
}

export function groupHandles(group: GraphGroup): Handles {
  return { names: texts(group.displayName, group.mailNickname), addresses: texts(group.mail) };
}

function texts(...values: readonly unknown[]): string[] {
  return values.flatMap((value) => textOf(value) ?? []);
}
