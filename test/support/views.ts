// What an app sees, worked out in memory from what there is: for comparing with what it is shown.
import { matches, parseFilter, parsePath } from '#core/filter.ts';
import type { ResourceType } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import { ENTERPRISE_SCHEMA, type ScimResource } from './scim.ts';

/** @param within who is in these groups, down through others, and the groups themselves */
export function sees(
  scope: AppScope,
  whole: ScimResource,
  within: (groups: readonly string[]) => ReadonlySet<string>,
): boolean {
  const type = whole.meta.resourceType as ResourceType;
  const filter = type === 'User' ? scope.userFilter : scope.groupFilter;
  return (
    (scope.resourceTypes?.includes(type) ?? true) &&
    (filter === undefined || matches(parseFilter(filter), whole)) &&
    (scope.groups === undefined || within(scope.groups).has(whole.id))
  );
}

/** A resource as the scope shows it, cut from how it is. */
export function shown(
  { attributes }: AppScope,
  whole: ScimResource,
  seen: ReadonlySet<string>,
): Record<string, unknown> {
  const cut: Record<string, unknown> = { ...whole };
  for (const name of ['groups', 'members'] as const) {
    const left = whole[name]?.filter(({ value }) => seen.has(value)) ?? [];
    if (left.length > 0) cut[name] = left;
    else delete cut[name];
  }
  const enterprise = whole[ENTERPRISE_SCHEMA] as Record<string, unknown> | undefined;
  const manager = enterprise?.['manager'] as { readonly value: string } | undefined;
  if (manager !== undefined && !seen.has(manager.value)) {
    const { manager: _hidden, ...others } = enterprise ?? {};
    cut[ENTERPRISE_SCHEMA] = others;
    if (Object.keys(others).length === 0) {
      delete cut[ENTERPRISE_SCHEMA];
      cut['schemas'] = whole.schemas.filter((urn) => urn !== ENTERPRISE_SCHEMA);
    }
  }
  if (attributes === undefined) return cut;
  const kept: Record<string, unknown> = { id: whole.id, schemas: whole.schemas, meta: whole.meta };
  for (const path of attributes) {
    const { schema, attribute, sub } = parsePath(path);
    const from = (schema === undefined ? cut : cut[schema]) as Record<string, unknown> | undefined;
    const value = from?.[attribute];
    if (value === undefined || (sub !== undefined && !hasSub(value, sub))) continue;
    const into = schema === undefined ? kept : { ...(kept[schema] as Record<string, unknown> | undefined) };
    into[attribute] = sub === undefined ? value : onlySub(into[attribute], value, sub);
    if (schema !== undefined) kept[schema] = into;
  }
  kept['schemas'] = whole.schemas.filter((urn) => urn in kept || !(urn in whole));
  return kept;
}

function hasSub(value: unknown, sub: string): boolean {
  return [value].flat().some((item) => typeof item === 'object' && item !== null && sub in item);
}

function onlySub(present: unknown, value: unknown, sub: string): unknown {
  if (Array.isArray(value))
    return value.map((item, place) => onlySub((present as unknown[] | undefined)?.[place], item, sub));
  return { ...(present as object | undefined), [sub]: (value as Record<string, unknown>)[sub] };
}
