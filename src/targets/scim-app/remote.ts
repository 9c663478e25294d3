import type { ResourceType } from '#core/resource.ts';
import type { Payload, Remote } from '#core/target.ts';

export function placeOf(type: ResourceType): string {
  return type === 'User' ? '/Users' : '/Groups';
}

export function pathOf(type: ResourceType, id: string): string {
  return `${placeOf(type)}/${encodeURIComponent(id)}`;
}

/**
 * What follows the endpoint in an address: an id may have slashes. Empty where there is none, as when the target had no id
 * to write there and wrote that.
 */
export function idInLocation(location: string): string {
  const rest = /\/(?:Users|Groups)\/(.+)$/i.exec(location)?.[1] ?? location.split('/').at(-1) ?? '';
  if (rest === 'undefined' || rest === 'null') return '';
  try {
    return decodeURIComponent(rest);
  } catch {
    return rest;
  }
}

/** A resource that was read; undefined without an id. */
export function remoteOf(resource: Payload | undefined, etag?: string): Remote | undefined {
  const given = resource?.['id'];
  if (resource === undefined || (typeof given !== 'string' && typeof given !== 'number') || given === '')
    return undefined;
  const meta = resource['meta'];
  const version = typeof meta === 'object' && meta !== null && 'version' in meta ? String(meta.version) : undefined;
  return { id: String(given), document: resource, etag: etag ?? version };
}

/** For a target that shows no members, or an empty list in their place, which says nothing of who they are. */
export function withoutMembers<Shown extends Remote | undefined>(remote: Shown): Shown {
  if (remote?.document === undefined) return remote;
  const { members: _members, ...document } = remote.document;
  return { ...remote, document };
}
