// The items of a plan as the admin API shows them: with their outcomes they are the provisioning log of its run.

import { type Difference, differences } from '#core/differences.ts';
import { isUuid } from '#core/ids.ts';
import { managerOf, withManager } from '#core/manager.ts';
import { isSourceForm } from '#core/plan.ts';
import { describeReason } from '#core/reasons.ts';
import { GATEWAY_SCHEMA } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { IS_LINK } from '../plan/matching.ts';
import { resolveUsers } from '../plan/plans.ts';
import { type Page, type PageQuery, pageOf } from './page.ts';
import type { PlanView } from './plans.ts';

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
  /** What the reason says in words. */
  readonly sentence: string;
  readonly detail: string | null;
  /** The groups down to a user, as it is, or was, affiliated; null where there is no such way. */
  readonly affiliationPath: string | null;
  readonly before: unknown;
  readonly after: unknown;
  /** Of an item that changes it: whose the resource was and will be, and by which external id. */
  readonly link: LinkChange | null;
  /** What an update or deactivation changes, attribute by attribute; empty for every other action. */
  readonly diff: readonly Difference[];
  /** Memberships that come, and that go; whose, lists `item-members.ts`. */
  readonly added: number;
  readonly removed: number;
  /** Why it was not applied. */
  readonly error: string | null;
  readonly errorSentence: string | null;
  readonly outcomeAt: string | null;
}

export interface LinkChange {
  readonly before: { readonly origin: string; readonly externalId: string | null };
  readonly after: { readonly origin: string; readonly externalId: string | null };
}

export interface ItemsFilter {
  readonly action?: string | undefined;
  readonly outcome?: string | undefined;
  /** Why it is planned, or skipped; or why it was not applied (`StalePlan`). */
  readonly reason?: string | undefined;
  /** Only those that say whose a resource is, or only the others. */
  readonly links?: boolean | undefined;
  readonly resourceType?: string | undefined;
  /** Path of an attribute that an update changes; `members` for memberships. */
  readonly attribute?: string | undefined;
  /** Our id or the provider's of a group: items of the group, and of its people. */
  readonly group?: string | undefined;
  /** Beside the unanswered plan whose place it took; `dropped` lists that plan's items. */
  readonly compared?: 'added' | 'same' | 'dropped' | undefined;
  /** Part of a name, or an id. */
  readonly search?: string | undefined;
}

export type ItemsQuery = ItemsFilter & PageQuery;

/** What of a plan its items need to know. */
export type ItemsOf = Pick<PlanView, 'id' | 'provider' | 'supersedes'>;

interface ItemRow
  extends Omit<ItemView, 'before' | 'after' | 'seq' | 'diff' | 'affiliationPath' | 'sentence' | 'errorSentence'> {
  readonly seq: string;
  readonly before: string | null;
  readonly after: string | null;
}

const EXPORT_PAGE = 500;

/** The items of a plan in the order in which they are applied. */
export async function listItems(db: Db, plan: ItemsOf, query: ItemsQuery): Promise<Page<ItemView>> {
  const { limit, cursor, compared } = query;
  const of = compared === 'dropped' ? plan.supersedes?.planId : plan.id;
  if (of === undefined) return { items: [], nextCursor: null };
  const where = whereOf(plan, query);
  const { rows } = await sql(
    db,
    `select seq, action, resource_type as "resourceType", resource_id as id, external_id as "externalId", label, outcome, held,
       held_by as "heldBy", lane, attributes, reason, detail, before, after,
       case when after_origin is not null then jsonb_build_object(
         'before', jsonb_build_object('origin', before_origin, 'externalId', before_external_id),
         'after', jsonb_build_object('origin', after_origin, 'externalId', after_external_id)) end as link, added, removed, error, outcome_at as "outcomeAt"
     from plan_items i where plan_id = ? and seq > ?::bigint ${where.text} order by seq limit ?`,
    [of, cursor ?? '0', ...where.values, limit + 1],
  );
  const page = pageOf(rows as readonly ItemRow[], limit, ({ seq }) => seq);
  return { items: await viewItems(db, { ...plan, id: of }, page.items), nextCursor: page.nextCursor };
}

