// Versions of the settings of providers: kept when they are saved, never changed.
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export interface NewVersion {
  readonly kind: ProviderKindName;
  readonly configVersion: string;
  readonly settings: unknown;
  readonly secretsChanged: boolean;
}

/** Keeps the settings that were saved just now. Call it in the transaction that saves them. */
export async function keepVersion(
  db: Db,
  { kind, configVersion, settings, secretsChanged }: NewVersion,
): Promise<void> {
  await sql(
    db,
    'insert into settings_versions (provider, config_version, settings, secrets_changed) values (?, ?, ?::jsonb, ?)',
    [kind, configVersion, JSON.stringify(settings), secretsChanged],
  );
}

/** The settings of a version, without secrets. */
export async function readVersion(
  db: Db,
  kind: ProviderKindName,
  configVersion: number,
): Promise<{ readonly settings: object; readonly savedAt: Date } | undefined> {
  const { rows } = await sql(
    db,
    'select settings, saved_at as "savedAt" from settings_versions where provider = ? and config_version = ?',
    [kind, configVersion],
  );
  return rows[0];
}
