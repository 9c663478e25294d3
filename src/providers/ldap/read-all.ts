import { findEverybody, type LdapPage, type Reading, readGroups, readMembers, readUsers } from './read.ts';
import { wholeResolver } from './resolver.ts';

/** Yields everything up to, and without, the end. @throws what a search throws */
export async function* readAll(reading: Reading): AsyncGenerator<LdapPage> {
  const resolver = wholeResolver(await findEverybody(reading));
  yield* readUsers(reading, resolver);
  yield* readGroups(reading);
  yield* readMembers(reading, resolver);
}
