import { type Attribute, type Resolved, type ResourceSchema, resolve, type Schema } from '#core/attributes.ts';
import { InputError } from '#core/errors.ts';
import { type Filter, parseFilter, parsePath } from '#core/filter.ts';
import type { ResourceType } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import { foldCase } from '#core/search.ts';
import type { Visible } from '#store/directory/served.ts';
import { compileFilter } from '#store/filter/filter.ts';
import { type Condition, Statement } from '#store/statement.ts';
import { RESOURCE_SCHEMAS } from './scimmy.ts';

/** The directory as one consumer sees it. */
export interface View {
  readonly types: readonly ResourceType[];
  /** With the attributes that are seen, and no others. */
  readonly schemas: Readonly<Record<ResourceType, ResourceSchema>>;
  readonly visible: Visible | undefined;
  /** Whether stored text must be cut down before it is sent. */
  readonly isCut: boolean;
  /** Whether anything at all is left out. */
  readonly isLimited: boolean;
}

const ALL: readonly ResourceType[] = ['User', 'Group'];
const WHOLE: View = {
  types: ALL,
  schemas: RESOURCE_SCHEMAS,
  visible: undefined,
  isCut: false,
  isLimited: false,
};

const views = new Map<string, View>();
const VIEWS_MAX = 1_000;

/**
 * The view of an app's scope; made once for each.
 * @throws {InputError} `invalid-scope`: it names an attribute or has a filter that cannot be
 */
export function viewOf(scope: AppScope | null): View {
  if (scope === null) return WHOLE;
  const key = JSON.stringify(scope);
  const known = views.get(key);
  if (known !== undefined) return known;
  const view = makeView(scope, key);
  if (views.size >= VIEWS_MAX) views.clear();
  views.set(key, view);
  return view;
}

function makeView(scope: AppScope, key: string): View {
  const { resourceTypes, attributes, userFilter, groupFilter, groups } = scope;
  const types = ALL.filter((type) => resourceTypes?.includes(type) ?? true);
  const filters: Readonly<Record<ResourceType, Filter | undefined>> = {
    User: readFilter('User', userFilter),
    Group: readFilter('Group', groupFilter),
  };
  const limitsWho =
    types.length < ALL.length || groups !== undefined || userFilter !== undefined || groupFilter !== undefined;
  return {
    types,
    schemas: attributes === undefined ? RESOURCE_SCHEMAS : cutSchemas(attributes),
    visible: limitsWho
      ? { key, condition: (type, of) => conditionOf(type, of, types, filters[type], groups) }
      : undefined,
    isCut: attributes !== undefined,
    isLimited: true,
  };
}

function conditionOf(
  type: ResourceType,
  of: 'many' | 'few',
  types: readonly ResourceType[],
  filter: Filter | undefined,
  groups: readonly string[] | undefined,
): Condition {
  return (from) => {
    if (!types.includes(type)) return false;
    if (filter === undefined && groups === undefined) return true;
    const statement = new Statement(from);
    const parts = [
      ...(filter === undefined
        ? []
        : [statement.where((before) => compileFilter(filter, RESOURCE_SCHEMAS[type], { from: before }))]),
      ...(groups === undefined ? [] : [withinGroups(statement.bind(groups, 'uuid[]'), type, of)]),
    ];
    return { text: `(${parts.join(' and ')})`, values: statement.values };
  };
}

/** Down from the groups when many are asked for, up from the resource when it is a few. */
function withinGroups(groups: string, type: ResourceType, of: 'many' | 'few'): string {
  const itself = type === 'Group' ? `r.id = any(${groups}) or ` : '';
  return of === 'many'
    ? `(${itself}r.id in (with recursive down(id, type) as (
        select member_id, member_type from group_members where group_id = any(${groups})
        union select gm.member_id, gm.member_type from down d join group_members gm on gm.group_id = d.id where d.type = 'Group')
        select id from down where type = '${type}'))`
    : `(${itself}exists (with recursive up(id) as (
        select group_id from group_members where member_id = r.id
        union select gm.group_id from up join group_members gm on gm.member_id = up.id and gm.member_type = 'Group')
        select 1 from up where id = any(${groups})))`;
}

function readFilter(type: ResourceType, text: string | undefined): Filter | undefined {
  if (text === undefined) return undefined;
  const filter = parseFilter(text);
  compileFilter(filter, RESOURCE_SCHEMAS[type]);
  return filter;
}

function cutSchemas(paths: readonly string[]): Readonly<Record<ResourceType, ResourceSchema>> {
  const chosen = paths.map((text) => ({ text, path: parsePath(text) }));
  const found = new Set<string>();
  const cut = (schema: ResourceSchema): ResourceSchema => {
    const resolved = chosen.flatMap(({ text, path }) => {
      const one = path.filter === undefined ? resolve(schema, path) : undefined;
      if (one !== undefined) found.add(text);
      return one ?? [];
    });
    return {
      ...schema,
      isCut: true,
      core: cutSchema(
        schema.core,
        resolved.filter(({ extension }) => extension === undefined),
      ),
      extensions: schema.extensions.map((part) =>
        cutSchema(
          part,
          resolved.filter(({ extension }) => extension === part.id),
        ),
      ),
    };
  };
  const user = cut(RESOURCE_SCHEMAS.User);
  // Members can be asked for by name, which must be seen itself then.
  const areNamed = ['displayname', 'username'].every((name) => user.core.attributes.has(name));
  const group = cut(RESOURCE_SCHEMAS.Group);
  const schemas = { User: user, Group: areNamed ? group : { ...group, core: withoutNames(group.core) } };
  const unknown = paths.find((text) => !found.has(text));
  if (unknown !== undefined)
    throw new InputError(`No user and no group has the attribute "${unknown.slice(0, 80)}".`, {
      reason: 'invalid-scope',
      remedy: 'Name attributes as the schemas at /scim/v2/Schemas do.',
    });
  return schemas;
}

const ALWAYS = new Set(['id', 'schemas', 'meta']);

function cutSchema(schema: Schema, chosen: readonly Resolved[]): Schema {
  const attributes = new Map<string, Attribute>();
  for (const [key, attribute] of schema.attributes) {
    const mine = chosen.filter((one) => one.attribute === attribute);
    if (ALWAYS.has(attribute.name) || mine.some(({ sub }) => sub === undefined)) attributes.set(key, attribute);
    else if (mine.length > 0) attributes.set(key, { ...attribute, sub: onlySubs(attribute, mine) });
  }
  return { id: schema.id, attributes };
}

function withoutNames({ id, attributes }: Schema): Schema {
  const members = attributes.get('members');
  if (members === undefined) return { id, attributes };
  const sub = new Map([...members.sub].filter(([key]) => key !== 'display'));
  return { id, attributes: new Map(attributes).set('members', { ...members, sub }) };
}

function onlySubs({ sub }: Attribute, chosen: readonly Resolved[]): ReadonlyMap<string, Attribute> {
  const names = new Set(chosen.flatMap((one) => (one.sub === undefined ? [] : [foldCase(one.sub.name)])));
  return new Map([...sub].filter(([key]) => names.has(key)));
}
