import { ConflictError, NotFoundError } from '#core/errors.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { expectation } from '#http/etag.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Db } from '#store/database.ts';
import { findOpenRun } from '#store/run/runs.ts';
import {
  deleteProvider,
  deleteSetting,
  lockProviders,
  type ProviderRow,
  readProvider,
} from '#store/source/settings.ts';
import { runInProgress } from '#sync/decide.ts';
import { takeBackAll } from '#sync/watch/subscriptions.ts';
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
 * What the source was asked to tell is taken back first, as far as it answers within some seconds. Its people stay as they are.
 * @throws {NotFoundError} `not-configured`
 * @throws {ConflictError} `provider-active`, `run-in-progress`
 * @throws {PreconditionError} `settings-changed`
 */
export async function removeSettings(parts: AdminParts, kind: ProviderKind, removal: Removal): Promise<void> {
  const { knex } = parts.database;
  // Asked before anything is locked, and looked at again when it is.
  const subscriptionsLeft = await takeBackAll(parts, await checkRemovable(knex, kind, removal));
  await knex.transaction(async (tx) => {
    await lockProviders(tx);
    const row = await checkRemovable(tx, kind, removal);
    await deleteProvider(tx, kind.kind);
    await deleteSetting(tx, draftName(kind));
    const detail = {
      configVersion: Number(row.config_version),
      ...(subscriptionsLeft > 0 && { subscriptionsLeft }),
    };
    await writeAudit(tx, { actor: removal.actor, action: 'provider.remove', object: kind.kind, detail });
  });
}

async function checkRemovable(db: Db, kind: ProviderKind, { asExpected }: Removal): Promise<ProviderRow> {
  const row = await readProvider(db, kind.kind);
  if (row === undefined) throw noSettings(kind);
  if (asExpected?.(row.config_version) === false)
    throw await changedMeanwhile(db, { action: 'provider.configure', object: kind.kind });
  if (row.active) throw stillActive(kind);
  if ((await findOpenRun(db))?.provider === kind.kind) throw await runInProgress(db);
  return row;
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
