import type { Request } from 'express';
import { z } from 'zod';
import { ConflictError, NotFoundError } from '#core/errors.ts';
import type { AppScope } from '#core/scope.ts';
import { parse } from '#http/validate.ts';
import { findPushImpact, type PushImpact } from '#outbound/on-demand/push-impact.ts';
import { kindOf, pushSettings } from '#outbound/push/open-target.ts';
import { parsePush } from '#outbound/push-settings.ts';
import type { Db } from '#store/database.ts';
import { readTarget } from '#store/target/targets.ts';
import type { AdminParts } from './parts.ts';

/** As many removals as a person has seen in the preview, and agreed to. */
const ConfirmQuery = z.object({ removals: z.coerce.number().int().min(0).optional() });
const IMPACT_MS = 120_000;

export interface IntendedChange {
  readonly scope?: AppScope | null | undefined;
  readonly push?: unknown;
}

/**
 * What saving a scope, settings of a push, or both would come to at the target.
 * @param left stops it, with its reason
 */
export async function impactOfPush(
  parts: AdminParts,
  db: Db,
  app: { readonly id: string; readonly scope: unknown },
  { scope = app.scope as AppScope | null, push }: IntendedChange,
  left?: AbortSignal,
): Promise<PushImpact> {
  const row = await readTarget(db, app.id);
  if (push === undefined && row === undefined)
    throw new NotFoundError('This app has no push target.', {
      reason: 'no-push',
      remedy: 'Give "push" in the body: the settings that it is to have.',
    });
  const kind = kindOf(parts.targetKinds, push === undefined ? row?.push : { kind: 'scim', ...(push as object) });
  const whole =
    push === undefined
      ? pushSettings(kind, row?.push, row?.push_secrets ?? null, parts.seal)
      : (await parsePush(db, parts, app.id, push)).whole;
  const known = { learned: row?.learned ?? {}, capabilities: row?.capabilities ?? undefined };
  const target = kind.open(whole, { ...known, trace: () => undefined, dryRun: true });
  const intended = { scope, policy: kind.policy(whole), target };
  const signal = AbortSignal.any([AbortSignal.timeout(IMPACT_MS), ...(left === undefined ? [] : [left])]);
  return findPushImpact(db, app.id, intended, parts, signal).finally(() => target.close());
}

/** @throws {ConflictError} `removals-changed`: it would take away more than the query agrees to */
export async function checkRemovals(
  parts: AdminParts,
  db: Db,
  app: { readonly id: string; readonly scope: unknown; readonly push: unknown },
  change: IntendedChange,
  query: Request['query'],
): Promise<void> {
  const { removals: agreed } = parse(ConfirmQuery, query);
  const isAbout = change.scope !== undefined || change.push !== undefined;
  if (agreed === undefined || !isAbout || change.push === null || (app.push === null && change.push === undefined))
    return;
  const impact = await impactOfPush(parts, db, app, change);
  if (impact.removals <= agreed) return;
  throw new ConflictError(
    `This would take ${impact.removals} users and groups away at the target, and not at most ${agreed}.`,
    {
      reason: 'removals-changed',
      remedy: 'Look at the preview again, and save with the number of removals that it shows.',
      details: { impact },
    },
  );
}
