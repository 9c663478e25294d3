import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ConfigError } from '#core/errors.ts';
import { nameKey } from '#core/names.ts';
import { USER_SCHEMA } from '#core/resource.ts';
import { readConfig } from '#platform/config.ts';
import { type Database, openDatabase, sql } from '#store/database.ts';
import { migrate, readSchemaState } from '#store/schema/migrate.ts';
import { FOLDER, readMigration } from '#store/schema/migrations.ts';
import { migrateOnline } from '#store/schema/online-migrations.ts';
import { lookAtDatabase } from '../../src/doctor/database.ts';
import { examineDatabase } from '../../src/doctor/examine.ts';
import { createTestDatabase, eachDatabase, makeFolder, postgresMissing } from '../support/database.ts';
import { writeDocuments } from '../support/directory.ts';
import { freshStorage, startGateway } from '../support/gateway.ts';

async function isMigrated(...of: Parameters<typeof readSchemaState>): Promise<boolean> {
  const { pending, breaking } = await readSchemaState(...of);
  return pending.length === 0 && breaking.length === 0;
}

/** What the doctor says of the schema. */
async function diagnosed(database: Database): Promise<string | undefined> {
  const findings = await lookAtDatabase(database, readConfig({}));
  return findings.find(({ name }) => name === 'migrations')?.level;
}

/** The migrations of this release and one more, as the next release has them. */
function nextRelease(name: string, up: string): string {
  const folder = join(makeFolder(), 'migrations');
  cpSync('migrations', folder, { recursive: true });
  const text = `export async function up(knex) { for (const text of ${JSON.stringify(up.split('; '))}) await knex.raw(text); }
    export async function down() {}`;
  writeFileSync(join(folder, name), text);
  return folder;
}

const EXPAND = '20991201000000_add_nickname.ts';
const ADD = 'alter table resources add column nickname text';

eachDatabase('a schema that a later release has changed', (open) => {
  it('is served when something was added, and refused with a sentence when something was taken away', async () => {
    const database = await open();
    await migrate(database, nextRelease(EXPAND, ADD));
    assert.deepEqual(await migrate(database), []);
    assert.equal(await isMigrated(database), true);
    assert.equal(await diagnosed(database), 'ok');
    const contract = '20991202000000_contract_drop_display.ts';
    await migrate(database, nextRelease(contract, 'alter table resources drop column nickname'));
    await assert.rejects(migrate(database), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual([error.reason, error.message.includes(contract)], ['database-too-new', true]);
      return true;
    });
    // One that runs already is sent no more requests.
    assert.equal(await isMigrated(database), false);
    assert.equal(await diagnosed(database), 'problem');
  });

  it('is made faster while it is served, once', async () => {
    const database = await open();
    const name = '20991203000000_online_index_display.ts';
    const index = `drop index ${database.kind === 'postgres' ? 'concurrently ' : ''}if exists resources_display_idx`;
    const build = `create index ${database.kind === 'postgres' ? 'concurrently ' : ''}resources_display_idx on resources (display)`;
    const folder = nextRelease(name, `${index}; ${build}`);
    await migrate(database, folder);
    assert.equal(await isMigrated(database, folder), true);
    const made = await Promise.all([migrateOnline(database, folder), migrateOnline(database, folder)]);
    assert.deepEqual(made.flat(), [name]);
    assert.deepEqual(await migrateOnline(database, folder), []);
    const { rows } = await sql(
      database.knex,
      `select indisvalid from pg_index where indexrelid = 'resources_display_idx'::regclass`,
    );
    assert.deepEqual(rows, [{ indisvalid: true }]);
  });
});

