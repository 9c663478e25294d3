// Everything that chaos plays with: a tenant behind its Graph, one PostgreSQL, some gateways, two targets, and a network
// between each two of them that can be cut.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type GraphServer, startGraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import { type CutProxy, startCutProxy } from '../support/cut-proxy.ts';
import { expectStatus, type GatewayProcess, settingsFor, untilOver } from '../support/gateway.ts';
import { startBouncer } from '../support/pgbouncer.ts';
import { createDatabase } from '../support/postgres-databases.ts';
import { startPostgres, type TestServer } from '../support/postgres-server.ts';
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';
import { makeReplica, type Replica, type Role } from './replica.ts';

export interface WorldOptions {
  readonly users: number;
  readonly groups: number;
  readonly roles: readonly Role[];
  /** Whether PgBouncer stands between the gateways and the database. */
  readonly pooled: boolean;
  readonly seed: string;
  readonly targets?: number;
}

export interface WorldTarget {
  readonly server: ScimAppServer;
  readonly network: CutProxy;
  readonly appId: string;
}

export interface World {
  readonly tenant: Tenant;
  readonly graph: GraphServer;
  /** Between the gateways and Graph. */
  readonly source: CutProxy;
  readonly postgres: TestServer;
  /** Not by way of any proxy. */
  readonly databaseUrl: string;
  readonly replicas: readonly Replica[];
  readonly targets: readonly WorldTarget[];
  /** A gateway that answers requests; the first one, or the one of that number when it does. */
  api(number?: number): GatewayProcess;
  query<Row extends pg.QueryResultRow>(text: string): Promise<Row[]>;
  close(): Promise<void>;
}

const TOKEN = 'their-token';

/** Makes it, connects the tenant, and adds the targets. Takes some seconds; the first sync is over then. */
export async function makeWorld({ users, groups, roles, pooled, seed, targets = 2 }: WorldOptions): Promise<World> {
  const folder = mkdtempSync('/tmp/sluice-chaos-');
  chmodSync(folder, 0o711);
  const closing: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const serverFolder = mkdtempSync('/tmp/sluice-chaos-');
    chmodSync(serverFolder, 0o711);
    const postgres = await startPostgres(serverFolder, { durable: true });
    closing.push(() => postgres.stop());
    const databaseUrl = await createDatabase(postgres.url, 'chaos');
    const bouncer = pooled ? await startBouncer(databaseUrl, folder) : undefined;
    closing.push(() => bouncer?.stop());

    const tenant = makeTenant({ users, groups, membersPerGroup: 8, seed });
    const source = await startCutProxy();
    closing.push(() => source.stop());
    const graph = await startGraphServer(tenant, { publicOrigin: `https://127.0.0.1:${source.port}` });
    closing.push(() => graph.close());
    source.to = { host: '127.0.0.1', port: graph.port };
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, graph.ca);

    const replicas: Replica[] = [];
    for (const [number, role] of roles.entries()) {
      const name = `${role} ${number + 1}`;
      const replica = await makeReplica({ name, role, databaseUrl: bouncer?.url ?? databaseUrl, ca });
      closing.push(async () => {
        replica.wake();
        await replica.kill();
        await replica.network.stop();
      });
      replicas.push(replica);
    }
    await Promise.all(replicas.map((replica) => replica.start()));
    const api = (number = 0): GatewayProcess => {
      const answering = [...replicas.slice(number), ...replicas].filter(({ role }) => role !== 'worker');
      const found = answering.find(({ process }) => process !== undefined)?.process;
      if (found === undefined) throw new Error('no gateway answers requests');
      return found;
    };
    await connectTenant(api(), settingsFor(tenant, graph));
    const made: WorldTarget[] = [];
    for (let number = 1; number <= targets; number += 1) {
      const target = await addTarget(api(), `target ${number}`);
      closing.push(async () => {
        await target.network.stop();
        await target.server.close();
      });
      made.push(target);
    }
    const query = async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> => {
      const client = new pg.Client({ connectionString: databaseUrl });
      await client.connect();
      try {
        return (await client.query<Row>(text)).rows;
      } finally {
        await client.end();
      }
    };
    return { tenant, graph, source, postgres, databaseUrl, replicas, targets: made, api, query, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function connectTenant(api: GatewayProcess, settings: Record<string, unknown>): Promise<void> {
  await expectStatus(api.call('PUT', '/api/v1/providers/microsoft365', settings), 200);
  await expectStatus(api.call('POST', '/api/v1/providers/microsoft365/activate', {}), 200);
  const { body } = await api.call<{ items: { id: string }[] }>('GET', '/api/v1/sync-runs');
  await untilOver(api, body.items[0]?.id ?? '');
}

async function addTarget(api: GatewayProcess, name: string): Promise<WorldTarget> {
  const server = await startScimApp({ token: TOKEN });
  const { hostname: host, port } = new URL(server.url);
  const network = await startCutProxy({ host, port: Number(port) });
  const baseUrl = `http://127.0.0.1:${network.port}${new URL(server.url).pathname}`;
  const push = { baseUrl, auth: { kind: 'bearer', token: TOKEN }, guard: null, timeoutSeconds: 3 };
  const { body } = await expectStatus(api.call<{ id: string }>('POST', '/api/v1/apps', { name, push }), 201);
  return { server, network, appId: body.id };
}