/** All of them, however many: read page by page as they are taken. */
export async function* eachItem(db: Db, plan: ItemsOf, filter: ItemsFilter): AsyncGenerator<ItemView> {
  for (let cursor: string | undefined = '0'; cursor !== undefined; ) {
    const page: Page<ItemView> = await listItems(db, plan, { ...filter, limit: EXPORT_PAGE, cursor });
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  }
}

function whereOf({ provider }: ItemsOf, filter: ItemsFilter): { text: string; values: unknown[] } {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const add = (condition: string, ...bound: unknown[]): void => {
    conditions.push(`and ${condition}`);
    values.push(...bound);
  };
  const { action, outcome, reason, links, resourceType, attribute, group, compared, search } = filter;
  if (action !== undefined) add('action = ?', action);
  if (outcome !== undefined) add('outcome = ?', outcome);
  if (reason !== undefined) add('(reason = ? or error = ?)', reason, reason);
  if (links !== undefined) add(links ? IS_LINK : `not (${IS_LINK})`);
  if (resourceType !== undefined) add('resource_type = ?', resourceType);
  if (attribute !== undefined) add('? = any(attributes)', attribute);
  if (compared !== undefined) add('compared = ?', compared);
  if (search !== undefined) {
    const like = `%${search.replaceAll(/[\\%_]/g, '\\$&')}%`;
    add('(label ilike ? or external_id = ? or resource_id::text = ?)', like, search, search.toLowerCase());
  }
  if (group !== undefined) {
    const id = isUuid(group) ? group : null;
    add(
      `(resource_type = 'Group' and (external_id = ? or resource_id = ?::uuid) or resource_type = 'User' and (
         resource_id in (select gm.member_id from group_members gm join resources g on g.id = gm.group_id
           where g.resource_type = 'Group' and (g.external_id = ? or g.id = ?::uuid))
         or external_id in (select mm.member_external_id from mirror_members mm
           where mm.provider = ? and (mm.group_external_id = ? or mm.group_external_id
             = (select g.external_id from resources g where g.id = ?::uuid)))
         or exists (select 1 from plan_lost_members lm left join resources g on g.id = lm.group_id
           where lm.plan_id = i.plan_id and lm.seq = i.seq and (lm.group_id = ?::uuid or g.external_id = ?))))`,
      ...[group, id, group, id, provider, group, id, id, group],
    );
  }
  return { text: conditions.join(' '), values };
}

/** The provider's form names a manager by the provider's id; shown is ours, as the directory will have it. */
async function viewItems(
  db: Db,
  plan: Pick<PlanView, 'id' | 'provider'>,
  rows: readonly ItemRow[],
): Promise<ItemView[]> {
  const parsed = rows.map((row) => ({ row, after: row.after === null ? null : JSON.parse(row.after) }));
  const managers = parsed.flatMap(({ row, after }) => (isSourceForm(row) ? (managerOf(after ?? undefined) ?? []) : []));
  const ids = await resolveUsers(db, plan.id, plan.provider, managers);
  return parsed.map(({ row, after: sent }) => {
    const after = sent === null || !isSourceForm(row) ? sent : withManager(sent, ids.get(managerOf(sent) ?? ''));
    const before = row.before === null ? null : JSON.parse(row.before);
    const compares = (row.action === 'update' || row.action === 'deactivate') && before !== null && after !== null;
    const affiliationPath: string | null = (after ?? before)?.[GATEWAY_SCHEMA]?.affiliationPath ?? null;
    return {
      ...row,
      seq: Number(row.seq),
      sentence: describeReason(row.reason).sentence,
      errorSentence: row.error === null ? null : describeReason(row.error).sentence,
      affiliationPath,
      before,
      after,
      diff: compares ? differences(before, after) : [],
    };
  });
}
