// A resource as SCIM answers it: what is stored of it as text, joined. The text of id and meta, of the groups of a user
// and of members is written by the database; our own URL stands in it as U+0001, which JSON text cannot hold otherwise,
// and is put in at the end. Ids are UUIDs and types are our own words, so nothing but a display name needs escaping.
import { isUuid } from '#core/ids.ts';
import { withManager } from '#core/manager.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Texts } from '../ask.ts';
import type { Condition, Statement } from '../statement.ts';

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
}

/** A resource as it is answered. */
export interface Served {
  readonly id: string;
  readonly resource_type: ResourceType;
  readonly version: string;
  /** JSON text; of a group with more members than `INLINE_MEMBERS`, without them. */
  readonly text: string;
  readonly member_count: number;
}

/** What is read of a resource to make its text. */
export interface TextRow {
  readonly head: string;
  readonly body: string;
  /** `"groups":[…],` or `"members":[…],`, or nothing; null when the groups of a user are not stored. */
  readonly related: string | null;
}

export interface ServedRow extends TextRow, Omit<Served, 'text'> {}

/** What `servedColumns` needs of `resources`. */
export const SERVED_COLUMNS = 'r.id, r.resource_type, r.head, r.body, r.version, r.member_count';

/** Groups of up to so many members are answered in one piece; the members of larger ones are read in slices. */
export const INLINE_MEMBERS = 1_000;

/** A `ServedRow` of the resource in row `p`, from where `servedJoin` is joined. */
export function servedColumns(
  statement: Statement,
  type: ResourceType | undefined,
  options: Pick<ServeOptions, 'related' | 'visible'>,
): string {
  return `${textColumns(statement, type, options)}, p.resource_type, p.version, p.member_count`;
}

/** The row that `servedColumns` read. */
export function servedRowOf(texts: Texts): ServedRow {
  const row = textRowOf(texts);
  const [, , , type, version, memberCount] = texts;
  const resource_type = type === 'Group' ? 'Group' : 'User';
  return { ...row, id: idOf(row), resource_type, version: version ?? '', member_count: Number(memberCount) };
}

/** A `TextRow` of the resource in row `p`. */
export function textColumns(
  statement: Statement,
  type: ResourceType | undefined,
  options: Pick<ServeOptions, 'related' | 'visible'>,
): string {
  return `p.head, ${bodyText(statement, type, options.visible)} as body, ${relatedText(statement, type, options)} as related`;
}

/** The row that `textColumns` read. */
export function textRowOf([head, body, related]: Texts): TextRow {
  return { head: head ?? '', body: body ?? '', related: related ?? null };
}

/** Row `s`: the stored groups of a user. */
export function servedJoin(
  type: ResourceType | undefined,
  { related, visible }: Pick<ServeOptions, 'related' | 'visible'>,
): string {
  const needed = type !== 'Group' && related.includes('User') && visible === undefined;
  return needed ? ' left join served_groups s on s.user_id = p.id' : '';
}

/** A row whose `related` is there, as it is answered. */
export function servedOf(row: ServedRow, base: string): Served {
  const { id, resource_type, version, member_count } = row;
  return { id, resource_type, version, member_count, text: textOf(row, base) };
}

/** The text of a row whose `related` is there. */
export function textOf({ head, related, body }: TextRow, base: string): string {
  return bareTextOf({ head, related, body: withManagerPlace(seenBody(body), base) }, base);
}

/** The same without where the manager is found: in the words of messages, which reach whoever knows none of our URLs. */
export function bareTextOf({ head, related, body }: TextRow, base: string): string {
  const place = head.indexOf(OURS);
  const start = head.slice(0, place) + base + head.slice(place + 1);
  return start + (related === null ? '' : related.replaceAll(OURS, base)) + seenBody(body).slice(1);
}

/** What is not to know its manager begins with our sign. */
function seenBody(body: string): string {
  return body.startsWith(OURS) ? JSON.stringify(withManager(JSON.parse(body.slice(1)), undefined)) : body;
}

function bodyText(statement: Statement, type: ResourceType | undefined, visible: Visible | undefined): string {
  const managerIsSeen = type === 'Group' ? undefined : managerSeen(statement, visible, 'p.body');
  if (managerIsSeen === undefined) return 'p.body';
  return `case when p.resource_type = 'Group' or ${managerIsSeen} then p.body else chr(1) || p.body end`;
}

