// The limit of the SCIM edge: Express with one prepared statement a request, sending the same text as the gateway, stored
// whole in a table of its own. Nothing else: no tokens, no memberships, no versions.
import express from 'express';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 8 });
const ONE = { name: 'one', text: 'select text from bare_users where id = $1' };
const PAGE = {
  name: 'page',
  text: 'select text from bare_users where pos > $1 order by pos limit 100',
};
const CHANGE = {
  name: 'change',
  text: 'update resources set body = body, version = version + 1 where id = $1 returning body',
};

const app = express();
app.disable('x-powered-by').disable('etag');
app.get('/one/:id', async (request, response) => {
  const { rows } = await pool.query({ ...ONE, values: [request.params['id']] });
  response.type('application/json').send(rows[0].text);
});
app.get('/page/:after', async (request, response) => {
  const { rows } = await pool.query({ ...PAGE, values: [request.params['after']] });
  response.type('application/json').send(`[${rows.map(({ text }) => text).join(',')}]`);
});
app.patch('/one/:id', express.json(), async (request, response) => {
  const { rows } = await pool.query({ ...CHANGE, values: [request.params['id']] });
  response.type('application/json').send(rows[0].body);
});
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
});
process.on('disconnect', () => process.exit(0));
