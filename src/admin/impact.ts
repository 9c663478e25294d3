import { ConflictError } from '#core/errors.ts';
import type { ProviderKind } from '#core/provider.ts';
import { mergeSecrets, type Secrets, splitSecrets } from '#core/secrets.ts';
import { openKept, type Seal } from '#platform/seal.ts';
import type { Db } from '#store/database.ts';
import { deleteRun, findOpenRun } from '#store/run/runs.ts';
import type { ProviderRow } from '#store/source/settings.ts';
import { type Impact, isConfirmed, mayHaveImpact, planImpact } from '#sync/plan/impact.ts';
import type { AdminParts } from './parts.ts';

export interface ImpactQuestion {
  readonly kind: ProviderKind;
  readonly row: ProviderRow;
  /** Settings that are to be saved. */
  readonly after: unknown;
  readonly actor: string;
  /** The impact plan that the administrator has seen. */
  readonly confirmed: string | undefined;
}

/** What the body of a PUT says of an impact plan. */
export function confirmedIn(body: unknown): string | undefined {
  const { confirmImpact } = (body ?? {}) as { confirmImpact?: unknown };
  return typeof confirmImpact === 'string' ? confirmImpact : undefined;
}

/**
 * Why these settings are not saved yet: they would take somebody away, and nobody has seen whom. Undefined when they
 * may be. The plan that shows it is stored in `tx`, which is to be committed either way.
 */
export async function refuseUnseen(
  parts: Pick<AdminParts, 'seal' | 'schemas'>,
  tx: Db,
  { kind, row, after, actor, confirmed }: ImpactQuestion,
): Promise<ConflictError | undefined> {
  const request = {
    kind,
    before: settingsBefore(kind, row, after, parts.seal),
    after,
    configVersion: row.config_version,
    initial: row.initial_done_at === null,
    schemas: parts.schemas,
    requestedBy: actor,
  };
  if (!(await mayHaveImpact(tx, request))) return undefined;
  if (confirmed !== undefined && (await isConfirmed(tx, request, confirmed))) return undefined;
  const impact = await planImpact(tx, request);
  if (impact === undefined) return runInProgress(tx);
  const { users, groups, memberships } = impact.removals;
  if (users + groups + memberships > 0) return impactRequired(kind, impact);
  await deleteRun(tx, impact.runId);
  return undefined;
}

/** Credentials are nobody's scope: where no key opens those of before, those that are to be saved stand in for them. */
function settingsBefore(kind: ProviderKind, row: ProviderRow, after: unknown, seal: Seal): unknown {
  const opened = row.secrets === null ? '{}' : openKept(seal, row.secrets);
  const secrets =
    opened === undefined ? splitSecrets(after, kind.secretPaths).secrets : (JSON.parse(opened) as Secrets);
  return kind.parseSettings(mergeSecrets(row.settings, secrets));
}

function impactRequired({ kind }: ProviderKind, { planId, runId, removals, notRead }: Impact): ConflictError {
  const { users, groups, memberships } = removals;
  const text = `These settings would take away ${users} users, ${groups} groups and ${memberships} memberships`;
  const unread =
    notRead.length === 0
      ? ''
      : ` (at most: ${notRead.length} of the selected groups were never read, and whoever is in one of them may stay)`;
  return new ConflictError(`${text}${unread}.`, {
    reason: 'impact-plan-required',
    remedy: `Look at /api/v1/plans/${planId}/changes, then PUT the same settings to /api/v1/providers/${kind}?confirmImpact=${planId}.`,
    details: { planId, runId, removals, notRead },
  });
}

async function runInProgress(tx: Db): Promise<ConflictError> {
  const open = await findOpenRun(tx);
  return new ConflictError('A run is in progress, so what these settings would take away cannot be told.', {
    reason: 'run-in-progress',
    remedy: 'Wait for that run to end, or cancel it, and save the settings then.',
    details: { runId: open?.id ?? null },
  });
}
