// What a change of a target's scope or settings would come to there, before it is saved. Nothing is asked of the target.
import { differences } from '#core/differences.ts';
import { outgoingForm, stillManaged } from '#core/outgoing.ts';
import type { ResourceType } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import type { PushPolicy, Target } from '#core/target.ts';
import type { Db } from '#store/database.ts';
import type { ScopeOf } from '#store/target/deliveries.ts';
import { type ImpactRow, readImpact } from '#store/views/target-impact.ts';
import type { Cut } from '../push/pump.ts';

/** What would become of a resource there. `created` may find it there already, and adopt it. */
export type ImpactKind = 'created' | 'updated' | 'deactivated' | 'deleted' | 'kept' | 'unchanged' | 'incomplete';

export interface PushImpact {
  readonly counts: Readonly<Record<ResourceType, Readonly<Record<ImpactKind, number>>>>;
  /** Users and groups that would be taken away there, by deactivation or deletion. */
  readonly removals: number;
  /** The first of each kind but `unchanged`. */
  readonly examples: readonly {
    readonly resourceId: string;
    readonly resourceType: ResourceType;
    readonly name: string;
    readonly impact: ImpactKind;
    /** Attributes that would be sent anew. */
    readonly attributes: readonly string[];
  }[];
}

export interface Intended {
  readonly scope: AppScope | null;
  readonly policy: PushPolicy;
  readonly target: Pick<Target, 'shaped'>;
}

const EXAMPLES_EACH = 10;

/** Memberships are not counted: they follow from who is there. */
export async function findPushImpact(
  db: Db,
  appId: string,
  { scope, policy, target }: Intended,
  { scopeOf, cutOf }: { scopeOf(scope: AppScope | null): ScopeOf; cutOf(scope: AppScope | null): Cut },
  signal: AbortSignal,
): Promise<PushImpact> {
  const cut = cutOf(scope);
  const counts = { User: none(), Group: none() };
  const examples: PushImpact['examples'][number][] = [];
  for (const type of ['User', 'Group'] as const)
    for await (const rows of readImpact(db, appId, type, scopeOf(scope))) {
      signal.throwIfAborted();
      for (const row of rows) {
        const found = impactOf(type, row, policy, (document) => target.shaped(type, document), cut);
        if (found === undefined) continue;
        const { impact, attributes } = found;
        counts[type][impact] += 1;
        if (impact === 'unchanged' || counts[type][impact] > EXAMPLES_EACH) continue;
        examples.push({ resourceId: row.id, resourceType: type, name: nameOf(row), impact, attributes });
      }
    }
  const gone = ({ deactivated, deleted }: Record<ImpactKind, number>): number => deactivated + deleted;
  return { counts, removals: gone(counts.User) + gone(counts.Group), examples };
}

interface Found {
  readonly impact: ImpactKind;
  readonly attributes: readonly string[];
}

/** Undefined for whom the target does not have, and is not to get. */
function impactOf(
  type: ResourceType,
  row: ImpactRow,
  policy: PushPolicy,
  shaped: (payload: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
  cut: Cut,
): Found | undefined {
  const isThere = row.remote_id !== null;
  if (!row.within || !policy.types.includes(type)) return isThere ? leaving(type, row, policy) : undefined;
  if (!isThere && type === 'User' && !row.active) return undefined;
  const resource = { id: row.id, type, document: cut(type, JSON.parse(row.body)) };
  const manager = row.manager_remote_id ?? undefined;
  const { payload, missing } = outgoingForm(resource, policy, manager, isThere ? 'update' : 'create');
  if (missing.length > 0) return { impact: 'incomplete', attributes: missing };
  if (!isThere) return { impact: 'created', attributes: [] };
  const createOnly = new Set(policy.mapping[type].filter(({ when }) => when === 'create').map(({ to }) => to));
  const after = shaped(payload);
  const attributes = differences(stillManaged(row.sent ?? {}, after, policy), after)
    .map(({ path }) => path)
    .filter((path) => !createOnly.has(path));
  return { impact: attributes.length > 0 ? 'updated' : 'unchanged', attributes };
}

function leaving(type: ResourceType, { gone_since, sent }: ImpactRow, { deprovision }: PushPolicy): Found {
  const fate = type === 'User' ? deprovision.outOfScope : deprovision.groups;
  const isGone = gone_since !== null || (type === 'User' && sent?.['active'] === false);
  const impact = { keep: 'kept', delete: 'deleted', deactivate: isGone ? 'unchanged' : 'deactivated' } as const;
  return { impact: impact[fate], attributes: [] };
}

function nameOf({ body }: ImpactRow): string {
  const { displayName, userName } = JSON.parse(body) as { displayName?: unknown; userName?: unknown };
  return String(displayName ?? userName ?? '');
}

function none(): Record<ImpactKind, number> {
  return { created: 0, updated: 0, deactivated: 0, deleted: 0, kept: 0, unchanged: 0, incomplete: 0 };
}
