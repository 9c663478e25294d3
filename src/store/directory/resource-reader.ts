import { EVERY_ORIGIN, type Origin, type ResourceType } from '#core/resource.ts';
import { textArray } from '../arrays.ts';
import type { HotQuery } from '../ask.ts';
import type { Database } from '../database.ts';
import { SERVED_EXTERNAL_ID } from '../filter/filter-columns.ts';
import { gathered } from '../gather.ts';
import { nameOf, Statement } from '../statement.ts';
import {
  MEMBER_TEXT,
  memberSeen,
  SERVED_COLUMNS,
  type Served,
  type ServeOptions,
  servedColumns,
  servedJoin,
  servedOf,
  servedRowOf,
  withBase,
} from './served.ts';
import type { ServedGroups } from './served-groups.ts';

/** A resource as a writer needs it. */
export interface Stored {
  readonly id: string;
  readonly origin: Origin;
  readonly version: string;
  /** JSON text without id, meta and memberships. */
  readonly body: string;
}

/** The keys by which single resources are looked up. */
export type LookUpKey = 'id' | 'name' | 'externalId';

/** More than so many with one key, and the look-up does not answer it. */
export const SAME_KEY_MAX = 20;

/** Single resources. What is asked for at the same time is looked up together. */
export interface ResourceReader {
  /**
   * Those with this key in list order, at most `SAME_KEY_MAX` + 1.
   * @param value a UUID in lower case, a folded userName or displayName, or an externalId
   */
  lookUp(type: ResourceType, key: LookUpKey, value: string, options: ServeOptions): Promise<readonly Served[]>;
  /** @param id a UUID in lower case */
  readStored(type: ResourceType, id: string): Promise<Stored | undefined>;
}

/** Shapes of look-ups that are kept apart: types, keys, with or without memberships, and the views of apps. */
const SHAPES_MAX = 1_000;

export function makeResourceReader(database: Database, groups: Pick<ServedGroups, 'complete'>): ResourceReader {
  const lookUps = new Map<string, (value: string) => Promise<readonly Served[]>>();
  const stored = {
    User: gathered<Stored | undefined>((ids) => readStored(database, 'User', ids), undefined),
    Group: gathered<Stored | undefined>((ids) => readStored(database, 'Group', ids), undefined),
  };
  return {
    lookUp(type, key, value, options) {
      const shape = `${type} ${key} ${options.related.join()} ${options.visible?.key ?? ''} ${options.base}`;
      const known = lookUps.get(shape);
      if (known !== undefined) return known(value);
      const made = makeLookUp({ database, groups }, { type, key, options });
      if (lookUps.size >= SHAPES_MAX) lookUps.clear();
      lookUps.set(shape, made);
      return made(value);
    },
    readStored: (type, id) => stored[type](id),
  };
}

const CONDITION: Readonly<Record<LookUpKey, string>> = {
  id: 'r.id = k.value::uuid',
  name: 'r.name_key = k.value',
  externalId: `r.origin = any('${EVERY_ORIGIN}') and r.external_id = k.value and ${SERVED_EXTERNAL_ID} is not null`,
};

interface LookUp {
  readonly type: ResourceType;
  readonly key: LookUpKey;
  readonly options: ServeOptions;
}

function makeLookUp(
  { database, groups }: { database: Database; groups: Pick<ServedGroups, 'complete'> },
  lookUp: LookUp,
): (value: string) => Promise<readonly Served[]> {
  const [forOne, forMany] = [statementOf(lookUp, true), statementOf(lookUp, false)];
  const { base } = lookUp.options;
  return gathered<readonly Served[]>(async (values) => {
    const [only = ''] = values;
    const rows = await database.ask(values.length === 1 ? forOne(only) : forMany(textArray(values)));
    const whole = await groups.complete(rows.map(servedRowOf));
    const byValue = new Map<string, Served[]>();
    for (const [place, row] of whole.entries()) {
      const served = servedOf(row, base);
      const value = rows[place]?.[VALUE] ?? only;
      const same = byValue.get(value);
      if (same === undefined) byValue.set(value, [served]);
      else same.push(served);
    }
    return byValue;
  }, []);
}

