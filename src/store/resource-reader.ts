import { EVERY_ORIGIN, type Origin, type ResourceType } from '#core/resource.ts';
import { type Database, type Db, queryOn } from './database.ts';
import { gathered } from './gather.ts';
import {
  MEMBER_TEXT,
  memberSeen,
  SERVED_COLUMNS,
  type Served,
  type ServedRow,
  type ServeOptions,
  servedColumns,
  servedJoin,
  servedOf,
  type Visible,
  withBase,
} from './served.ts';
import type { ServedGroups } from './served-groups.ts';
import { nameOf, Statement } from './statement.ts';

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
  const lookUps = new Map<string, (value: string) => Promise<readonly Served[] | undefined>>();
  const stored = {
    User: gathered((ids) => readStored(database, 'User', ids)),
    Group: gathered((ids) => readStored(database, 'Group', ids)),
  };
  return {
    async lookUp(type, key, value, options) {
      const shape = `${type} ${key} ${options.related.join()} ${options.visible?.key ?? ''} ${options.base}`;
      let lookUp = lookUps.get(shape);
      if (lookUp === undefined) {
        lookUp = gathered((values) => lookUpMany({ database, groups }, { type, key, options }, values));
        if (lookUps.size >= SHAPES_MAX) lookUps.clear();
        lookUps.set(shape, lookUp);
      }
      return (await lookUp(value)) ?? [];
    },
    readStored: (type, id) => stored[type](id),
  };
}

const CONDITION: Readonly<Record<LookUpKey, string>> = {
  id: 'r.id = k.value::uuid',
  name: 'r.name_key = k.value',
  externalId: `r.origin = any('${EVERY_ORIGIN}') and r.external_id = k.value and (r.search ->> 'externalId') is not null`,
};

interface LookUp {
  readonly type: ResourceType;
  readonly key: LookUpKey;
  readonly options: ServeOptions;
}

/** By one index look-up for each value, whatever the planner believes of their number; a single value needs no list. */
async function lookUpMany(
  { database, groups }: { database: Database; groups: Pick<ServedGroups, 'complete'> },
  { type, key, options }: LookUp,
  values: readonly string[],
): Promise<Map<string, Served[]>> {
  const statement = new Statement();
  const [only] = values;
  const isOne = values.length === 1 && only !== undefined;
  const wanted = isOne ? statement.bind(only, 'text') : statement.bindUnseen(values, 'text[]');
  const scope = statement.where(options.visible?.condition(type, 'few'));
  const condition = isOne ? CONDITION[key].replace('k.value', wanted) : CONDITION[key];
  const found = `select ${SERVED_COLUMNS} from resources r where ${condition} and r.resource_type = '${type}' and r.deleted_at is null
        and ${scope} ${key === 'id' ? '' : 'order by r.pos'} limit ${SAME_KEY_MAX + 1}`;
  const columns = servedColumns(statement, type, options);
  const text = isOne
    ? `select ${columns} from (${found}) p${servedJoin(type, options)}`
    : `select p.value, ${columns} from (select k.value, r.* from unnest(${wanted}) as k(value) cross join lateral (${found}) r) p${servedJoin(type, options)}`;
  const { rows } = await database.query<ServedRow & { value?: string }>({
    text,
    values: statement.values,
    name: nameOf(text),
  });
  const byValue = new Map<string, Served[]>();
  for (const row of await groups.complete(rows)) {
    const served = servedOf(row, options.base);
    const value = row.value ?? only ?? '';
    const same = byValue.get(value);
    if (same === undefined) byValue.set(value, [served]);
    else same.push(served);
  }
  return byValue;
}

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

/** Groups with more members than this are read in slices of as many. */
export const MEMBER_SLICE = 10_000;

/** The members of a large group as JSON text, in slices to be joined by commas, all of one moment. */
export async function readMemberSlices(
  database: Database,
  groupId: string,
  { base, visible }: Pick<ServeOptions, 'base' | 'visible'>,
): Promise<readonly string[]> {
  return database.knex.transaction(
    async (tx) => {
      const slices: string[] = [];
      let after: string | null = '00000000-0000-0000-0000-000000000000';
      while (after !== null) {
        const slice: MemberSlice = await readMemberSlice(tx, groupId, after, visible);
        if (slice.text !== null) slices.push(withBase(slice.text, base));
        after = slice.last;
      }
      return slices;
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  );
}

interface MemberSlice {
  readonly text: string | null;
  readonly last: string | null;
}

async function readMemberSlice(
  tx: Db,
  groupId: string,
  after: string,
  visible: Visible | undefined,
): Promise<MemberSlice> {
  const statement = new Statement();
  const group = statement.bind(groupId, 'uuid');
  const from = statement.bind(after, 'uuid');
  const text = `select string_agg(${MEMBER_TEXT}, ',' order by gm.member_id) filter (where ${memberSeen(statement, visible)}) as text,
      (array_agg(gm.member_id order by gm.member_id desc))[1]::text as last
    from (select member_id, member_type from group_members where group_id = ${group} and member_id > ${from}
      order by member_id limit ${MEMBER_SLICE}) gm`;
  const { rows } = await queryOn<MemberSlice>(tx, { text, values: statement.values });
  return rows[0] ?? { text: null, last: null };
}
