// A resource as the JSON text that SCIM answers, written by the database: what is stored, with id, meta and memberships
// joined in. Ids are UUIDs and types are our own words, so nothing but a display name needs escaping.
import type { ResourceType } from '#core/resource.ts';
import type { Condition, Statement } from './statement.ts';

/** What a reader sees of the directory; absent when it sees all of it. */
export interface Visible {
  /** Tells views apart that see different things. */
  readonly key: string;
  /**
   * On `r`: what a resource of this type must fulfil to be seen. Written for many resources or for a few: the same
   * condition, but where memberships decide, the one goes down from the groups and the other up from the resource.
   */
  condition(type: ResourceType, of: 'many' | 'few'): Condition;
}

export interface ServeOptions {
  /** Base of every URL, as it stands in JSON text. */
  readonly base: string;
  /** The types whose memberships come along: `groups` of a user, `members` of a group. */
  readonly related: readonly ResourceType[];
  readonly visible?: Visible | undefined;
  /**
   * True to leave out groups that are not stored instead of making them: a statement that could make them takes twice
   * as long to start. `madeNow` then says for whom they lack.
   */
  readonly storedOnly?: boolean | undefined;
}

/** What `servedText` needs of `resources`. */
export const SERVED_COLUMNS = 'r.id, r.resource_type, r.head, r.body, r.version, r.member_count';

/** Groups of up to so many members are answered in one piece; the members of larger ones are read in slices. */
export const INLINE_MEMBERS = 1_000;

const PATHS: Readonly<Record<ResourceType, string>> = { User: '/Users/', Group: '/Groups/' };
const PATH_OF_P = `case when p.resource_type = 'User' then '/Users/' else '/Groups/' end`;

/** The condition that a resource with this id is seen. `r` inside is that resource. */
export function seen(statement: Statement, visible: Visible | undefined, type: ResourceType, id: string): string {
  if (visible === undefined) return 'true';
  const condition = statement.where(visible.condition(type, 'few'));
  if (condition === 'true' || condition === 'false') return condition;
  return `exists (select 1 from resources r where r.id = ${id} and ${condition})`;
}

/**
 * The whole resource in row `p`, from where `servedJoin` is joined. Members of a group come with it only up to `INLINE_MEMBERS`; of a larger one the text
 * has none, and `memberSlices` reads them.
 */
export function servedText(statement: Statement, type: ResourceType | undefined, options: ServeOptions): string {
  const base = statement.bind(options.base, 'text');
  const path = type === undefined ? PATH_OF_P : `'${PATHS[type]}'`;
  return `concat(p.head, ${base}, ${path}, p.id, '"},', ${relatedText(statement, type, base, options)}, substr(p.body, 2))`;
}

/** What `servedText` needs beside row `p`: row `s`, the stored groups of a user. */
export function servedJoin(type: ResourceType | undefined, options: ServeOptions): string {
  return usesStored(type, options) ? ' left join served_groups s on s.user_id = p.id' : '';
}

/** Whether the groups of the user in row `p` had to be made. */
export function madeNow(type: ResourceType | undefined, options: ServeOptions): string {
  return usesStored(type, options) ? `(s.user_id is null and p.resource_type = 'User')` : 'false';
}

function usesStored(type: ResourceType | undefined, { related, visible }: ServeOptions): boolean {
  return type !== 'Group' && related.includes('User') && visible === undefined;
}

function relatedText(
  statement: Statement,
  type: ResourceType | undefined,
  base: string,
  options: ServeOptions,
): string {
  const { related, visible } = options;
  const groups = type !== 'Group' && related.includes('User') ? groupsText(statement, base, options) : `''`;
  const members = type !== 'User' && related.includes('Group') ? membersText(statement, base, visible) : `''`;
  if (type !== undefined) return type === 'User' ? groups : members;
  return groups === members ? groups : `case when p.resource_type = 'User' then ${groups} else ${members} end`;
}

/** As they are stored in row `s`, or made now. A view that hides groups makes its own. */
function groupsText(statement: Statement, base: string, { visible, storedOnly }: ServeOptions): string {
  if (storedOnly === true && visible === undefined) return `replace(s.text, chr(1), ${base})`;
  const made = madeGroups(base, seen(statement, visible, 'Group', 'g.id'));
  return visible === undefined ? `coalesce(replace(s.text, chr(1), ${base}), ${made})` : made;
}

/** Direct groups, and through nested groups the indirect ones, of the user in row `p`; `union` ends cycles. */
export function madeGroups(base: string, condition: string): string {
  return `coalesce((select '"groups":[' || string_agg('{"value":"' || u.group_id || '","$ref":"' || ${base} || '/Groups/' || u.group_id
      || '","display":' || to_json(g.display) || ',"type":"' || u.type || '"}', ',' order by g.pos) || '],'
    from (with recursive up(group_id) as (
        select a.group_id from group_members gm
          join group_members a on a.member_id = gm.group_id and a.member_type = 'Group' where gm.member_id = p.id
        union select a.group_id from up join group_members a on a.member_id = up.group_id and a.member_type = 'Group')
      select gm.group_id, 'direct' as type from group_members gm where gm.member_id = p.id
      union all select up.group_id, 'indirect' from up
        where not exists (select 1 from group_members gm where gm.member_id = p.id and gm.group_id = up.group_id)) u
    join resources g on g.id = u.group_id and g.deleted_at is null and ${condition}), '')`;
}

function membersText(statement: Statement, base: string, visible: Visible | undefined): string {
  return `case when p.member_count between 1 and ${INLINE_MEMBERS} then coalesce((
      select '"members":[' || string_agg(${memberText(base)}, ',' order by gm.member_id) || '],'
      from group_members gm where gm.group_id = p.id and ${memberSeen(statement, visible)}), '') else '' end`;
}

/** One member, row `gm`. */
export function memberText(base: string): string {
  return `'{"value":"' || gm.member_id || '","$ref":"' || ${base} || case when gm.member_type = 'User' then '/Users/' else '/Groups/' end
    || gm.member_id || '","type":"' || gm.member_type || '"}'`;
}

/** Whether the member in row `gm` is seen. */
export function memberSeen(statement: Statement, visible: Visible | undefined): string {
  if (visible === undefined) return 'true';
  return `case when gm.member_type = 'User' then ${seen(statement, visible, 'User', 'gm.member_id')}
    else ${seen(statement, visible, 'Group', 'gm.member_id')} end`;
}
