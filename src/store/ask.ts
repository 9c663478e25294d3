// Statements of hot paths, whose rows come as PostgreSQL sends them: as texts. `pg` has the columns described each time and
// makes an object of each row; for a look-up that was half of what the statement costs here.
import type { ClientBase, Connection, Submittable } from 'pg';
import { arrayLiteral } from './arrays.ts';

/** `name` prepares the statement, where the server can keep it. */
export interface HotQuery {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly name?: string;
}

/** The values of a row, in the order of the columns. */
export type Texts = readonly (string | null)[];

/** Asks on a connection that nobody else uses meanwhile. */
export function ask(client: ClientBase, query: HotQuery): Promise<readonly Texts[]> {
  return new Promise((resolve, reject) => {
    client.query(new Asked(query, resolve, reject));
  });
}

/** What `pg` knows of a connection beyond its types: the statements that are prepared on it, by their names. */
type Prepared = Connection & { readonly parsedStatements: Readonly<Record<string, string | undefined>> };

/** A query as `pg` drives it: it submits it, and hands it each message that comes back. */
class Asked implements Submittable {
  readonly name: string;
  readonly text: string;
  private readonly values: readonly (string | Buffer | null)[];
  private readonly rows: Texts[] = [];
  private readonly resolve: (rows: readonly Texts[]) => void;
  private readonly reject: (error: unknown) => void;

  constructor({ text, values = [], name = '' }: HotQuery, resolve: Asked['resolve'], reject: Asked['reject']) {
    this.name = name;
    this.text = text;
    this.values = values.map(wireOf);
    this.resolve = resolve;
    this.reject = reject;
  }

  submit(connection: Connection): void {
    const { name, text, values } = this;
    const { stream } = connection;
    stream.cork();
    if (name === '' || (connection as Prepared).parsedStatements[name] === undefined)
      connection.parse({ name, text, types: [] }, true);
    connection.bind({ statement: name, values: [...values] }, true);
    connection.execute(null, true);
    connection.sync();
    stream.uncork();
  }

  handleDataRow({ fields }: { readonly fields: Texts }): void {
    this.rows.push(fields);
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.resolve(this.rows);
  }

  /** Of the server, or of the connection. What still comes of this statement goes to nobody. */
  handleError(error: unknown): void {
    this.reject(error);
  }
}

/** A value as a parameter: a `Buffer` in the binary form of its type, everything else as text. */
function wireOf(value: unknown): string | Buffer | null {
  if (typeof value === 'string' || value instanceof Buffer) return value;
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return arrayLiteral(value);
  return String(value);
}
