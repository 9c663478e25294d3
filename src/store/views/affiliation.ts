import { GATEWAY_SCHEMA } from '#core/resource.ts';

/** SQL for the affiliation path of whoever has this id, now; null where there is none, and for groups. */
export function pathOfResource(id: string): string {
  return `(select r.body::jsonb -> '${GATEWAY_SCHEMA}' ->> 'affiliationPath' from resources r where r.id = ${id})`;
}
