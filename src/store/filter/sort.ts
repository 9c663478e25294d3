import { type Attribute, type ResourceSchema, resolve } from '#core/attributes.ts';
import { InputError } from '#core/errors.ts';
import type { AttributePath } from '#core/filter.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Sort } from '../directory/resource-pages.ts';

/**
 * The order that `sortBy` asks for (RFC 7644 section 3.4.2.3): of a multi-valued attribute the primary value counts,
 * else the first; text without case unless the attribute is case-exact.
 * @throws {InputError} `invalidPath`: nothing that can be sorted by
 */
export function compileSort(path: AttributePath, schema: ResourceSchema, descending: boolean): Sort {
  const resolved = resolve(schema, path);
  // A filter would be passed over, and the list come in another order than was asked for.
  if (resolved === undefined || 'filter' in path) throw unsortable(path);
  const { extension, attribute, sub } = resolved;
  const leaf = sub ?? (attribute.type === 'complex' ? attribute.sub.get('value') : attribute);
  if (leaf === undefined || leaf.type === 'complex') throw unsortable(path);
  const name = sub === undefined ? attribute.name : `${attribute.name}.${sub.name}`;
  const column = extension === undefined ? columnOf(name, schema) : undefined;
  if (column !== undefined) return { ...column, descending };
  if (['members', 'groups', 'meta', 'schemas'].includes(attribute.name)) throw unsortable(path);
  const document = extension === undefined ? 'r.search' : `(r.search -> '${extension}')`;
  const value = attribute.multiValued
    ? firstValue(`${document} -> '${attribute.name}'`, attribute, leaf)
    : `${document} #>> '{${[attribute.name, ...(attribute === leaf ? [] : [leaf.name])].join(',')}}'`;
  return leaf.type === 'integer' || leaf.type === 'decimal'
    ? { key: `(${value})::numeric`, type: 'numeric', everywhere: false, indexed: false, descending }
    : { key: `((${value}) collate "C")`, type: 'text', everywhere: false, indexed: false, descending };
}

function columnOf(name: string, { resourceType }: ResourceSchema): Omit<Sort, 'descending'> | undefined {
  switch (name) {
    case 'id':
      return { key: 'r.id', type: 'uuid', everywhere: true, indexed: false };
    case 'active':
      return { key: 'r.active', type: 'boolean', everywhere: true, indexed: false };
    case 'meta.created':
      return { key: 'r.created_at', type: 'timestamptz', everywhere: true, indexed: false };
    case 'meta.lastModified':
      return { key: 'r.updated_at', type: 'timestamptz', everywhere: true, indexed: true };
    case 'meta.resourceType':
      return { key: '(r.resource_type collate "C")', type: 'text', everywhere: true, indexed: false };
    case 'meta.version':
      return { key: `(('W/"' || r.version || '"') collate "C")`, type: 'text', everywhere: true, indexed: false };
    // Every address begins alike, and then comes the type.
    case 'meta.location':
      return { key: '((r.resource_type || r.id) collate "C")', type: 'text', everywhere: true, indexed: false };
    case resourceType === 'User' ? 'userName' : 'displayName':
      return { key: 'r.name_key', type: 'text', everywhere: true, indexed: true };
    default:
      return undefined;
  }
}

/**
 * One order for users and groups together: each by its own attribute of that name; those that do not have it are
 * where absent keys are.
 */
export function joinSorts(
  sorts: readonly { readonly type: ResourceType; readonly sort: Sort | undefined }[],
): Sort | undefined {
  const known = sorts.flatMap(({ type, sort }) => (sort === undefined ? [] : [{ type, sort }]));
  const [first] = known;
  if (first === undefined) return undefined;
  if (known.length === sorts.length && known.every(({ sort }) => sort.key === first.sort.key))
    return { ...first.sort, indexed: first.sort.indexed && sorts.length === 1 };
  const { type, descending } = first.sort;
  const branches = known.filter(({ sort }) => sort.type === type);
  const key = branches.map((branch) => `when '${branch.type}' then ${branch.sort.key}`).join(' ');
  return { key: `(case r.resource_type ${key} end)`, type, everywhere: false, indexed: false, descending };
}

function firstValue(list: string, attribute: Attribute, leaf: Attribute): string {
  if (attribute.type !== 'complex') return `${list} ->> 0`;
  return `coalesce(jsonb_path_query_first(${list}, '$[*] ? (@.primary == true)'), ${list} -> 0) ->> '${leaf.name}'`;
}

function unsortable({ attribute, sub }: AttributePath): InputError {
  const name = sub === undefined ? attribute : `${attribute}.${sub}`;
  return new InputError(`A list cannot be sorted by "${name.slice(0, 80)}".`, { scimType: 'invalidPath' });
}
