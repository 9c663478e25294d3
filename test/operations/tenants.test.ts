import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import { openDatabase, sql } from '#store/database.ts';
import { createTestDatabase, postgresMissing } from '../support/database.ts';
import { connect, settingsFor, startGateway, startTenant, sync, type TestGateway } from '../support/gateway.ts';
import { readMetrics } from '../support/metrics.ts';
import { pictureOf, readServed } from '../support/served.ts';

interface Side {
  readonly tenant: Tenant;
  readonly graph: GraphServer;
  readonly gateway: TestGateway;
}

describe('two tenants in two schemas of one database', { skip: postgresMissing }, () => {
  const sides: Side[] = [];
  let databaseUrl: string;

  before(async () => {
    databaseUrl = await createTestDatabase();
    const database = await openDatabase({ databaseUrl });
    await database.knex.raw('create schema acme; create schema globex');
    await database.close();
    const sizes = { acme: 12, globex: 20 };
    // Both at once: they migrate beside each other.
    sides.push(
      ...(await Promise.all(
        Object.entries(sizes).map(async ([schema, users]): Promise<Side> => {
          const tenant = makeTenant({ users, groups: 2, membersPerGroup: 4, seed: schema });
          const graph = await startTenant(tenant);
          const url = `${databaseUrl}?options=${encodeURIComponent(`-c search_path=${schema}`)}`;
          return { tenant, graph, gateway: await startGateway({ DATABASE_URL: url }) };
        }),
      )),
    );
  });
  after(async () => {
    for (const { gateway, graph } of sides) {
      await gateway.close();
      await graph.close();
    }
  });

  it('each read their own source at the same time, and serve their own people', async () => {
    const runs = await Promise.all(
      sides.map(({ gateway, tenant, graph }) => connect(gateway, settingsFor(tenant, graph))),
    );
    assert.deepEqual(
      runs.map(({ status }) => status),
      ['succeeded', 'succeeded'],
    );
    for (const { gateway, tenant } of sides) {
      const { ids: _ids, ...served } = await readServed(gateway);
      assert.deepEqual(served, pictureOf(tenant));
    }
    assert.deepEqual(
      await Promise.all(
        sides.map(async ({ gateway }) => (await readMetrics(gateway.base)).value('sluice_resources', { type: 'User' })),
      ),
      [12, 20],
    );
  });

  it('do not see each other: not by id, by token, in the journal, or in the lists of runs and the audit log', async () => {
    const [acme, globex] = sides as [Side, Side];
    const { body: page } = await acme.gateway.call<{ Resources: { id: string }[] }>('GET', '/scim/v2/Users?count=1');
    const id = page.Resources[0]?.id;
    assert.equal((await acme.gateway.call('GET', `/scim/v2/Users/${id}`)).status, 200);
    assert.equal((await globex.gateway.call('GET', `/scim/v2/Users/${id}`)).status, 404);
    const { body: app } = await acme.gateway.call<{ id: string }>('POST', '/api/v1/apps', { name: 'Wiki' });
    const { body: made } = await acme.gateway.call<{ token: string }>('POST', `/api/v1/apps/${app.id}/tokens`, {});
    assert.equal((await acme.gateway.call('GET', '/scim/v2/Users?count=1', undefined, made.token)).status, 200);
    assert.equal((await globex.gateway.call('GET', '/scim/v2/Users?count=1', undefined, made.token)).status, 401);
    for (const path of ['/api/v1/changes?limit=1000', '/api/v1/sync-runs', '/api/v1/audit', '/api/v1/apps']) {
      const { body } = await globex.gateway.call('GET', path);
      for (const theirs of [id, app.id, made.token.slice(-8)])
        assert.ok(!JSON.stringify(body).includes(String(theirs)), path);
    }
  });

  it('leave nothing outside of their schemas, and run on after one has gone', async () => {
    const database = await openDatabase({ databaseUrl });
    const { rows } = await sql(
      database.knex,
      `select table_schema as schema, count(*)::int as tables from information_schema.tables
       where table_schema not in ('pg_catalog', 'information_schema') group by 1 order by 1`,
    );
    assert.deepEqual(
      rows.map(({ schema }) => schema),
      ['acme', 'globex'],
    );
    assert.equal(rows[0].tables, rows[1].tables);
    const [acme, globex] = sides.splice(0) as [Side, Side];
    await acme.gateway.close();
    await acme.graph.close();
    await database.knex.raw('drop schema acme cascade');
    await database.close();
    sides.push(globex);
    assert.equal((await sync(globex.gateway)).status, 'succeeded');
  });
});
