// The limit of the SCIM edge: Express with one prepared statement a request, sending the same text as the gateway, stored
// whole in a table of its own. Nothing else: no tokens, no memberships, no versions.
import express from 'express';
import pg from 'pg';
import type { HotQuery } from '../src/store/ask.ts';
import { openDatabase } from '../src/store/database.ts';

const { DATABASE_URL: url, DATA_DIR: dataDir } = process.env;
const ONE = { name: 'one', text: 'select text from bare_users where id = $1' };
const PAGE = {
  name: 'page',
  text: 'select text from bare_users where pos > $1 order by pos limit 100',
};
const CHANGE = {
  name: 'change',
  text: 'update resources set body = body, version = version + 1 where id = $1 returning body as text',
};
const MAKE = { name: 'make', text: 'insert into bare_made (name, text) values ($1, $2) returning text' };

type Ask = (query: HotQuery) => Promise<{ readonly rows: { readonly text: string }[] }>;

/** The bare driver where there is a server; the embedded database has one way in. */
async function openLimit(): Promise<Ask> {
  if (url === undefined) {
    const database = await openDatabase({ dataDir });
    return (query) => database.query<{ text: string }>(query);
  }
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  return (query) => pool.query<{ text: string }>({ ...query, values: [...(query.values ?? [])] });
}

const ask = await openLimit();
const app = express();
app.disable('x-powered-by').disable('etag');
app.get('/one/:id', async (request, response) => {
  const { rows } = await ask({ ...ONE, values: [request.params['id']] });
  response.type('application/json').send(rows[0]?.text);
});
app.get('/page/:after', async (request, response) => {
  const { rows } = await ask({ ...PAGE, values: [request.params['after']] });
  response.type('application/json').send(`[${rows.map(({ text }) => text).join(',')}]`);
});
app.patch('/one/:id', express.json(), async (request, response) => {
  const { rows } = await ask({ ...CHANGE, values: [request.params['id']] });
  response.type('application/json').send(rows[0]?.text);
});
app.post('/made', express.json(), async (request, response) => {
  const { rows } = await ask({ ...MAKE, values: [request.body.userName, JSON.stringify(request.body)] });
  response.status(201).type('application/json').send(rows[0]?.text);
});
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
});
process.on('disconnect', () => process.exit(0));
