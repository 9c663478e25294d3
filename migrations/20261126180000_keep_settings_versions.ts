// Every version of a provider's settings, without its secrets: what changed between two runs, and the way back.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table settings_versions (
      provider       text collate "C" not null,
      config_version bigint not null,
      settings       jsonb not null,
      secrets_changed boolean not null default false,
      saved_at       timestamptz(3) not null default now(),
      primary key (provider, config_version)
    );
    comment on table settings_versions is 'Settings as they were saved, without secrets. Who saved them is in the audit log.';
    insert into settings_versions (provider, config_version, settings, saved_at)
    select kind, config_version, settings, updated_at from provider_settings;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table settings_versions');
}
