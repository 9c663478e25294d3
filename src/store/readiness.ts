// Whether the storage can serve, for `/readyz`: asked anew each time, answered within a few seconds.
import { GatewayError, UnavailableError } from '#core/errors.ts';
import type { Database } from './database.ts';
import { translateDatabaseError } from './database-errors.ts';
import { readSchemaState } from './schema/migrate.ts';

export interface StorageCheck {
  readonly name: 'database' | 'schema' | 'writes' | 'storage';
  readonly ok: boolean;
  readonly detail?: string;
}

const ANSWER_WITHIN_MS = 3_000;

/** Never throws. The schema is named only where the database answered. */
export async function checkStorage(database: Database): Promise<StorageCheck[]> {
  const trouble = database.trouble();
  const storage: StorageCheck =
    trouble === undefined
      ? { name: 'storage', ok: true }
      : { name: 'storage', ok: false, detail: `Checkpoint or vacuum of the embedded database fails: ${trouble}` };
  try {
    const [schema, writes] = await within(Promise.all([checkSchema(database), checkWrites(database)]));
    return [{ name: 'database', ok: true }, schema, writes, storage];
  } catch (error) {
    const translated = translateDatabaseError(error);
    const detail =
      translated instanceof GatewayError ? translated.message : 'The database does not answer as it should.';
    return [{ name: 'database', ok: false, detail }, storage];
  }
}

async function checkSchema(database: Database): Promise<StorageCheck> {
  const { pending, newer, breaking } = await readSchemaState(database);
  if (pending.length > 0) return { name: 'schema', ok: false, detail: `Migrations are pending: ${pending.join(', ')}` };
  if (breaking.length > 0)
    return {
      name: 'schema',
      ok: false,
      detail: `A later release has taken away what this one needs: ${breaking.join(', ')}`,
    };
  // Releases expand first and contract later, so a replica goes on serving while the next release takes over.
  if (newer.length > 0) return { name: 'schema', ok: true, detail: `A later release has added: ${newer.join(', ')}` };
  return { name: 'schema', ok: true };
}

/** A standby, or a database that was set to be read only, answers every question and takes nothing. */
async function checkWrites(database: Database): Promise<StorageCheck> {
  const text = `select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as "readOnly"`;
  const { rows } = await database.query<{ readOnly: boolean }>({ text });
  return rows[0]?.readOnly === true
    ? { name: 'writes', ok: false, detail: 'The database takes reads only.' }
    : { name: 'writes', ok: true };
}

async function within<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new UnavailableError(`The database did not answer within ${ANSWER_WITHIN_MS / 1000} s.`);
    timer = setTimeout(() => reject(error), ANSWER_WITHIN_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
