import type { ResourceType } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import type { ScopeOf } from '#store/target/deliveries.ts';
import type { TargetRow } from '#store/target/targets.ts';

/**
 * Which resources a target gets: those that the scope of its app lets through, of the types that its settings name. One
 * that is left out there leaves the target like whoever leaves the scope, and the guard watches.
 */
export function targetScope(
  { scope, push }: Pick<TargetRow, 'scope' | 'push'>,
  scopeOf: (scope: AppScope | null) => ScopeOf,
): ScopeOf {
  const within = scopeOf(scope as AppScope | null);
  const { types } = (push ?? {}) as { readonly types?: readonly ResourceType[] };
  return (type, of) => (types === undefined || types.includes(type) ? within(type, of) : () => false);
}
