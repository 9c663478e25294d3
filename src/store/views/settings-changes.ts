// Who changed which setting, between which runs: the audit log with what differs from the version before.
import { type Difference, differences } from '#core/differences.ts';
import { DEFAULT_GUARD } from '#core/guard.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { type Page, type PageQuery, pageOf } from './page.ts';

export interface SettingsChangeView {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  /** The provider; null for settings that belong to none. */
  readonly provider: ProviderKindName | null;
  /** The version that was saved. */
  readonly configVersion: number | null;
  /** What differs from the version before; empty for the first, and where only a secret was replaced. */
  readonly changes: readonly Difference[];
  readonly secretsChanged: boolean;
}

export interface SettingsChangesQuery extends PageQuery {
  readonly provider?: ProviderKindName | undefined;
  /** Settings of providers only. */
  readonly versionsOnly: boolean;
  readonly since?: string | undefined;
}

interface Row {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly provider: ProviderKindName | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
  readonly previous: Readonly<Record<string, unknown>> | null;
  readonly config_version: string | null;
  readonly settings: object | null;
  readonly before: object | null;
  readonly secrets_changed: boolean | null;
}

const ACTIONS = [
  ...['provider.configure', 'provider.activate', 'provider.deactivate', 'provider.remove'],
  ...['guard.change', 'schedule.change'],
];

/** Newest first. */
export async function listSettingsChanges(
  db: Db,
  { limit, cursor, provider, versionsOnly, since }: SettingsChangesQuery,
): Promise<Page<SettingsChangeView>> {
  const actions = versionsOnly ? ['provider.configure'] : ACTIONS;
  const { rows } = await sql<Row>(
    db,
    `with entries as (
       select seq, at, actor, action, object, detail, lag(detail) over (partition by action order by seq) as previous
       from audit where action = any(?::text[]) and (?::text is null or object is null or object = ?))
     select e.seq as id, e.at, e.actor, e.action, e.object as provider, e.detail, e.previous, v.config_version, v.settings,
       v.secrets_changed, b.settings as before
     from entries e
     left join settings_versions v on e.action = 'provider.configure' and v.provider = e.object
       and v.config_version = (e.detail ->> 'configVersion')::bigint
     left join settings_versions b on b.provider = v.provider and b.config_version = v.config_version - 1
     where (?::bigint is null or e.seq < ?::bigint) and (?::timestamptz is null or e.at >= ?::timestamptz)
     order by e.seq desc limit ?`,
    [
      actions,
      provider ?? null,
      provider ?? null,
      cursor ?? null,
      cursor ?? null,
      since ?? null,
      since ?? null,
      limit + 1,
    ],
  );
  return pageOf(rows.map(viewOf), limit, ({ id }) => id);
}

function viewOf(row: Row): SettingsChangeView {
  const { id, at, actor, action, provider, config_version, secrets_changed } = row;
  return {
    id,
    at,
    actor,
    action,
    provider,
    configVersion: config_version === null ? null : Number(config_version),
    changes: changesOf(row),
    secretsChanged: secrets_changed === true,
  };
}

function changesOf({ action, detail, previous, settings, before }: Row): readonly Difference[] {
  if (action === 'provider.configure') return before === null ? [] : differences(before, settings ?? {});
  if (action === 'guard.change') return differences(previous ?? DEFAULT_GUARD, detail ?? {});
  if (action === 'schedule.change') return differences(previous ?? {}, detail ?? {});
  return [];
}
