import { ConflictError, NotFoundError } from '#core/errors.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { expectation } from '#http/etag.ts';
import { writeAudit } from '#store/audit.ts';
import { findOpenRun } from '#store/runs.ts';
import { deleteProvider, deleteSetting, lockProviders, readProvider } from '#store/settings.ts';
import { runInProgress } from '#sync/decide.ts';
import { changedMeanwhile } from './documents.ts';
import { draftName } from './drafts.ts';
import type { AdminParts } from './parts.ts';

export interface Removal {
  readonly actor: string;
  /** Whether the stored settings have the version that the administrator has seen. */
  readonly asExpected: ReturnType<typeof expectation>;
}

/**
 * Forgets the settings of a provider that is not active, with its credentials, its draft and what is known of the connection.
 * Its people stay as they are.
 * @throws {NotFoundError} `not-configured`
 * @throws {ConflictError} `provider-active`, `run-in-progress`
 * @throws {PreconditionError} `settings-changed`
 */
export async function removeSettings(
  { database }: AdminParts,
  kind: ProviderKind,
  { actor, asExpected }: Removal,
): Promise<void> {
  await database.knex.transaction(async (tx) => {
    await lockProviders(tx);
    const row = await readProvider(tx, kind.kind);
    if (row === undefined) throw noSettings(kind);
    if (asExpected?.(row.config_version) === false)
      throw await changedMeanwhile(tx, { action: 'provider.configure', object: kind.kind });
    if (row.active) throw stillActive(kind);
    if ((await findOpenRun(tx))?.provider === kind.kind) throw await runInProgress(tx);
    await deleteProvider(tx, kind.kind);
    await deleteSetting(tx, draftName(kind));
    const detail = { configVersion: Number(row.config_version) };
    await writeAudit(tx, { actor, action: 'provider.remove', object: kind.kind, detail });
  });
}

export function noSettings({ kind, title }: ProviderKind): NotFoundError {
  return new NotFoundError(`The inbound provider "${title}" has no settings.`, {
    reason: 'not-configured',
    remedy: `PUT its settings to /api/v1/providers/${kind}.`,
  });
}

function stillActive({ kind, title }: ProviderKind): ConflictError {
  return new ConflictError(`The inbound provider "${title}" is active.`, {
    reason: 'provider-active',
    remedy: `Deactivate it first with POST /api/v1/providers/${kind}/deactivate, or switch to another.`,
  });
}
