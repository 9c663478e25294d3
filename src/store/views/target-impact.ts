// The directory beside what a target has of it, page by page, under a scope that is not saved yet.
import type { ResourceType } from '#core/resource.ts';
import { type Db, queryOn } from '../database.ts';
import { Statement } from '../statement.ts';
import type { ScopeOf } from '../target/deliveries.ts';

export interface ImpactRow {
  readonly id: string;
  readonly pos: string;
  readonly body: string;
  readonly active: boolean;
  readonly within: boolean;
  readonly remote_id: string | null;
  readonly sent: Record<string, unknown> | null;
  readonly gone_since: Date | null;
  readonly manager_remote_id: string | null;
}

const PAGE = 1_000;

/** Everybody of a type in pages, ordered by place. */
export async function* readImpact(
  db: Db,
  appId: string,
  type: ResourceType,
  scope: ScopeOf,
): AsyncGenerator<readonly ImpactRow[]> {
  for (let pos = '0'; ; ) {
    const statement = new Statement();
    const app = statement.bind(appId, 'uuid');
    const from = statement.bind(pos, 'bigint');
    const text = `select r.id, r.pos, r.body, r.active, ${statement.where(scope(type, 'many'))} as within,
        d.remote_id, d.sent, d.gone_since, m.remote_id as manager_remote_id
      from resources r left join deliveries d on d.app_id = ${app} and d.resource_id = r.id
      left join deliveries m on m.app_id = ${app} and m.resource_id = r.manager_id
      where r.resource_type = '${type}' and r.deleted_at is null and r.pos > ${from} order by r.pos limit ${PAGE}`;
    const { rows } = await queryOn<ImpactRow>(db, { text, values: statement.values });
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    pos = last.pos;
  }
}
