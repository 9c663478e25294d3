import type { ScimResource } from '../../api/types.ts';

export function nameOf(resource: ScimResource): string {
  const { displayName, userName } = resource as unknown as { displayName?: string; userName?: string };
  return displayName ?? userName ?? resource.id;
}
