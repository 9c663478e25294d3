// How each provider is connected to its source.
import type { ConnectionFacts } from '#core/connect.ts';
import type { RunError } from '#core/failure.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export interface ConnectionRow {
  readonly provider: ProviderKindName;
  readonly source_id: string | null;
  readonly connected_at: Date | null;
  readonly connected_by: string | null;
  readonly facts: ConnectionFacts | null;
  readonly facts_at: Date | null;
  /** Why the last look at the source, or the last way to it, came to nothing. */
  readonly problem: RunError | null;
  readonly problem_at: Date | null;
  readonly credential_expires_at: Date | null;
  readonly warned_days: number | null;
}

const COLUMNS = `provider, source_id, connected_at, connected_by, facts, facts_at, problem, problem_at,
  credential_expires_at, warned_days`;

export async function readConnection(db: Db, provider: ProviderKindName): Promise<ConnectionRow | undefined> {
  const { rows } = await sql(db, `select ${COLUMNS} from provider_connections where provider = ?`, [provider]);
  return rows[0];
}

export async function listConnections(db: Db): Promise<readonly ConnectionRow[]> {
  const { rows } = await sql(db, `select ${COLUMNS} from provider_connections order by provider`);
  return rows;
}

/** What a look has found is kept while there are settings: they may be removed while the source is asked. */
const KEPT = 'from (select 1 from provider_settings where kind = ? for key share) kept';

/** An administrator of the source has consented. */
export async function noteConnected(
  db: Db,
  provider: ProviderKindName,
  { sourceId, by, at }: { sourceId: string | undefined; by: string; at: Date },
): Promise<void> {
  await sql(
    db,
    `insert into provider_connections (provider, source_id, connected_at, connected_by) values (?, ?, ?, ?)
     on conflict (provider) do update set source_id = excluded.source_id, connected_at = excluded.connected_at,
       connected_by = excluded.connected_by, problem = null, problem_at = null`,
    [provider, sourceId ?? null, at, by],
  );
}

/** What a look at the source came to nothing by; without a version, a consent, for which nothing need be saved yet. What was known of it stays. */
export async function noteProblem(
  db: Db,
  provider: ProviderKindName,
  { problem, at, configVersion }: { problem: RunError; at: Date; configVersion: string | null },
): Promise<void> {
  await sql(
    db,
    `insert into provider_connections (provider, problem, problem_at, facts_config)
     select ?, ?::jsonb, ?::timestamptz, ?::bigint ${configVersion === null ? '' : KEPT}
     on conflict (provider) do update set problem = excluded.problem, problem_at = excluded.problem_at,
       facts_config = coalesce(excluded.facts_config, provider_connections.facts_config)`,
    [provider, JSON.stringify(problem), at, configVersion, ...(configVersion === null ? [] : [provider])],
  );
}

export interface NewFacts {
  readonly facts: ConnectionFacts;
  readonly at: Date;
  readonly configVersion: string;
  readonly expiresAt: Date | null;
  /** When people are to be told of the end, if nobody was told of this end yet. */
  readonly nextWarningAt: Date | null;
}

/** What the source says of itself. Warnings of a credential that ends at another time begin anew. */
export async function noteFacts(
  db: Db,
  provider: ProviderKindName,
  { facts, at, configVersion, expiresAt, nextWarningAt }: NewFacts,
): Promise<void> {
  await sql(
    db,
    `insert into provider_connections as c (provider, facts, facts_at, facts_config, credential_expires_at, next_warning_at)
     select ?, ?::jsonb, ?::timestamptz, ?::bigint, ?::timestamptz, ?::timestamptz ${KEPT}
     on conflict (provider) do update set facts = excluded.facts, facts_at = excluded.facts_at,
       facts_config = excluded.facts_config, problem = null, problem_at = null,
       warned_days = case when c.credential_expires_at is not distinct from excluded.credential_expires_at then c.warned_days end,
       next_warning_at = case when c.credential_expires_at is not distinct from excluded.credential_expires_at
         then c.next_warning_at else excluded.next_warning_at end,
       credential_expires_at = excluded.credential_expires_at`,
    [provider, JSON.stringify(facts), at, configVersion, expiresAt, nextWarningAt, provider],
  );
}

/** Configured providers whose source was not asked since then, or not with the settings as they are. */
export async function listUnasked(db: Db, before: Date): Promise<readonly ProviderKindName[]> {
  const { rows } = await sql(
    db,
    `select p.kind from provider_settings p left join provider_connections c on c.provider = p.kind
     where c.provider is null or c.facts_config is distinct from p.config_version
       or greatest(c.facts_at, c.problem_at) is null or greatest(c.facts_at, c.problem_at) < ? order by p.kind`,
    [before],
  );
  return rows.map(({ kind }: { kind: ProviderKindName }) => kind);
}

/** True the first time; what has expired is forgotten. */
export async function redeemState(
  db: Db,
  { id, expiresAt }: { id: string; expiresAt: Date },
  now: Date,
): Promise<boolean> {
  await sql(db, 'delete from used_states where expires_at < ?', [now]);
  const { rowCount } = await sql(db, 'insert into used_states (id, expires_at) values (?, ?) on conflict do nothing', [
    id,
    expiresAt,
  ]);
  return rowCount === 1;
}

/** Connections about whose credential people are to be told, locked for the transaction. */
export async function takeEndingCredentials(db: Db, now: Date): Promise<readonly ConnectionRow[]> {
  const { rows } = await sql(
    db,
    `select ${COLUMNS} from provider_connections where next_warning_at <= ? order by provider for update skip locked`,
    [now],
  );
  return rows;
}

export async function noteWarned(
  db: Db,
  provider: ProviderKindName,
  { days, nextAt }: { days: number; nextAt: Date | null },
): Promise<void> {
  await sql(db, 'update provider_connections set warned_days = ?, next_warning_at = ? where provider = ?', [
    days,
    nextAt,
    provider,
  ]);
}
