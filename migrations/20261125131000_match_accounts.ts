// Which account a record means when it has no link: what a plan links, what waits for a person, by which names and
// addresses a record is known, and which source a provider was linked to.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table plan_links (
      plan_id       uuid not null references plans on delete cascade,
      resource_type text collate "C" not null,
      external_id   text collate "C" not null,
      resource_id   uuid not null,
      reason        text collate "C" not null check (reason in ('Linked', 'Relinked', 'Adopted')),
      attribute     text collate "C",
      primary key (plan_id, resource_type, external_id)
    );
    comment on table plan_links is 'Records that a plan links to a resource which another record, or nobody, was linked to.';
    comment on column plan_links.attribute is 'The attribute by which they matched; null when a person decided.';
    create unique index plan_links_resource_id_key on plan_links (plan_id, resource_id);

    create table disputes (
      id            uuid primary key default gen_random_uuid(),
      seq           bigint generated always as identity constraint disputes_seq_key unique,
      provider      text collate "C" not null,
      resource_type text collate "C" not null,
      external_id   text collate "C" not null,
      reason        text collate "C" not null check (reason in ('Disputed', 'MatchAmbiguous')),
      attribute     text collate "C" not null,
      candidates    uuid[] not null,
      refused       uuid[] not null default '{}',
      status        text collate "C" not null default 'open' check (status in ('open', 'adopted', 'refused')),
      resource_id   uuid,
      plan_id       uuid references plans on delete set null,
      created_at    timestamptz(3) not null default now(),
      decided_at    timestamptz(3),
      decided_by    text,
      constraint disputes_record_key unique (provider, resource_type, external_id)
    );
    comment on table disputes is 'Records that may mean somebody who is here already. A person decides; nothing is guessed.';
    comment on column disputes.candidates is 'The resources that it may mean.';
    comment on column disputes.refused is 'Those of which a person said that it does not mean them.';
    comment on column disputes.resource_id is 'The one that a person chose.';
    comment on column disputes.plan_id is 'The last plan that came upon it.';
    create index disputes_plan_id_idx on disputes (plan_id);

    create index resources_unlinked_idx on resources (origin, resource_type) where external_id is null and deleted_at is null;
    comment on index resources_unlinked_idx is 'Who was made by hand, and whoever lost the link to the provider.';

    alter table mirror_records add column label text, add column handles text[] collate "C" not null default '{}';
    comment on column mirror_records.label is 'What the provider calls it, in text that can be stored; the record itself may hold what jsonb cannot.';
    comment on column mirror_records.handles is 'What it may be called: "email:" and "name:" with the folded text.';
    create index mirror_records_handles_idx on mirror_records using gin (handles);
    update mirror_records set record_digest = '';

    alter table provider_settings add column source_identity text;
    comment on column provider_settings.source_identity is 'The source that its resources are linked to, by the source''s own stable id.';
    alter table runs add column source_identity text;
    comment on column runs.source_identity is 'The source that it read.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table runs drop column source_identity;
    alter table provider_settings drop column source_identity;
    drop index mirror_records_handles_idx;
    alter table mirror_records drop column handles, drop column label;
    drop index resources_unlinked_idx;
    drop table disputes;
    drop table plan_links;
  `);
}