eachDatabase('certificates that an earlier release has stored', (open) => {
  it('are found by case from then on', async () => {
    const database = await open();
    const document = {
      schemas: [USER_SCHEMA],
      userName: 'Ada',
      x509Certificates: [{ value: 'QUJD', type: 'Work' }, { display: 'None' }, { value: 'Zm9v' }],
    };
    await writeDocuments(database, [{ id: randomUUID(), type: 'User', document }]);
    const certificates = async (): Promise<unknown> =>
      (await sql(database.knex, `select search -> 'x509Certificates' as found from resources`)).rows[0].found;
    const { up, down } = await readMigration(FOLDER, '20261126212000_keep_case_of_certificates.ts');
    const rest = [{ type: 'work' }, { display: 'none' }, {}];
    const withValues = (...values: readonly object[]) => rest.map((one, at) => ({ ...one, ...values[at] }));
    await down(database.knex);
    assert.deepEqual(await certificates(), withValues({ value: 'qujd' }, {}, { value: 'zm9v' }));
    await up(database.knex);
    assert.deepEqual(await certificates(), withValues({ value: 'QUJD' }, {}, { value: 'Zm9v' }));
  });
});

eachDatabase('names that an earlier release has stored', (open) => {
  it('have one key for all spellings from then on; of two who have the same the first', async () => {
    const database = await open();
    const db = database.knex;
    const names = [
      'ame\u0301lie',
      'am\u00e9lie',
      '\uff41da',
      'ada',
      '\uff42ob',
      '\uff42\uff4fb',
      '\uae40',
      '\uff76\uff9e',
    ];
    const documents = names.map((userName) => ({
      id: randomUUID(),
      type: 'User' as const,
      document: { schemas: [USER_SCHEMA], userName },
    }));
    await writeDocuments(database, documents);
    for (const [place, { id }] of documents.entries())
      await sql(db, 'update resources set name_key = ?, unique_key = ? where id = ?', [names[place], names[place], id]);
    for (const name of ['\uff41da', 'ada', '\uff42ob'])
      await sql(db, `insert into mirror_routes (provider, name_key, name, external_id) values ('csv', ?, 'x', 'e')`, [
        name,
      ]);
    const { up } = await readMigration(FOLDER, '20261127110000_compose_names.ts');
    await db.transaction((tx) => up(tx));
    const { rows } = await sql(db, 'select name_key, unique_key from resources order by pos');
    assert.deepEqual(
      rows.map(({ name_key, unique_key }) => [name_key, unique_key]),
      [
        ['am\u00e9lie', 'ame\u0301lie'],
        ['am\u00e9lie', 'am\u00e9lie'],
        ['ada', '\uff41da'],
        ['ada', 'ada'],
        ['bob', 'bob'],
        ['bob', '\uff42\uff4fb'],
        ['\uae40', '\uae40'],
        ['\u30ac', '\u30ac'],
      ],
    );
    assert.deepEqual(
      rows.map(({ name_key }) => name_key),
      names.map(nameKey),
    );
    const { rows: routes } = await sql(db, 'select name_key from mirror_routes order by name_key');
    assert.deepEqual(
      routes.map(({ name_key }) => name_key),
      ['ada', 'bob'],
    );
  });
});