const HEX = '[0-9a-fA-F]';
const MANAGER_ID = `'"manager":\\{"value":"(${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12})"'`;

/**
 * The condition that the manager in a body is seen, or that there is none of ours in it; undefined where all are.
 * @param body that of a row, outside of which nothing is called `k`
 */
export function managerSeen(statement: Statement, visible: Visible | undefined, body: string): string | undefined {
  const isSeen = seen(statement, visible, 'User', 'k.id');
  if (isSeen === 'true') return undefined;
  return `exists (select 1 from (select substring(${body} from ${MANAGER_ID})::uuid as id) k where k.id is null or ${isSeen})`;
}

/** Of a manager only `value` is stored, and `$ref` follows from it. No text has these quotes in it without backslashes. */
const MANAGER_STARTS = '"manager":{"value":"';

function withManagerPlace(body: string, base: string): string {
  const at = body.indexOf(MANAGER_STARTS);
  if (at === -1) return body;
  const start = at + MANAGER_STARTS.length;
  const end = start + 36;
  const id = body.slice(start, end);
  if (!isUuid(id) || !body.startsWith('"}', end)) return body;
  return `${body.slice(0, end)}","$ref":"${base}/Users/${id.toLowerCase()}${body.slice(end)}`;
}

/** The id in the text of a row. */
export function idOf({ head }: TextRow): string {
  return head.slice(ID_STARTS, ID_STARTS + 36);
}

const ID_STARTS = '{"id":"'.length;

/** Text in which our own URL is still to be put. */
export function withBase(text: string, base: string): string {
  return text.replaceAll(OURS, base);
}

const OURS = '\u0001';

/** The condition that a resource with this id is seen. `r` inside is that resource. */
export function seen(statement: Statement, visible: Visible | undefined, type: ResourceType, id: string): string {
  if (visible === undefined) return 'true';
  const condition = statement.where(visible.condition(type, 'few'));
  if (condition === 'true' || condition === 'false') return condition;
  return `exists (select 1 from resources r where r.id = ${id} and ${condition})`;
}

function relatedText(
  statement: Statement,
  type: ResourceType | undefined,
  { related, visible }: Pick<ServeOptions, 'related' | 'visible'>,
): string {
  const groups = type !== 'Group' && related.includes('User') ? groupsText(statement, visible) : `''`;
  const members = type !== 'User' && related.includes('Group') ? membersText(statement, visible) : `''`;
  if (type !== undefined) return type === 'User' ? groups : members;
  return groups === members ? groups : `case when p.resource_type = 'User' then ${groups} else ${members} end`;
}

/** As they are stored. A view that hides groups makes its own. */
function groupsText(statement: Statement, visible: Visible | undefined): string {
  return visible === undefined ? 's.text' : madeGroups(seen(statement, visible, 'Group', 'g.id'));
}

/** Direct groups, and through nested groups the indirect ones, of the user in row `p`; `union` ends cycles. */
export function madeGroups(condition = 'true'): string {
  return `coalesce((select '"groups":[' || string_agg('{"value":"' || u.group_id || '","$ref":"' || chr(1) || '/Groups/' || u.group_id
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

function membersText(statement: Statement, visible: Visible | undefined): string {
  return `case when p.member_count between 1 and ${INLINE_MEMBERS} then coalesce((
      select '"members":[' || string_agg(${MEMBER_TEXT}, ',' order by gm.member_id) || '],'
      from group_members gm where gm.group_id = p.id and ${memberSeen(statement, visible)}), '') else '' end`;
}

/** One member, row `gm`. */
export const MEMBER_TEXT = `'{"value":"' || gm.member_id || '","$ref":"' || chr(1) || case when gm.member_type = 'User' then '/Users/' else '/Groups/' end
    || gm.member_id || '","type":"' || gm.member_type || '"}'`;

/** Whether the member in row `gm` is seen. */
export function memberSeen(statement: Statement, visible: Visible | undefined): string {
  if (visible === undefined) return 'true';
  return `case when gm.member_type = 'User' then ${seen(statement, visible, 'User', 'gm.member_id')}
    else ${seen(statement, visible, 'Group', 'gm.member_id')} end`;
}
