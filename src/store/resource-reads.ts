// What SCIM reads ask, straight through `pg`: one statement for a resource, two for a page (rows and count).
import { createHash } from 'node:crypto';
import type { ResourceType } from '#core/resource.ts';
import type { Database } from './database.ts';
import type { Where } from './filter.ts';

export interface ServedRow {
  readonly id: string;
  readonly resource_type: ResourceType;
  /** JSON text without id, meta, groups and members. */
  readonly body: string;
  readonly version: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  /** JSON array text of `groups` or `members`; null when there are none or they were not asked for. */
  readonly related: string | null;
}

export interface ReadOptions {
  /** Base of `$ref`, as it stands in JSON text. */
  readonly base: string;
  /** Whether `groups` (of a user) or `members` (of a group) are wanted. */
  readonly related: boolean;
}

const COLUMNS = 'r.id, r.resource_type, r.body, r.version, r.created_at, r.updated_at';

/** JSON text made by string joining: ids are UUIDs and types are our own words, so nothing needs escaping but `display`. */
function relatedColumn(type: ResourceType, wanted: boolean, base: string): string {
  if (!wanted) return 'null as related';
  const path = `(${base} || case when gm.member_type = 'User' then '/Users/' else '/Groups/' end)`;
  if (type === 'Group')
    return `(select '[' || string_agg('{"value":"' || gm.member_id || '","$ref":"' || ${path} || gm.member_id || '","type":"' || gm.member_type || '"}', ',' order by gm.member_id) || ']'
      from group_members gm where gm.group_id = r.id) as related`;
  return `(select '[' || string_agg('{"value":"' || g.id || '","$ref":"' || ${base} || '/Groups/' || g.id || '","display":' || to_json(g.display) || ',"type":"direct"}', ',' order by g.pos) || ']'
    from group_members gm join resources g on g.id = gm.group_id and g.deleted_at is null where gm.member_id = r.id) as related`;
}

export async function readResource(
  database: Database,
  type: ResourceType,
  id: string,
  { base, related }: ReadOptions,
): Promise<ServedRow | undefined> {
  const values = related ? [id, type, base] : [id, type];
  const text = `select ${COLUMNS}, ${relatedColumn(type, related, '$3::text')} from resources r
    where r.id = $1 and r.resource_type = $2 and r.deleted_at is null`;
  const { rows } = await database.query<ServedRow>({ text, values, name: nameOf(text) });
  return rows[0];
}

export interface PageRequest extends ReadOptions {
  /** On `r`, its values numbered from $1. */
  readonly where: Where;
  readonly offset: number;
  readonly limit: number;
}

/** Resources in their stable order, and how many there are in all. */
export async function readPage(
  database: Database,
  type: ResourceType,
  { where, offset, limit, base, related }: PageRequest,
): Promise<{ readonly rows: readonly ServedRow[]; readonly total: number }> {
  const values: unknown[] = [...where.values];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const condition = `r.resource_type = '${type}' and r.deleted_at is null and ${where.text}`;
  const counted = database.query<{ total: string }>({
    text: `select count(*) as total from resources r where ${condition}`,
    values: [...values],
  });
  if (limit === 0) return { rows: [], total: Number((await counted).rows[0]?.total) };
  const column = relatedColumn(type, related, related ? `${bind(base)}::text` : '');
  const text = `select ${COLUMNS}, ${column} from resources r where ${condition} order by r.pos limit ${bind(limit)} offset ${bind(offset)}`;
  const [{ rows }, count] = await Promise.all([database.query<ServedRow>({ text, values }), counted]);
  return { rows, total: Number(count.rows[0]?.total) };
}

function nameOf(text: string): string {
  return `s${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}
