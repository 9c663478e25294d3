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

/** Whether somebody can come into a scope, or leave it, without being changed: by what groups they are in. */
export function dependsOnMembers(scope: AppScope | null): boolean {
  const mentions = (filter: string | undefined): boolean => filter !== undefined && /groups|members/i.test(filter);
  return scope !== null && (scope.groups !== undefined || mentions(scope.userFilter) || mentions(scope.groupFilter));
}