describe('replicas on one PostgreSQL', { skip: postgresMissing }, () => {
  const opened: Database[] = [];
  const connect = async (databaseUrl: string): Promise<Database> => {
    const database = await openDatabase({ databaseUrl });
    opened.push(database);
    return database;
  };
  after(async () => {
    for (const database of opened) await database.close();
  });

  it('bring an empty schema up to date once, however many start together', async () => {
    const url = await createTestDatabase();
    const replicas = await Promise.all([connect(url), connect(url), connect(url)]);
    const made = await Promise.all(replicas.map((replica) => migrate(replica)));
    assert.equal(made.filter((names) => names.length > 0).length, 1);
    for (const replica of replicas) assert.equal(await isMigrated(replica), true);
  });

  it('do not queue behind a migration that waits for a long transaction', async () => {
    const url = await createTestDatabase(process.env['TEST_POSTGRES_TEMPLATE']);
    const [long, mine] = [await connect(url), await connect(url)];
    if (!process.env['TEST_POSTGRES_TEMPLATE']) await migrate(mine);
    const tx = await long.knex.transaction();
    await sql(tx, 'select count(*) from resources');
    const migrating = migrate(mine, nextRelease(EXPAND, ADD));
    const waits = `select 1 from pg_locks where mode = 'AccessExclusiveLock' and not granted
      and relation = 'resources'::regclass and database = (select oid from pg_database where datname = current_database())`;
    while ((await sql(long.knex, waits)).rows.length === 0);
    // It stands in the queue before us, and steps back.
    assert.equal((await sql(long.knex, 'select count(*)::int as n from resources')).rows[0].n, 0);
    await tx.commit();
    assert.deepEqual(await migrating, [EXPAND]);
  });

  it('of the release before go on serving while the next one migrates, and may be started again', async () => {
    const storage = await freshStorage('postgres');
    const database = await connect(storage['DATABASE_URL'] ?? '');
    await migrate(database);
    const before = await startGateway(storage);
    const make = (userName: string) =>
      before.call('POST', '/scim/v2/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName });
    const migrating = migrate(database, nextRelease(EXPAND, `${ADD}; create index on resources (nickname)`));
    const answers = await Promise.all(Array.from({ length: 20 }, (_, number) => make(`rolling${number}`)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
    await migrating;
    assert.equal((await make('after')).status, 201);
    assert.equal((await before.call('GET', '/readyz')).status, 200);
    await before.close();
    const again = await startGateway(storage);
    assert.equal((await again.call<{ totalResults: number }>('GET', '/scim/v2/Users')).body.totalResults, 21);
    await again.close();
  });
});

describe('a role that lacks rights', { skip: postgresMissing }, () => {
  const role = `sluice_without_rights_${process.pid}`;
  const opened: Database[] = [];
  let admin: Database;
  let url: string;
  const connectAs = async (options = ''): Promise<Database> => {
    const mine = Object.assign(new URL(url), { username: role, password: 'x', search: options });
    const database = await openDatabase({ databaseUrl: mine.href });
    opened.push(database);
    return database;
  };
  before(async () => {
    url = await createTestDatabase();
    admin = await openDatabase({ databaseUrl: url });
    await admin.knex.raw(`create role ${role} login password 'x'; revoke create on schema public from public`);
  });
  after(async () => {
    for (const database of opened) await database.close();
    await admin.knex.raw(`drop role ${role}`);
    await admin.close();
  });
  const forbidden = (why: RegExp) => (error: unknown) =>
    error instanceof ConfigError && error.reason === 'database-forbidden' && why.test(error.message);

  it('is told so at the start and by the doctor where it may make no tables', async () => {
    const database = await connectAs();
    const { pending } = await readSchemaState(database);
    assert.ok(pending.length > 0, 'everything is pending in an empty database');
    await assert.rejects(migrate(database), forbidden(/does: permission denied for schema public$/));
    assert.equal(await diagnosed(database), 'problem');
  });

  it('is told so where its search path names no schema that is there', async () => {
    const database = await connectAs(`?options=${encodeURIComponent('-c search_path=nowhere')}`);
    await assert.rejects(migrate(database), forbidden(/no schema has been selected/));
    assert.equal(await diagnosed(database), 'problem');
  });

  it('is told so where somebody else owns what was restored', async () => {
    await migrate(admin);
    const database = await connectAs();
    for (const work of [migrate, readSchemaState])
      await assert.rejects(work(database), forbidden(/does: permission denied for table \w+$/));
    const { findings } = await examineDatabase(database, readConfig({}), undefined);
    const { level, detail } = findings.find(({ area }) => area === 'Database') ?? {};
    assert.deepEqual([level, /permission denied for table/.test(detail ?? '')], ['problem', true], detail);
  });
});
