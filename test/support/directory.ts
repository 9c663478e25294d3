// A directory put straight into its tables, for tests that need many resources and not the requests that make them.
import type { Document } from '#core/coerce.ts';
import { isUuid } from '#core/ids.ts';
import { ENTERPRISE_SCHEMA, type Origin, type ResourceType } from '#core/resource.ts';
import { foldCase, searchForm } from '#core/search.ts';
import { type Database, sql } from '#store/database.ts';
import { writeResources } from '#store/directory/resources.ts';

export interface DirectoryEntry {
  readonly id: string;
  readonly type: ResourceType;
  readonly document: Document;
  readonly origin?: Origin;
}

/** Writes resources as they would be stored, in the order given. A user name need not be unique. */
export async function writeDocuments(database: Database, entries: readonly DirectoryEntry[]): Promise<void> {
  const rows = entries.map(({ id, type, document, origin = 'manual' }) => ({
    id,
    resource_type: type,
    origin,
    external_id: (document['externalId'] as string | undefined) ?? null,
    name_key: foldCase(String(document[type === 'User' ? 'userName' : 'displayName'])),
    display: String(document['displayName'] ?? document['userName']),
    unique_key: type === 'User' ? id : null,
    active: document['active'] !== false,
    body: JSON.stringify(document),
    search: searchForm(document),
    digest: null,
    manager_external_id: null,
    manager_id: managerIn(document),
    left: false,
  }));
  await writeResources(database.knex, rows);
}

function managerIn(document: Document): string | null {
  const enterprise = document[ENTERPRISE_SCHEMA] as { readonly manager?: { readonly value?: string } } | undefined;
  const value = enterprise?.manager?.value ?? '';
  return isUuid(value) ? value.toLowerCase() : null;
}

/** Puts members into groups, and counts them. */
export async function writeMembers(
  database: Database,
  pairs: readonly { readonly group: string; readonly member: string; readonly type: ResourceType }[],
): Promise<void> {
  await sql(
    database.knex,
    `with won as (
       insert into group_members (group_id, member_id, member_type)
       select "group", member, type from jsonb_to_recordset(?::jsonb) as m("group" uuid, member uuid, type text) returning group_id)
     update resources r set member_count = r.member_count + w.count
     from (select group_id, count(*)::int as count from won group by group_id) w where r.id = w.group_id`,
    [JSON.stringify(pairs)],
  );
}
