// Plans and their items as the admin API shows them.
import { ENTERPRISE_SCHEMA, type ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { type PlanStatus, resolveUsers } from '../plans.ts';
import { type Page, type PageQuery, pageOf } from './page.ts';

export interface PlanView {
  readonly id: string;
  readonly runId: string;
  readonly provider: ProviderKindName;
  readonly status: PlanStatus;
  /** Whether the read behind it was complete; without that nothing is removed. */
  readonly complete: boolean;
  readonly base: unknown;
  readonly configVersion: number;
  readonly hash: string | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly held: unknown;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly decidedAt: string | null;
  readonly decidedBy: string | null;
  readonly supersededBy: string | null;
}

export async function readPlan(db: Db, id: string): Promise<PlanView | undefined> {
  const { rows } = await sql(
    db,
    `select id, run_id as "runId", provider,
       case when status = 'held' and expires_at < now() then 'expired' else status end as status, complete, base,
       config_version::int as "configVersion", hash, counts, guard as held, created_at as "createdAt",
       expires_at as "expiresAt", decided_at as "decidedAt", decided_by as "decidedBy", superseded_by as "supersededBy"
     from plans where id = ?`,
    [id],
  );
  return rows[0];
}

/** One line of the provisioning log. `before` and `after` are SCIM resources; of a membership item, counts. */
export interface ItemView {
  readonly seq: number;
  readonly action: string;
  readonly resourceType: string;
  readonly id: string | null;
  readonly externalId: string | null;
  readonly label: string | null;
  readonly outcome: string;
  readonly held: boolean;
  /** Codes of the guard's rules that hold it, or held it. */
  readonly heldBy: readonly string[];
  /** It passed although its class was held: one of a few who left while a mass of leavers waits. */
  readonly lane: boolean;
  /** Paths of what an update changes. */
  readonly attributes: readonly string[];
  readonly reason: string;
  readonly detail: string | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly added: number;
  readonly removed: number;
  readonly error: string | null;
  readonly outcomeAt: string | null;
}

export interface ItemsQuery extends PageQuery {
  readonly action?: string | undefined;
  readonly outcome?: string | undefined;
  readonly reason?: string | undefined;
  /** Part of a name, or an id. */
  readonly search?: string | undefined;
}

interface ItemRow extends Omit<ItemView, 'before' | 'after' | 'seq'> {
  readonly seq: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** The items of a plan in the order in which they are applied. */
export async function listItems(
  db: Db,
  plan: Pick<PlanView, 'id' | 'provider'>,
  { limit, cursor, action, outcome, reason, search }: ItemsQuery,
): Promise<Page<ItemView>> {
  const like = search === undefined ? null : `%${search.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const { rows } = await sql(
    db,
    `select seq, action, resource_type as "resourceType", resource_id as id, external_id as "externalId", label, outcome, held,
       held_by as "heldBy", lane, attributes, reason, detail, before, after, added, removed, error, outcome_at as "outcomeAt"
     from plan_items where plan_id = ? and seq > ?::bigint and (?::text is null or action = ?)
       and (?::text is null or outcome = ?) and (?::text is null or reason = ?)
       and (?::text is null or label ilike ? or external_id = ? or resource_id::text = ?)
     order by seq limit ?`,
    [
      plan.id,
      cursor ?? '0',
      action ?? null,
      action ?? null,
      outcome ?? null,
      outcome ?? null,
      reason ?? null,
      reason ?? null,
      like,
      like,
      search ?? null,
      search ?? null,
      limit + 1,
    ],
  );
  const page = pageOf(rows as readonly ItemRow[], limit, ({ seq }) => seq);
  return { items: await viewItems(db, plan, page.items), nextCursor: page.nextCursor };
}

/** The provider's form names a manager by the provider's id; shown is ours, as in the directory. */
async function viewItems(
  db: Db,
  plan: Pick<PlanView, 'id' | 'provider'>,
  rows: readonly ItemRow[],
): Promise<ItemView[]> {
  const parsed = rows.map((row) => ({ row, after: row.after === null ? null : JSON.parse(row.after) }));
  const managers = parsed.flatMap(({ after }) => after?.[ENTERPRISE_SCHEMA]?.manager?.value ?? []);
  const ids = await resolveUsers(db, plan.id, plan.provider, managers);
  return parsed.map(({ row, after }) => {
    const manager = after?.[ENTERPRISE_SCHEMA]?.manager;
    const known = manager === undefined ? undefined : ids.get(manager.value);
    if (known !== undefined) manager.value = known;
    return { ...row, seq: Number(row.seq), before: row.before === null ? null : JSON.parse(row.before), after };
  });
}
