// What a change of settings would do, before it is saved: the mirror looked at through the new settings, as a plan that
// is stored and never applied. The provider is not asked.
import { canonical } from '#core/canonical.ts';
import { digestOf } from '#core/digest.ts';
import { isUuid } from '#core/ids.ts';
import type { ProviderKind, PullProvider } from '#core/provider.ts';
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import type { Db } from '#store/database.ts';
import { scopeByMemberships } from '#store/mirror/membership-scope.ts';
import { type MirrorRecord, readServed } from '#store/mirror/mirror.ts';
import { beginTrial, endTrial, findUnread, nextToTry, type TriedRecord, tryRecords } from '#store/mirror/trial.ts';
import { countRemovals, markImpact, readImpact } from '#store/plan/impact-plans.ts';
import { countOutcomes } from '#store/plan/plans.ts';
import { attachPlan, finishRun, insertRun, startRun } from '#store/run/runs.ts';
import { normalise } from '../read/normalise.ts';
import { makePlan } from './make-plan.ts';
import type { ResourceSchemas } from './protect.ts';

/** Records that are looked at together. */
const RECORDS_PER_PAGE = 1_000;

export interface ImpactRequest<Settings = unknown> {
  readonly kind: ProviderKind<Settings>;
  readonly before: Settings;
  readonly after: Settings;
  readonly configVersion: string;
  /** No first run was applied yet. */
  readonly initial: boolean;
  readonly schemas: ResourceSchemas;
  readonly requestedBy: string;
}

export interface Impact {
  readonly planId: string;
  readonly runId: string;
  readonly removals: { readonly users: number; readonly groups: number; readonly memberships: number };
  /** Selected groups that nobody has read yet: whoever is in one of them may stay although the plan removes them. */
  readonly notRead: readonly string[];
}

/** True when who is in scope may be other people, and there is anybody to lose. */
export async function mayHaveImpact(
  db: Db,
  { kind, before, after }: Pick<ImpactRequest, 'kind' | 'before' | 'after'>,
): Promise<boolean> {
  if (kind.scopeOf === undefined || canonical(kind.scopeOf(before)) === canonical(kind.scopeOf(after))) return false;
  for (const type of ['User', 'Group'] as const)
    if ((await readServed(db, kind.kind, { type, after: '', limit: 1 })).length > 0) return true;
  return false;
}

/** Whether somebody who saves these settings has seen what they do: the plan is of them, and nothing was applied since. */
export async function isConfirmed(db: Db, request: ImpactRequest, planId: string): Promise<boolean> {
  const plan = isUuid(planId) ? await readImpact(db, planId) : undefined;
  const { kind, configVersion } = request;
  return (
    plan !== undefined &&
    plan.provider === kind.kind &&
    plan.impact_of === digestOfScope(request) &&
    plan.config_version === configVersion &&
    plan.current
  );
}

function digestOfScope({ kind, after }: Pick<ImpactRequest, 'kind' | 'after'>): string {
  return digestOf(canonical(kind.scopeOf?.(after))).toString('hex');
}

/**
 * Stores what the settings would do. Undefined while a run is in progress. Call it in a transaction of its own: what it
 * tries on the mirror it takes back.
 */
export async function planImpact(tx: Db, request: ImpactRequest): Promise<Impact | undefined> {
  const { kind, before, after, configVersion, initial, requestedBy, schemas } = request;
  const options = { allowLargeSync: false, resetAccountMapping: false };
  const run = { provider: kind.kind, mode: 'full', preview: true, trigger: 'impact', options } as const;
  const runId = await insertRun(tx, { ...run, requestedBy, configVersion });
  if (runId === undefined) return undefined;
  await startRun(tx, runId);
  const provider = kind.open(after);
  await beginTrial(tx, kind.kind);
  await renormalise(tx, provider);
  await scopeByMemberships(tx, kind.kind, provider.memberships);
  const context = {
    runId,
    provider: kind.kind,
    configVersion,
    schemas,
    write: <T>(work: (db: Db) => Promise<T>): Promise<T> => work(tx),
  };
  const plan = await makePlan(context, {
    policy: kind.policy(after),
    complete: true,
    changed: 0,
    incremental: false,
    initial,
    allowLargeSync: false,
  });
  await markImpact(tx, plan.id, digestOfScope(request));
  await endTrial(tx, kind.kind);
  await scopeByMemberships(tx, kind.kind, kind.open(before).memberships);
  await attachPlan(tx, runId, plan.id);
  await finishRun(tx, runId, { status: 'succeeded', ...(await countOutcomes(tx, plan.id)) });
  const removals = await countRemovals(tx, plan.id);
  return { planId: plan.id, runId, removals, notRead: await notRead(tx, kind.kind, provider) };
}

async function notRead(tx: Db, kind: ProviderKindName, { memberships }: PullProvider): Promise<readonly string[]> {
  return memberships?.selected == null ? [] : findUnread(tx, kind, memberships.selected);
}

/** Makes of each record what the provider makes of it now. */
async function renormalise(tx: Db, provider: PullProvider): Promise<void> {
  for (let after = { type: '', id: '' }; ; ) {
    const records = await nextToTry(tx, provider.kind, { after, limit: RECORDS_PER_PAGE });
    const last = records.at(-1);
    if (last === undefined) return;
    for (const type of ['User', 'Group'] as const)
      await tryRecords(tx, provider.kind, type, changedOf(provider, type, records));
    after = { type: last.resource_type, id: last.external_id };
  }
}

function changedOf(provider: PullProvider, type: ResourceType, records: readonly TriedRecord[]): MirrorRecord[] {
  return records.flatMap((old) => {
    if (old.resource_type !== type) return [];
    const { external_id: externalId, record: text, record_digest: digest } = old;
    const now = normalise(provider, type, { externalId, raw: JSON.parse(text), text, digest });
    return isSame(old, now) ? [] : now;
  });
}

/** The path in a body comes later, and by another way. */
function isSame(old: TriedRecord, now: MirrorRecord): boolean {
  if (old.body === null) return now.body === null && old.reason === now.reason && old.detail === now.detail;
  if (old.memberships !== (now.memberships ?? null)) return false;
  if (JSON.stringify(old.routes) !== JSON.stringify(now.routes ?? null)) return false;
  return old.body.replace(PATH_IN_BODY, '') === now.body;
}

const PATH_IN_BODY = /"affiliationPath":"(?:[^"\\]|\\.)*",/;