/** By one index look-up for each value, whatever the planner believes of their number; a single value needs no list. */
function statementOf({ type, key, options }: LookUp, isOne: boolean): (wanted: string | Buffer) => HotQuery {
  const statement = new Statement();
  const wanted = isOne ? statement.bind(undefined, 'text') : statement.bindUnseen(undefined, 'text[]');
  const scope = statement.where(options.visible?.condition(type, 'few'));
  const condition = isOne ? CONDITION[key].replace('k.value', wanted) : CONDITION[key];
  const found = `select ${SERVED_COLUMNS} from resources r where ${condition} and r.resource_type = '${type}' and r.deleted_at is null
        and ${scope} ${key === 'id' ? '' : 'order by r.pos'} limit ${SAME_KEY_MAX + 1}`;
  const columns = servedColumns(statement, type, options);
  const text = isOne
    ? `select ${columns} from (${found}) p${servedJoin(type, options)}`
    : `select ${columns}, p.value from (select k.value, r.* from unnest(${wanted}) as k(value) cross join lateral (${found}) r) p${servedJoin(type, options)}`;
  const name = nameOf(text);
  const [, ...values] = statement.values;
  return (first) => ({ text, name, values: [first, ...values] });
}

/** Which column says the value that the row answers, where there are several. */
const VALUE = 6;

async function readStored(
  database: Database,
  type: ResourceType,
  ids: readonly string[],
): Promise<Map<string, Stored>> {
  const text = `select r.id, r.origin, r.version, r.body from unnest((select $1::uuid[])) as k(id) cross join lateral (
    select id, origin, version, body from resources where id = k.id and resource_type = '${type}' and deleted_at is null limit 1) r`;
  const { rows } = await database.query<Stored>({ text, values: [ids], name: nameOf(text) });
  return new Map(rows.map((row) => [row.id, row]));
}

/** The members of several groups as JSON text, by group; those without any are left out. */
export async function readMembers(
  database: Database,
  groupIds: readonly string[],
  { base, visible }: Pick<ServeOptions, 'base' | 'visible'>,
): Promise<ReadonlyMap<string, string>> {
  const statement = new Statement();
  const groups = statement.bindUnseen(groupIds, 'uuid[]');
  const text = `select k.id, (select string_agg(${MEMBER_TEXT}, ',' order by gm.member_id) from group_members gm
      where gm.group_id = k.id and ${memberSeen(statement, visible)}) as text from unnest(${groups}) as k(id)`;
  const { rows } = await database.query<{ id: string; text: string | null }>({
    text,
    values: statement.values,
    name: nameOf(text),
  });
  return new Map(
    rows.flatMap(({ id, text: members }) => (members === null ? [] : [[id, withBase(members, base)] as const])),
  );
}

/** Groups with more members than this are written in slices of as many. */
export const MEMBER_SLICE = 10_000;

/** A member as it comes from the database: its id, and whether it is a group. */
const PACKED_BYTES = 17;

/**
 * The members of a large group as JSON text, in slices to be joined by commas, all of one moment. They are kept as 17
 * bytes each and become text slice by slice, so that neither a slow reader nor many of them hold much, or a connection.
 */
export async function readMemberSlices(
  database: Database,
  groupId: string,
  { base, visible }: Pick<ServeOptions, 'base' | 'visible'>,
): Promise<Iterable<string>> {
  const statement = new Statement();
  const group = statement.bind(groupId, 'uuid');
  const text = `select string_agg(uuid_send(gm.member_id) || case when gm.member_type = 'Group' then '\\x01' else '\\x00' end::bytea, ''::bytea
      order by gm.member_id) filter (where ${memberSeen(statement, visible)}) as packed
    from group_members gm where gm.group_id = ${group}`;
  const { rows } = await database.query<{ packed: Buffer | null }>({ text, values: statement.values });
  return slicesOf(rows[0]?.packed ?? Buffer.alloc(0), base);
}

function* slicesOf(packed: Buffer, base: string): Generator<string> {
  const size = MEMBER_SLICE * PACKED_BYTES;
  for (let start = 0; start < packed.length; start += size) {
    const hex = packed.toString('hex', start, start + size);
    const members: string[] = [];
    for (let at = 0; at < hex.length; at += 2 * PACKED_BYTES)
      members.push(memberText(hex.slice(at, at + 2 * PACKED_BYTES), base));
    yield members.join(',');
  }
}

/** As `MEMBER_TEXT` has it. */
function memberText(hex: string, base: string): string {
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
  const type = hex.endsWith('01', 34) ? 'Group' : 'User';
  return `{"value":"${id}","$ref":"${base}/${type}s/${id}","type":"${type}"}`;
}
