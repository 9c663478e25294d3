// Who would come in by a plan, counted by what tells people apart: before a first run, whoever should not come is seen here.
import { GATEWAY_SCHEMA } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

/** So many of the users whom a plan would create have this value; null where they have none. */
export interface Share {
  readonly value: string | null;
  readonly count: number;
}

/** Users whom a plan would create, or created. The lists begin with the most frequent value. */
export interface Newcomers {
  readonly users: number;
  readonly guests: number;
  readonly disabled: number;
  /** Known to have no licence; of whom nothing is known is not counted. */
  readonly unlicensed: number;
  /** Members whose user name is of an `onmicrosoft.com` domain. */
  readonly onMicrosoft: number;
  readonly userTypes: readonly Share[];
  readonly mailboxTypes: readonly Share[];
  /** Of user names; the 20 most frequent. */
  readonly domains: readonly Share[];
}

interface Kind {
  readonly userType: string | null;
  readonly mailboxType: string | null;
  readonly domain: string | null;
  readonly active: boolean;
  readonly licensed: boolean | null;
  readonly count: number;
}

const DOMAINS_MAX = 20;

/** Null when the plan creates nobody. Reads the users of the plan once. */
export async function readNewcomers(db: Db, planId: string): Promise<Newcomers | null> {
  const { rows: kinds } = await sql<Kind>(
    db,
    `with new as materialized (select after::jsonb as body from plan_items
       where plan_id = ? and action = 'create' and resource_type = 'User' and after is not null)
     select n.body->>'userType' as "userType", n.body->?::text->>'mailboxType' as "mailboxType",
       lower(nullif(split_part(n.body->>'userName', '@', 2), '')) as domain, n.body->'active' is distinct from 'false' as active,
       (n.body->?::text->'licensed')::boolean as licensed, count(*)::int as count
     from new n group by 1, 2, 3, 4, 5`,
    [planId, GATEWAY_SCHEMA, GATEWAY_SCHEMA],
  );
  if (kinds.length === 0) return null;
  const countOf = (is: (kind: Kind) => boolean): number =>
    kinds.reduce((sum, kind) => sum + (is(kind) ? kind.count : 0), 0);
  return {
    users: countOf(() => true),
    guests: countOf(isGuest),
    disabled: countOf(({ active }) => !active),
    unlicensed: countOf(({ licensed }) => licensed === false),
    onMicrosoft: countOf((kind) => !isGuest(kind) && kind.domain?.endsWith('.onmicrosoft.com') === true),
    userTypes: sharesOf(kinds, ({ userType }) => userType),
    mailboxTypes: sharesOf(kinds, ({ mailboxType }) => mailboxType),
    domains: sharesOf(kinds, ({ domain }) => domain).slice(0, DOMAINS_MAX),
  };
}

function isGuest({ userType }: Kind): boolean {
  return userType?.toLowerCase() === 'guest';
}

function sharesOf(kinds: readonly Kind[], read: (kind: Kind) => string | null): Share[] {
  const counts = new Map<string | null, number>();
  for (const kind of kinds) counts.set(read(kind), (counts.get(read(kind)) ?? 0) + kind.count);
  return [...counts].map(([value, count]) => ({ value, count })).sort((one, other) => other.count - one.count);
}
