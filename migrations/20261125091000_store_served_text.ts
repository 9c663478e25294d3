// What SCIM answers is written when it changes, not when it is read: the head of every resource, and the groups of every
// user who was read. A page of 100 people in five groups each takes a quarter of the time.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function scim_time(instant timestamptz) returns text language sql immutable strict parallel safe
      return to_char(instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
    alter table resources add column head text generated always as (
      '{"id":"' || id::text || '","meta":{"resourceType":"' || resource_type || '","created":"' || scim_time(created_at)
      || '","lastModified":"' || scim_time(updated_at) || '","version":"W/\\"' || version::text || '\\"","location":"' || chr(1)
      || case resource_type when 'User' then '/Users/' else '/Groups/' end || id::text || '"},') stored;
    comment on column resources.head is 'JSON text of id and meta; chr(1) stands for our own URL, which depends on where we are reached.';

    create table served_groups (
      user_id uuid primary key,
      text    text not null
    );
    comment on table served_groups is 'The groups of a user as SCIM answers them, direct and indirect; chr(1) stands for our own URL. Made when a user is read, deleted by triggers when it may no longer hold.';

    -- While a membership is written, nobody fills served_groups: what is filled was computed after the write, or not at all.
    create function lock_served_groups() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock_shared(7340032, 1);
        return null;
      end $$;
    create trigger group_members_lock before insert or update or delete on group_members
      for each statement execute function lock_served_groups();

    create function forget_groups_below(members uuid[]) returns void language sql as $$
      with recursive below(id) as (
        select unnest(members)
        union select gm.member_id from below b join group_members gm on gm.group_id = b.id)
      delete from served_groups s using below where s.user_id = below.id $$;

    create function forget_served_groups() returns trigger language plpgsql as $$
      begin
        delete from served_groups s using changed c where s.user_id = c.member_id and c.member_type = 'User';
        if exists (select 1 from changed where member_type = 'Group') then
          perform forget_groups_below(array(select member_id from changed where member_type = 'Group'));
        end if;
        return null;
      end $$;
    create trigger group_members_added after insert on group_members
      referencing new table as changed for each statement execute function forget_served_groups();
    create trigger group_members_removed after delete on group_members
      referencing old table as changed for each statement execute function forget_served_groups();

    create function forget_renamed_group() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock_shared(7340032, 1);
        perform forget_groups_below(array[new.id]);
        return null;
      end $$;
    create trigger resources_group_renamed after update of display on resources for each row
      when (old.resource_type = 'Group' and old.display is distinct from new.display) execute function forget_renamed_group();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop trigger resources_group_renamed on resources;
    drop trigger group_members_removed on group_members;
    drop trigger group_members_added on group_members;
    drop trigger group_members_lock on group_members;
    drop function forget_renamed_group, forget_served_groups, forget_groups_below, lock_served_groups;
    drop table served_groups;
    alter table resources drop column head;
    drop function scim_time;
  `);
}
