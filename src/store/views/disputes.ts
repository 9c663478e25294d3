// Disputes as the admin API shows them: the record, and the resources that it may mean.
import type { Origin, ProviderKindName, ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { type Page, type PageQuery, pageOf } from './page.ts';

export interface DisputeView {
  readonly id: string;
  readonly provider: ProviderKindName;
  readonly resourceType: ResourceType;
  /** Of the record. */
  readonly externalId: string;
  /** What the provider calls it: its user name or display name. */
  readonly label: string | null;
  readonly reason: 'Disputed' | 'MatchAmbiguous';
  /** The attribute by which they look the same. */
  readonly attribute: string;
  readonly candidates: readonly {
    readonly id: string;
    readonly origin: Origin;
    readonly externalId: string | null;
    readonly label: string;
    readonly active: boolean;
  }[];
  readonly status: 'open' | 'adopted' | 'refused';
  /** The one that was chosen. */
  readonly resourceId: string | null;
  readonly createdAt: string;
  readonly decidedAt: string | null;
  readonly decidedBy: string | null;
}

const SELECT = `select d.seq, d.id, d.provider, d.resource_type as "resourceType", d.external_id as "externalId",
  coalesce(m.body::jsonb ->> 'userName', m.body::jsonb ->> 'displayName') as label, d.reason, d.attribute,
  (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'origin', r.origin, 'externalId', r.external_id,
     'label', coalesce(r.body::jsonb ->> 'userName', r.display), 'active', r.active) order by r.id), '[]')
   from unnest(d.candidates) c(id) join resources r on r.id = c.id and r.deleted_at is null) as candidates,
  d.status, d.resource_id as "resourceId", d.created_at as "createdAt", d.decided_at as "decidedAt", d.decided_by as "decidedBy"
  from disputes d left join mirror_records m on m.provider = d.provider and m.resource_type = d.resource_type
    and m.external_id = d.external_id`;

type Row = DisputeView & { readonly seq: string };

/** Newest first. */
export async function listDisputes(
  db: Db,
  { limit, cursor, status }: PageQuery & { readonly status?: string | undefined },
): Promise<Page<DisputeView>> {
  const { rows } = await sql<Row>(
    db,
    `${SELECT} where (?::bigint is null or d.seq < ?::bigint) and (?::text is null or d.status = ?) order by d.seq desc limit ?`,
    [cursor ?? null, cursor ?? null, status ?? null, status ?? null, limit + 1],
  );
  const page = pageOf(rows, limit, ({ seq }) => seq);
  return { items: page.items.map(strip), nextCursor: page.nextCursor };
}

export async function readDispute(db: Db, id: string): Promise<DisputeView | undefined> {
  const { rows } = await sql<Row>(db, `${SELECT} where d.id = ?`, [id]);
  return rows[0] === undefined ? undefined : strip(rows[0]);
}

function strip({ seq: _seq, ...dispute }: Row): DisputeView {
  return dispute;
}
