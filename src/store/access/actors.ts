// Who is behind the names of actors in the audit log and in runs.
import { type Db, sql } from '../database.ts';

/** What a name becomes that somebody else has. */
const OF_ANOTHER = / \(.+#.+\)$/;

/**
 * By which name a person is told of, as `user:<name>`: their own, or with the subject behind it where somebody else has
 * had that name here before. Nobody ever has that of another.
 * @param subject issuer and subject, of which each person has one of their own
 */
export async function namePerson(tx: Db, name: string, subject: string): Promise<string> {
  const apart = `${name} (${subject})`;
  if (!OF_ANOTHER.test(name) && (await takeName(tx, name, subject))) return name;
  await takeName(tx, apart, subject);
  return apart;
}

/** False when somebody else has it. */
async function takeName(tx: Db, name: string, subject: string): Promise<boolean> {
  const actor = `user:${name}`;
  await sql(tx, 'insert into actors (actor, subject) values (?, ?) on conflict (actor) do nothing', [actor, subject]);
  const { rows } = await sql<{ subject: string }>(tx, 'select subject from actors where actor = ?', [actor]);
  return rows[0]?.subject === subject;
}

export interface Actor {
  readonly actor: string;
  readonly name: string;
  /** Issuer and subject of a person; null for a token. */
  readonly subject: string | null;
}

const EACH_MAX = 500;

/** The names of tokens that may have done something, those that are for people, revoked ones too; and people who signed in. */
export async function listActors(db: Db): Promise<readonly Actor[]> {
  const { rows } = await sql<Actor>(
    db,
    `(select 'token:' || t.id as actor, case when t.name = 'bootstrap' and t.app_id is null then 'Administrator'
         when t.name <> '' then t.name when a.name is not null then a.name else 'Token …' || t.hint end as name, null as subject
       from tokens t left join apps a on a.id = t.app_id where t.scopes && '{admin,operator,viewer,scim:write}'
       order by t.created_at desc limit ${EACH_MAX})
     union all
     (select actor, substr(actor, ${'user:'.length + 1}), subject from actors order by named_at desc limit ${EACH_MAX})`,
  );
  return rows;
}
