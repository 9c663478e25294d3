// Provider settings, of which at most one is active: the database itself refuses a second. And the few settings that
// belong to no provider.
import { DEFAULT_GUARD, type GuardSettings } from '#core/guard.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export interface ProviderRow {
  readonly kind: ProviderKindName;
  readonly settings: unknown;
  /** Write-only values, sealed. */
  readonly secrets: string | null;
  readonly config_version: string;
  readonly active: boolean;
  readonly initial_done_at: Date | null;
  readonly last_success_at: Date | null;
}

const COLUMNS = 'kind, settings, secrets, config_version, active, initial_done_at, last_success_at';

export async function readProvider(db: Db, kind: ProviderKindName): Promise<ProviderRow | undefined> {
  const { rows } = await sql(db, `select ${COLUMNS} from provider_settings where kind = ?`, [kind]);
  return rows[0];
}

export async function listProviders(db: Db): Promise<readonly ProviderRow[]> {
  const { rows } = await sql(db, `select ${COLUMNS} from provider_settings order by kind`);
  return rows;
}

export async function readActiveProvider(db: Db): Promise<ProviderRow | undefined> {
  const { rows } = await sql(db, `select ${COLUMNS} from provider_settings where active`);
  return rows[0];
}

/**
 * Saves whole settings. The version grows only when they, or a secret, are other ones; after settings that were deleted it
 * goes on, and so does the source that the provider's resources are linked to.
 */
export async function saveProvider(
  db: Db,
  {
    kind,
    settings,
    secrets,
    changed,
  }: { kind: ProviderKindName; settings: unknown; secrets: string; changed: boolean },
): Promise<ProviderRow> {
  const { rows } = await sql(
    db,
    `insert into provider_settings as p (kind, settings, secrets, config_version, source_identity)
     values (?, ?::jsonb, ?, coalesce((select max(config_version) from settings_versions where provider = ?), 0) + 1,
       (select value #>> '{}' from settings where name = ?))
     on conflict (kind) do update set settings = excluded.settings, secrets = excluded.secrets,
       config_version = p.config_version + ?::int, updated_at = now() returning ${COLUMNS}`,
    [kind, JSON.stringify(settings), secrets, kind, sourceSetting(kind), changed ? 1 : 0],
  );
  return rows[0];
}

/** Forgets settings with their secrets, and what is known of the connection. Versions without secrets stay. */
export async function deleteProvider(db: Db, kind: ProviderKindName): Promise<void> {
  const { rows } = await sql(db, 'delete from provider_settings where kind = ? returning source_identity', [kind]);
  if (rows[0]?.source_identity != null) await writeSetting(db, sourceSetting(kind), rows[0].source_identity);
  await sql(db, 'delete from provider_connections where provider = ?', [kind]);
}

/** Where it is kept which source the resources of a provider without settings are linked to. */
function sourceSetting(kind: ProviderKindName): string {
  return `source:${kind}`;
}

/** Locks what decides who is active, so that two administrators cannot both win. */
export async function lockProviders(db: Db): Promise<void> {
  await sql(db, 'select kind from provider_settings order by kind for update');
}

export async function setActive(db: Db, kind: ProviderKindName, active: boolean): Promise<void> {
  await sql(
    db,
    'update provider_settings set active = ?, activated_at = case when ? then now() else activated_at end where kind = ?',
    [active, active, kind],
  );
}

/** The first run was applied whole: from now on the guard judges by shares. */
export async function markInitialDone(db: Db, kind: ProviderKindName): Promise<void> {
  await sql(db, 'update provider_settings set initial_done_at = coalesce(initial_done_at, now()) where kind = ?', [
    kind,
  ]);
}

export async function markSuccess(db: Db, kind: ProviderKindName): Promise<void> {
  await sql(db, 'update provider_settings set last_success_at = now() where kind = ?', [kind]);
}

export async function readSetting<Value>(db: Db, name: string): Promise<Value | undefined> {
  const { rows } = await sql(db, 'select value from settings where name = ?', [name]);
  return rows[0]?.value;
}

/** Any number that no other advisory lock uses. */
const SETTINGS_LOCK = '7340032, 4';

/** Locks these settings until the end of the transaction, also where none were ever saved. */
export async function lockSettings(tx: Db): Promise<void> {
  await sql(tx, `select pg_advisory_xact_lock(${SETTINGS_LOCK})`);
}

export async function writeSetting(db: Db, name: string, value: unknown): Promise<void> {
  await sql(
    db,
    `insert into settings (name, value) values (?, ?::jsonb)
     on conflict (name) do update set value = excluded.value, updated_at = now()`,
    [name, JSON.stringify(value)],
  );
}

/** The limits of the guard; what was never set protects by default. */
export async function readGuard(db: Db): Promise<GuardSettings> {
  return { ...DEFAULT_GUARD, ...(await readSetting<Partial<GuardSettings>>(db, 'guard')) };
}

/** Whether there was such a setting. */
export async function deleteSetting(db: Db, name: string): Promise<boolean> {
  const { rows } = await sql(db, 'delete from settings where name = ? returning name', [name]);
  return rows.length > 0;
}
