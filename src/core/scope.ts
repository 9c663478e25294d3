import type { ResourceType } from './resource.ts';

/**
 * What a downstream app may see. What is out of its scope does not exist for it: not in lists, counts and filters, nor
 * as a member or a group. An absent field limits nothing.
 */
export interface AppScope {
  readonly resourceTypes?: readonly ResourceType[] | undefined;
  /** Attribute paths: `userName`, `emails.value`, `urn:…:User:department`. `id`, `schemas` and `meta` are always seen. */
  readonly attributes?: readonly string[] | undefined;
  /** SCIM filters that users, and groups, must fulfil. */
  readonly userFilter?: string | undefined;
  readonly groupFilter?: string | undefined;
  /** Ids of groups: seen are these, the groups nested in them, and whoever is in one of them. */
  readonly groups?: readonly string[] | undefined;
}
