// Whom the name of a person stands for in the audit log: names change hands, and two people may be called the same.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table actors (
      actor    text collate "C" primary key,
      subject  text not null,
      named_at timestamptz(3) not null default now()
    );
    comment on table actors is 'People who signed in, as the audit log names them. Who has a name first has it for good.';
    comment on column actors.subject is 'Issuer and subject of an OpenID Connect sign-in.';
    insert into actors (actor, subject, named_at)
      select distinct on (actor) actor, detail ->> 'subject', at from audit
      where action = 'session.open' and detail ->> 'subject' is not null order by actor, seq;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table actors;');
}
