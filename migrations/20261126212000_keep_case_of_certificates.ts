// Certificates compare by case, and filters read them so: what `search` has of them takes the case of the body.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(certificates("whole -> 'value'"));
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(certificates("to_jsonb(lower(whole ->> 'value'))"));
}

/** Gives every certificate in `search` the value that is made of the one in the body, which is `whole`. */
function certificates(value: string): string {
  return `
    update resources r set search = jsonb_set(r.search, '{x509Certificates}', (
      select jsonb_agg(case when whole -> 'value' is not null then folded || jsonb_build_object('value', ${value}) else folded end order by place)
      from jsonb_array_elements(r.search -> 'x509Certificates') with ordinality s(folded, place)
        left join jsonb_array_elements(r.body::jsonb -> 'x509Certificates') with ordinality b(whole, place) using (place)))
    where r.search -> 'x509Certificates' is not null;
  `;
}
