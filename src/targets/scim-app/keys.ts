// What a resource is told by: the values at the paths that an administrator matches by.
import { parsePath } from '#core/filter.ts';
import { nameKey } from '#core/names.ts';
import type { Payload } from '#core/target.ts';
import { readAt } from '#core/target-mapping.ts';

/** The value at a path; with `wanted`, only when it is that one. User names and addresses are compared as names are: by neither case, composition nor width. */
export function keyOf(resource: Payload, text: string, wanted?: string): string | undefined {
  const path = parsePath(text);
  const all = path.sub !== undefined && path.filter === undefined ? resource[path.attribute] : undefined;
  const values = Array.isArray(all)
    ? all.map((item: Payload | null) => item?.[path.sub ?? 'value'])
    : [readAt(resource, path)];
  const texts = values.filter((value) => typeof value === 'string' && value !== '') as string[];
  if (wanted === undefined) return texts[0];
  return texts.find((value) => (text === 'externalId' ? value === wanted : nameKey(value) === nameKey(wanted)));
}

/** The same for all who carry the same. */
export function sameKey(path: string, value: string): string {
  return `${path} ${path === 'externalId' ? value : nameKey(value)}`;
}
