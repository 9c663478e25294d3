// What a plan is, as one hash; and how a newer plan differs from the one whose place it takes.
import type { CountsByType } from '#core/counts.ts';
import type { Base, Verdict } from '#core/guard.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { dropItems, endHeldRun } from './plans.ts';

/**
 * By which rules a plan is sealed, from the first. A release whose plans say something new adds to the hash, as `LINK` does,
 * and to this number; a plan that says nothing new it seals with the number that its hash had before, so that a replica of
 * the release before, beside it, can approve that plan and carry it out.
 */
export const SEAL = 1;

/** The members of each membership item of a plan as one digest. */
const MEMBERS = `select seq, sha256(convert_to(string_agg((member_external_id, member_id, member_type, removed)::text, ''
    order by member_external_id, removed), 'UTF8')) as digest from plan_members where plan_id = ? group by seq`;

/** Nothing for an item that leaves the link as it is, so that plans of a release that did not know links keep their hash. */
const LINK = `case when i.after_origin is null then ''
  else (i.before_origin, i.before_external_id, i.after_origin, i.after_external_id)::text end`;

/** Closes a plan that was built: nothing that its hash covers can change any more without being noticed. */
export async function sealPlan(
  db: Db,
  planId: string,
  {
    counts,
    byType,
    base,
    verdict,
  }: { counts: object; byType: CountsByType; base: Base; verdict: Pick<Verdict, 'held' | 'reasons'> },
): Promise<void> {
  await sql(
    db,
    `update plans set counts = ?::jsonb, counts_by_type = ?::jsonb, base = ?::jsonb, guard = ?::jsonb, status = 'ready', seal = ? where id = ?`,
    [
      JSON.stringify(counts),
      JSON.stringify(byType),
      JSON.stringify(base),
      JSON.stringify({ held: verdict.held, reasons: verdict.reasons }),
      SEAL,
      planId,
    ],
  );
  await sql(db, 'update plans set hash = ? where id = ?', [await hashPlan(db, planId), planId]);
}

/**
 * SHA-256 over everything that an approval means: what each item does, to which version and from what, each single
 * membership and link with what it was before, the settings version, counts, verdict, base and expiry. Not what became of them.
 */
export async function hashPlan(db: Db, planId: string): Promise<string | null> {
  const { rows } = await sql(
    db,
    `select encode(sha256(convert_to((p.id, p.run_id, p.provider, p.reverts, p.config_version, p.complete, p.counts, p.base, p.guard,
       extract(epoch from p.created_at), extract(epoch from p.expires_at), i.items, l.links)::text, 'UTF8')), 'hex') as hash
     from plans p cross join lateral (
       select string_agg(encode(sha256(convert_to((i.seq, i.action, i.class, i.resource_type, i.resource_id, i.external_id, i.label,
         i.reason, i.detail, i.base_version, i.before, i.after, i.after_digest, i.added, i.removed, m.digest)::text || ${LINK}, 'UTF8')), 'hex'),
         '' order by i.seq) as items
       from plan_items i left join (${MEMBERS}) m on m.seq = i.seq
       where i.plan_id = ?) i
     cross join lateral (
       select sha256(convert_to(string_agg((resource_type, external_id, resource_id, reason, attribute)::text, ''
         order by resource_type, external_id), 'UTF8')) as links
       from plan_links where plan_id = ?) l
     where p.id = ?`,
    [planId, planId, planId, planId],
  );
  return rows[0]?.hash ?? null;
}

/** True when the plan is what was sealed. */
export async function isSealed(db: Db, planId: string): Promise<boolean> {
  const { rows } = await sql(db, 'select hash from plans where id = ?', [planId]);
  const stored: string | null = rows[0]?.hash ?? null;
  return stored !== null && stored === (await hashPlan(db, planId));
}

/**
 * Every plan of this provider that still waits gives way to a newer one of the same purpose, and its run ends with
 * what it did. The newer plan says how it differs from the last of them.
 */
export async function supersedePlans(db: Db, provider: ProviderKindName, by: string): Promise<void> {
  const { rows } = await sql(
    db,
    `with gone as (
       update plans p set status = 'superseded', superseded_by = n.id from plans n
       where n.id = ? and p.provider = ? and p.status in ('held', 'approved', 'applying') and p.id <> n.id
         and p.reverts is not distinct from n.reverts
       returning p.id, p.created_at)
     select id from gone order by created_at desc, id`,
    [by, provider],
  );
  const ids = rows.map(({ id }: { id: string }) => id);
  if (ids[0] !== undefined) await comparePlans(db, by, ids[0]);
  for (const id of ids) {
    await dropItems(db, id, 'superseded');
    await endHeldRun(db, id);
  }
}

/** Marks what the newer plan adds, what is the same in both, and what of the older one's unanswered items it drops. */
async function comparePlans(db: Db, newer: string, older: string): Promise<void> {
  const keyed = `select i.plan_id, i.seq, md5((i.action, i.resource_type, coalesce(i.external_id, i.resource_id::text), i.before, i.after,
      i.added, i.removed, m.digest)::text) as key
    from plan_items i left join (${MEMBERS}) m on m.seq = i.seq
    where i.plan_id = ? and i.action <> 'skip'`;
  const { rows } = await sql(
    db,
    `with fresh as materialized (${keyed}),
     old as materialized (${keyed} and i.outcome in ('held', 'pending')),
     marks as (
       select coalesce(f.plan_id, o.plan_id) as plan_id, coalesce(f.seq, o.seq) as seq,
         case when o.key is null then 'added' when f.key is null then 'dropped' else 'same' end as mark
       from fresh f full join old o on o.key = f.key),
     marked as (update plan_items i set compared = m.mark from marks m where i.plan_id = m.plan_id and i.seq = m.seq)
     select count(*) filter (where mark = 'added')::int as added, count(*) filter (where mark = 'same')::int as same,
       count(*) filter (where mark = 'dropped')::int as dropped from marks`,
    [newer, newer, older, older],
  );
  await sql(db, 'update plans set supersedes = ?, comparison = ?::jsonb where id = ?', [
    older,
    JSON.stringify(rows[0]),
    newer,
  ]);
}
