// Making a provider the active one: at once while none is, and in place of another by an impact plan.
import type { Request } from 'express';
import { z } from 'zod';
import { ConflictError, NotFoundError } from '#core/errors.ts';
import type { LeavePolicy } from '#core/policy.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { parse } from '#http/validate.ts';
import { writeAudit } from '#store/access/audit.ts';
import { touchAll } from '#store/mirror/touched.ts';
import {
  lockProviders,
  markInitialDone,
  type ProviderRow,
  readActiveProvider,
  readProvider,
  setActive,
} from '#store/source/settings.ts';
import { type ImpactView, readSwitchImpact } from '#store/views/impact.ts';
import type { RunView } from '#store/views/runs.ts';
import { startFirst } from '#sync/provider/connect.ts';
import type { AdminParts } from './parts.ts';
import { notConfigured, refuseComing } from './provider-refusals.ts';
import { actorOf } from './query.ts';

const leftOvers = z.enum(['keep', 'deactivate', 'delete']);
const ActivateBody = z
  .strictObject({
    switch: z.boolean().default(false),
    planId: z.guid().toLowerCase().optional(),
    leftOvers: leftOvers.default('keep'),
    reason: z.string().max(1000).optional(),
  })
  .prefault({});
const ImpactBody = z.strictObject({ leftOvers: leftOvers.default('keep') }).prefault({});

/** @throws {NotFoundError} `no-impact-plan` */
export async function needImpact({ database }: AdminParts, kind: ProviderKind): Promise<ImpactView> {
  const impact = await readSwitchImpact(database.knex, kind.kind);
  if (impact !== undefined) return impact;
  throw new NotFoundError(`There is no impact plan of "${kind.title}".`, {
    reason: 'no-impact-plan',
    remedy: `Make one with POST /api/v1/providers/${kind.kind}/impact.`,
  });
}

export async function startImpact(parts: AdminParts, kind: ProviderKind, request: Request): Promise<RunView> {
  refuseComing(kind);
  const body = parse(ImpactBody, request.body ?? {});
  return parts.switching.impact({ kind, leftOvers: body.leftOvers, requestedBy: actorOf(request) });
}

/**
 * @throws {ConflictError} `another-provider-active`; `impact-plan-required`, with the plan or the run that makes it in
 * its details; whatever a switch throws
 */
export async function activate(parts: AdminParts, kind: ProviderKind, request: Request): Promise<void> {
  refuseComing(kind);
  const actor = actorOf(request);
  const body = parse(ActivateBody, request.body ?? {});
  if (body.switch && body.planId !== undefined) {
    await parts.switching.switchTo({ kind, planId: body.planId, actor, reason: body.reason });
    return;
  }
  const activated = await activateFirst(parts, kind, { actor, wantsSwitch: body.switch });
  if (activated === 'another')
    throw await impactRequired(parts, kind, { leftOvers: body.leftOvers, requestedBy: actor });
  if (activated === undefined || activated.initial_done_at !== null || kind.pushed === true) return;
  // Connecting starts the first run by itself, unless the administrator wants to.
  await startFirst(parts, kind, activated, actor);
}

/** The row when it was activated, undefined when it is active already, `another` when that is to be switched from. */
function activateFirst(
  { database }: AdminParts,
  kind: ProviderKind,
  { actor, wantsSwitch }: { readonly actor: string; readonly wantsSwitch: boolean },
): Promise<ProviderRow | 'another' | undefined> {
  return database.knex.transaction(async (tx) => {
    await lockProviders(tx);
    const row = await readProvider(tx, kind.kind);
    if (row === undefined) throw notConfigured(kind);
    if (row.active) return undefined;
    const active = await readActiveProvider(tx);
    if (active !== undefined) {
      if (wantsSwitch) return 'another';
      throw anotherActive(kind, active.kind);
    }
    await setActive(tx, kind.kind, true);
    // Another provider may have taken over its accounts meanwhile: only a whole comparison sees that.
    await touchAll(tx, kind.kind);
    if (kind.pushed === true) await markInitialDone(tx, kind.kind);
    await writeAudit(tx, { actor, action: 'provider.activate', object: kind.kind });
    return row;
  });
}

/** A plan that can be used, or else a run that makes one: it is waited for some seconds. */
async function impactRequired(
  parts: AdminParts,
  kind: ProviderKind,
  request: { readonly leftOvers: LeavePolicy; readonly requestedBy: string },
): Promise<ConflictError> {
  const db = parts.database.knex;
  const active = (await readActiveProvider(db))?.kind ?? null;
  let usable = await usableImpact(parts, kind, active, request.leftOvers);
  const run = usable === undefined ? await parts.switching.impact({ kind, ...request }) : undefined;
  if (run !== undefined) {
    await parts.switching.untilIdle();
    usable = await usableImpact(parts, kind, active, request.leftOvers);
  }
  const runId = usable?.runId ?? run?.id ?? null;
  return new ConflictError(`Switching from "${active}" to "${kind.kind}" needs a look at its impact plan.`, {
    reason: 'impact-plan-required',
    remedy:
      usable === undefined
        ? `Wait for the run to end, and look at GET /api/v1/providers/${kind.kind}/impact.`
        : `Look at GET /api/v1/providers/${kind.kind}/impact, then activate again with "switch" and this planId.`,
    details: { active, planId: usable?.planId ?? null, runId },
  });
}

async function usableImpact(
  { database }: AdminParts,
  kind: ProviderKind,
  active: ProviderKindName | null,
  wanted: LeavePolicy,
): Promise<ImpactView | undefined> {
  const impact = await readSwitchImpact(database.knex, kind.kind);
  const row = await readProvider(database.knex, kind.kind);
  const isUsable =
    impact?.status === 'held' &&
    impact.complete &&
    impact.from === active &&
    impact.leftOvers === wanted &&
    impact.configVersion === Number(row?.config_version);
  return isUsable ? impact : undefined;
}

function anotherActive({ kind }: ProviderKind, active: ProviderKindName): ConflictError {
  return new ConflictError(`The inbound provider "${active}" is active, and only one can be.`, {
    reason: 'another-provider-active',
    remedy: `Look at what a switch would do with POST /api/v1/providers/${kind}/impact, or deactivate "${active}" first.`,
    details: { active },
  });
}
