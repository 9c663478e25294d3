import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import { openDatabase, sql } from '#store/database.ts';
import { ended, startFile } from '../support/child.ts';
import { makeFolder, postgresMissing } from '../support/database.ts';
import {
  connect,
  expectStatus,
  freshStorage,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';
import { type Organisation, readOrganisation } from '../support/organisation.ts';
import { createDatabase, dropDatabase } from '../support/postgres-databases.ts';
import { type DumpableServer, dumpableServer } from '../support/postgres-tools.ts';

const run = promisify(execFile);
const SECRET_KEY = Buffer.alloc(32, 7).toString('base64');

interface Verification {
  readonly ok: boolean;
  readonly head: { readonly hash: string } | null;
}

interface Kept {
  readonly organisation: Organisation;
  readonly token: string;
  readonly auditHead: string;
  readonly changes: number;
}

describe('a directory of thousands', { skip: postgresMissing }, () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let folder: string;
  let kept: Kept;
  let movedTo = '';
  let server: DumpableServer;

  before(async () => {
    server = await dumpableServer(process.env['TEST_DATABASE_URL'] ?? '');
    tenant = makeTenant({ users: 2_000, groups: 40, membersPerGroup: 60 });
    graph = await startTenant(tenant);
    const storage = await freshStorage('embedded');
    folder = storage['DATA_DIR'] ?? '';
    const gateway = await startGateway(storage);
    await connect(gateway, settingsFor(tenant, graph));
    const app = await expectStatus(gateway.call<{ id: string }>('POST', '/api/v1/apps', { name: 'Wiki "é\\n' }), 201);
    const made = await gateway.call<{ token: string }>('POST', `/api/v1/apps/${app.body.id}/tokens`, {});
    const webhook = { on: 'failure', url: 'https://hooks.example.com/', secret: `whsec_${SECRET_KEY}` };
    await expectStatus(gateway.call('PUT', '/api/v1/notifications', { email: null, webhook }), 200);
    kept = await look(gateway, made.body.token);
    await gateway.close();
  });
  after(async () => {
    await graph?.close();
    for (const name of databases) await dropDatabase(server.url, name);
    await server?.stop();
  });

  const databases: string[] = [];
  function newDatabase(): Promise<string> {
    const name = `sluice_move_${process.pid}_${databases.length}`;
    databases.push(name);
    return createDatabase(server.url, name);
  }

  /** What must be the same wherever the gateway runs. */
  async function look(gateway: TestGateway, token: string): Promise<Kept> {
    let changes = 0;
    for (let cursor = ''; ; ) {
      const path = `/api/v1/changes?limit=1000${cursor === '' ? '' : `&after=${cursor}`}`;
      const { body } = await gateway.call<{ items: unknown[]; nextCursor: string; more: boolean }>('GET', path);
      changes += body.items.length;
      cursor = body.nextCursor;
      if (!body.more) break;
    }
    // Sealed within a minute: this asks for it to be sealed now.
    const { body: chain } = await gateway.call<Verification>('GET', '/api/v1/audit/verification');
    assert.equal(chain.ok, true);
    return { organisation: await readOrganisation(gateway), token, auditHead: chain.head?.hash ?? '', changes };
  }

  /** The same ids, tokens and chain. */
  async function assertSame(
    storage: Record<string, string>,
    more: (gateway: TestGateway) => Promise<void> = async () => undefined,
  ): Promise<void> {
    const gateway = await startGateway(storage);
    try {
      const found = await look(gateway, kept.token);
      assert.deepEqual(found.organisation, kept.organisation);
      assert.equal(found.changes, kept.changes);
      assert.equal((await gateway.call('GET', '/scim/v2/Users?count=1', undefined, kept.token)).status, 200);
      const { body: chain } = await gateway.call<{ ok: boolean }>(
        'GET',
        `/api/v1/audit/verification?head=${kept.auditHead}`,
      );
      assert.equal(chain.ok, true);
      await more(gateway);
    } finally {
      await gateway.close();
    }
  }

  /** It works on: the secrets of the source open, a run finds nothing to change, and a new change is told of last. */
  async function assertWorks(gateway: TestGateway): Promise<void> {
    const again = await sync(gateway, { mode: 'full' });
    assert.deepEqual(
      [again.status, again.counts['created'] ?? 0, again.counts['deactivated'] ?? 0],
      ['succeeded', 0, 0],
    );
    const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'after@contoso.example' };
    const { body: made } = await expectStatus(gateway.call<{ id: string }>('POST', '/scim/v2/Users', user), 201);
    let last: { resourceId?: string } | undefined;
    for (let cursor = ''; ; ) {
      const path = `/api/v1/changes?limit=1000${cursor === '' ? '' : `&after=${cursor}`}`;
      const { body } = await gateway.call<{ items: { resourceId: string }[]; nextCursor: string; more: boolean }>(
        'GET',
        path,
      );
      last = body.items.at(-1) ?? last;
      cursor = body.nextCursor;
      if (!body.more && last?.resourceId === made.id) break;
    }
  }

  it('moves from embedded storage to PostgreSQL by one command, and is the same there', async () => {
    const databaseUrl = await newDatabase();
    const environment = { DATA_DIR: folder, DATABASE_URL: databaseUrl, SECRET_KEY };
    const moved = await ended(startFile('src/store/move-command.ts', environment));
    assert.equal(moved.code, 0, moved.err);
    assert.match(moved.out, /20\d\d {2}resources/);
    assert.match(moved.out, /counts and checksums are the same/);
    assert.ok(!moved.out.includes(SECRET_KEY));
    const twice = await ended(startFile('src/store/move-command.ts', environment));
    assert.deepEqual([twice.code, /is not empty/.test(twice.err)], [1, true], twice.err);
    await assertSame({ DATABASE_URL: databaseUrl }, assertWorks);
    movedTo = databaseUrl;
  });

  it('is all there after pg_dump and pg_restore', async (context) => {
    if (server.missing) return context.skip(server.missing);
    const restored = await newDatabase();
    const dump = join(makeFolder(), 'sluice.dump');
    await run('pg_dump', ['--format=custom', `--file=${dump}`, movedTo]);
    await run('pg_restore', ['--no-owner', '--exit-on-error', `--dbname=${restored}`, dump]);
    const [before, after] = [
      await startGateway({ DATABASE_URL: movedTo }),
      await startGateway({ DATABASE_URL: restored }),
    ];
    try {
      assert.deepEqual(await look(after, kept.token), await look(before, kept.token));
    } finally {
      await before.close();
      await after.close();
    }
  });

  it('moves whole or not at all: with a key that does not open its secrets nothing is written', async () => {
    const databaseUrl = await newDatabase();
    const copy = makeFolder();
    cpSync(folder, copy, { recursive: true });
    const embedded = await openDatabase({ dataDir: copy });
    await sql(embedded.knex, 'update provider_settings set secrets = null');
    await embedded.close();
    // In the copy, only the notifications have something sealed.
    for (const dataDir of [folder, copy]) {
      const wrong = {
        DATA_DIR: dataDir,
        DATABASE_URL: databaseUrl,
        SECRET_KEY: Buffer.alloc(32, 8).toString('base64'),
      };
      const { code, err } = await ended(startFile('src/store/move-command.ts', wrong));
      assert.deepEqual([code, err.includes('SECRET_KEY')], [1, true], err);
    }
    const database = await openDatabase({ databaseUrl });
    const { rows } = await sql(
      database.knex,
      `select count(*)::int as tables from pg_tables where schemaname = 'public'`,
    );
    await database.close();
    assert.equal(rows[0].tables, 0);
  });

  it('is the same in a copy of its folder that was made while the gateway was stopped', async () => {
    const copy = makeFolder();
    cpSync(folder, copy, { recursive: true });
    await assertSame({ DATA_DIR: copy });
  });
});
