// Which filters an index answers. Whatever else somebody writes reads everybody, and is interrupted when it takes too long.
import { type ResourceSchema, resolve } from '#core/attributes.ts';
import type { Filter } from '#core/filter.ts';

/** Members and groups are looked for through other resources; the others have no index of their own. */
const UNINDEXED = ['members', 'groups', 'meta.version', 'meta.created'];

/** Whether a filter is one comparison that looks into an index, and reads no more than it finds. */
export function isIndexed(filter: Filter, schema: ResourceSchema): boolean {
  if (filter.kind !== 'compare' || filter.value === null) return false;
  const resolved = resolve(schema, filter.path);
  // In a list of several types: this one has no such attribute, and nothing is read.
  if (resolved === undefined) return true;
  const { attribute, sub, extension } = resolved;
  const name = sub === undefined ? attribute.name : `${attribute.name}.${sub.name}`;
  const key = schema.resourceType === 'User' ? 'userName' : 'displayName';
  switch (filter.operator) {
    case 'gt':
    case 'ge':
      return extension === undefined && (name === key || name === 'meta.lastModified');
    case 'eq':
      // "Not primary" is also what does not say so.
      if (sub?.name === 'primary' && filter.value === false) return false;
      if (name === 'schemas') return schema.isCut !== true;
      return extension !== undefined || !UNINDEXED.some((one) => name === one || attribute.name === one);
    default:
      return false;
  }
}
