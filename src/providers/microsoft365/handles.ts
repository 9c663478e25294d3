import type { Handles } from '#core/provider.ts';
import { allAddresses } from './addresses.ts';
import type { GraphGroup, GraphUser } from './records.ts';
import { textOf } from './text.ts';

/** Everything that Microsoft shows somebody by, whether the mapping carries it or not. */
export function userHandles(user: GraphUser): Handles {
  return { names: texts(user.userPrincipalName, user.displayName), addresses: allAddresses(user) };
}

export function groupHandles(group: GraphGroup): Handles {
  return { names: texts(group.displayName, group.mailNickname), addresses: texts(group.mail) };
}

function texts(...values: readonly unknown[]): string[] {
  return values.flatMap((value) => textOf(value) ?? []);
}
