// Who is on their way to a target is noted beside the deliveries: a claim writes a narrow row instead of a wide one and all
// its indexes anew. The release before says it in the row itself; a trigger makes it heed these claims, and notes its own
// here, until a release that contracts drops both.
import type { Knex } from 'knex';

/** What a delivery is left with whose process is gone. */
const CUT_SHORT = {
  failure: 'internal',
  code: 'delivery-cut-short',
  message: 'The process that was sending this ended before it had an answer.',
  remedy: 'Nothing: it is looked up at the target and sent again.',
};

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table delivery_claims (
      app_id        uuid not null,
      resource_id   uuid not null,
      fence         bigint not null generated always as identity,
      claimed_until timestamptz(3) not null,
      primary key (app_id, resource_id)
    );
    comment on table delivery_claims is 'Which deliveries are on their way, until when at most. Whoever settles one shows the fence.';

    create function heed_delivery_claims() returns trigger language plpgsql as $$
    begin
      if new.state <> 'sending' then
        delete from delivery_claims where app_id = new.app_id and resource_id = new.resource_id;
        return new;
      end if;
      insert into delivery_claims (app_id, resource_id, claimed_until)
        values (new.app_id, new.resource_id, new.claimed_until) on conflict do nothing;
      if found then return new; end if;
      update delivery_claims set fence = default, claimed_until = new.claimed_until
        where app_id = new.app_id and resource_id = new.resource_id and claimed_until < clock_timestamp();
      if not found then return null; end if;
      new.last_error := '${JSON.stringify(CUT_SHORT)}';
      return new;
    end $$;
    create trigger deliveries_heed_claims before update on deliveries for each row
      when ((old.state = 'sending') <> (new.state = 'sending')) execute function heed_delivery_claims();
    insert into delivery_claims (app_id, resource_id, claimed_until)
      select app_id, resource_id, coalesce(claimed_until, now()) from deliveries where state = 'sending';

    create function drop_delivery_claims() returns trigger language plpgsql as $$
    begin
      delete from delivery_claims where app_id = old.app_id;
      return null;
    end $$;
    create trigger targets_drop_claims after delete on targets for each row execute function drop_delivery_claims();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop trigger targets_drop_claims on targets; drop function drop_delivery_claims();
    drop trigger deliveries_heed_claims on deliveries; drop function heed_delivery_claims();
    drop table delivery_claims;
  `);
}
