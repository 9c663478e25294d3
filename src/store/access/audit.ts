// Who did what, when. Written in the transaction of the deed.
import { storableJson } from '#core/json.ts';
import { type Db, sql } from '../database.ts';
import { type Page, type PageQuery, pageOf } from '../views/page.ts';

export interface AuditEntry {
  readonly actor: string;
  /** `noun.verb`: `provider.activate`, `plan.approve`. */
  readonly action: string;
  readonly object?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export async function writeAudit(db: Db, { actor, action, object, detail }: AuditEntry): Promise<void> {
  await sql(db, 'insert into audit (actor, action, object, detail) values (?, ?, ?, ?::jsonb)', [
    actor,
    action,
    object ?? null,
    detail === undefined ? null : storableJson(detail),
  ]);
}

export interface AuditView {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly object: string | null;
  /** Of a user or group, here or removed. The log itself names nobody: it is kept longer than people are. */
  readonly objectName: string | null;
  readonly detail: unknown;
  /** Issuer and subject of the person that the actor is; null for a token, and for a part of the gateway. */
  readonly subject: string | null;
}

export interface AuditFilter {
  readonly actor?: string | undefined;
  /** One action, or the noun before the dot for all of its actions. */
  readonly action?: string | undefined;
  readonly since?: string | undefined;
  /** The first instant that is not shown any more. */
  readonly until?: string | undefined;
}

/** The newest line of an action, on an object where it has one. */
export async function lastAudit(
  db: Db,
  action: string,
  object: string | undefined,
): Promise<Pick<AuditView, 'at' | 'actor'> | undefined> {
  const { rows } = await sql<Pick<AuditView, 'at' | 'actor'>>(
    db,
    'select at, actor from audit where action = ? and (?::text is null or object = ?) order by seq desc limit 1',
    [action, object ?? null, object ?? null],
  );
  return rows[0];
}

/** Newest first. */
export async function listAudit(
  db: Db,
  { limit, cursor, actor, action, since, until }: PageQuery & AuditFilter,
): Promise<Page<AuditView>> {
  const conditions = new Map<string, string>();
  const add = (condition: string, value: string | undefined): void => {
    if (value !== undefined) conditions.set(condition, value);
  };
  add('seq < ?::bigint', cursor);
  add('actor = ?', actor);
  add("? in (action, split_part(action, '.', 1))", action);
  add('at >= ?::timestamptz', since);
  add('at < ?::timestamptz', until);
  const where = conditions.size === 0 ? '' : `where ${[...conditions.keys()].join(' and ')}`;
  const { rows } = await sql(
    db,
    `with entries as (
       select seq, at, actor, action, object, detail, case split_part(action, '.', 1)
         when 'user' then object when 'group' then object
         when 'dispute' then coalesce(detail ->> 'resourceId', detail -> 'candidates' ->> 0) end as resource
       from audit ${where} order by seq desc limit ?),
     meant as (
       select seq, case when resource ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then resource::uuid end as id from entries)
     select e.seq as id, e.at, e.actor, e.action, e.object, coalesce(r.display, i.label) as "objectName", e.detail,
       (select a.subject from actors a where a.actor = e.actor) as subject
     from entries e join meant m on m.seq = e.seq
     left join resources r on r.id = m.id
     left join lateral (
       select i.label from plan_items i where r.id is null and i.resource_id = m.id and i.label is not null
       order by i.outcome_at desc nulls last limit 1) i on true
     order by e.seq desc`,
    [...conditions.values(), limit + 1],
  );
  return pageOf(rows as readonly AuditView[], limit, ({ id }) => id);
}
