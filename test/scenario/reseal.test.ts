// SECRET_KEY is changed while a gateway runs: nothing stays sealed with the old key, and nothing else changes.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ConfigError } from '#core/errors.ts';
import { makeTenant } from '#demo/tenant.ts';
import { makeSeal } from '#platform/seal.ts';
import { openDatabase, sql } from '#store/database.ts';
import { CANARIES, type Places, plantCanaries } from '../support/canaries.ts';
import { ended, startFile } from '../support/child.ts';
import { type DatabaseKind, postgresMissing } from '../support/database.ts';
import { dumpDatabase } from '../support/dump.ts';
import {
  expectStatus,
  freshStorage,
  SECRET_KEY as OLD,
  settingsFor,
  startGateway,
  startTenant,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';

const NEW = Buffer.alloc(32, 8).toString('base64');
/** An app of its own for each; nobody needs to answer. */
const NOWHERE = 'http://127.0.0.1:1';
const idOf = (key: string): string => makeSeal(key).seal('').split('.')[1] ?? '';

interface Done {
  readonly resealed: number;
  readonly current: number;
  readonly unopened: readonly object[];
}

interface Jwks {
  readonly keys: readonly { readonly kid: string }[];
}

interface ShownApp {
  readonly id: string;
  readonly name: string;
  readonly webhook: { readonly keys: readonly object[] } | null;
  readonly events: { readonly delivery: { readonly authorizationSet: boolean } } | null;
}

function placesOf(microsoft365: Record<string, unknown>): Places {
  return {
    microsoft365,
    ...{ report: NOWHERE, csv: NOWHERE, webhook: NOWHERE, sets: NOWHERE, mailPort: 1 },
    ...{ bearer: `${NOWHERE}/a`, basic: `${NOWHERE}/b`, oauth: `${NOWHERE}/c` },
  };
}

async function readKeys({ base }: TestGateway): Promise<Jwks> {
  return (await (await fetch(`${base}/.well-known/jwks.json`)).json()) as Jwks;
}

/** Everything that no key opens is shown as not there, and whoever enters it again is let. */
async function enterAgain(api: TestGateway, settings: Record<string, unknown>): Promise<void> {
  const read = async <Body>(path: string): Promise<Body> =>
    (await expectStatus(api.call<Body>('GET', `/api/v1${path}`), 200)).body;
  for (const path of ['/providers/microsoft365', '/providers/microsoft365/draft', '/providers/ldap', '/notifications'])
    assert.deepEqual((await read<{ secretsSet: string[] }>(path)).secretsSet, [], path);
  const { items } = await read<{ items: ShownApp[] }>('/apps');
  for (const { webhook, events } of items)
    assert.deepEqual([webhook?.keys ?? [], events?.delivery.authorizationSet ?? false], [[], false]);
  assert.equal((await readKeys(api)).keys.length, 1, 'tokens that were signed can be checked as before');
  await plantCanaries(api, placesOf(settings), new Map(items.map(({ name, id }) => [name, id])));
}

for (const kind of ['embedded', 'postgres'] as const satisfies DatabaseKind[])
  describe(`sealing anew (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    it('reaches every place, while everything goes on, and leaves the old key useless', async () => {
      const tenant = makeTenant({ users: 30, groups: 3, membersPerGroup: 3 });
      const graph = await startTenant(tenant, { application: { secret: CANARIES.graphSecret } });
      const storage: Record<string, string> = { ...(await freshStorage(kind)), ALLOW_LOOPBACK_WEBHOOKS: 'true' };
      const dump = async (): Promise<string> => {
        const database = await openDatabase({
          databaseUrl: storage['DATABASE_URL'],
          dataDir: storage['DATA_DIR'],
        });
        return dumpDatabase(database).finally(() => database.close());
      };
      const with_ = async (keys: Record<string, string>, work: (api: TestGateway) => Promise<void>): Promise<void> => {
        const api = await startGateway({ ...storage, ...keys });
        await work(api).finally(() => api.close());
      };
      const settings = settingsFor(tenant, graph);
      let publicKeys: Jwks = { keys: [] };

      try {
        await with_({ SECRET_KEY: OLD }, async (api) => {
          await plantCanaries(api, placesOf(settings));
          publicKeys = await readKeys(api);
        });
        const before = (await dump()).split(`v1.${idOf(OLD)}.`).length - 1;
        assert.equal(before, 12, 'every sealed place holds something: a new kind of place belongs into plantCanaries');

        await with_({ SECRET_KEY: NEW, SECRET_KEYS_ACCEPTED: OLD }, async (api) => {
          const version = async (): Promise<unknown> =>
            (await api.call<{ configVersion: number }>('GET', '/api/v1/providers/microsoft365')).body.configVersion;
          const was = await version();
          const ask = async (): Promise<Done> => {
            const { status, body } = await api.call<Done>('POST', '/api/v1/secrets/reseal');
            assert.deepEqual([status, problemsOf('POST', '/secrets/reseal', status, body)], [200, []]);
            return body;
          };
          if (kind === 'postgres') {
            const environment = { ...storage, SECRET_KEY: NEW, SECRET_KEYS_ACCEPTED: OLD };
            const { code, out, err } = await ended(startFile('src/store/reseal-command.ts', environment));
            assert.deepEqual([code, err], [0, '']);
            assert.match(out, new RegExp(`Sealed anew: ${before}\\. Already sealed with SECRET_KEY: 0`));
          } else {
            const { code, err } = await ended(
              startFile('src/store/reseal-command.ts', { ...storage, SECRET_KEY: NEW }),
            );
            assert.equal(code, 1);
            assert.match(err, /POST \/api\/v1\/secrets\/reseal/);
            const mistyped = join(String(storage['DATA_DIR']), 'mistyped');
            const environment = { ...storage, SECRET_KEY: NEW, DATA_DIR: mistyped };
            const nowhere = await ended(startFile('src/store/reseal-command.ts', environment));
            assert.deepEqual([nowhere.code, existsSync(mistyped)], [1, false]);
            assert.match(nowhere.err, /no embedded database in .*mistyped/);
            assert.deepEqual(await ask(), { resealed: before, current: 0, unopened: [] });
          }
          assert.deepEqual(await ask(), { resealed: 0, current: before, unopened: [] });
          assert.equal(await version(), was, 'no plan or mirror goes stale because of it');
          const { body } = await api.call<{ items: { action: string }[] }>('GET', '/api/v1/audit');
          assert.equal(body.items.filter(({ action }) => action === 'secrets.reseal').length, 1);
        });
        assert.ok(!(await dump()).includes(`v1.${idOf(OLD)}.`));

        await with_({ SECRET_KEY: NEW }, async (api) => {
          const activated = await api.call<{ lastRun: { id: string } }>(
            'POST',
            '/api/v1/providers/microsoft365/activate',
            {},
          );
          assert.equal((await untilOver(api, activated.body.lastRun.id)).status, 'succeeded');
          assert.equal((await api.call('GET', '/api/v1/notifications')).status, 200);
          assert.equal((await api.call('GET', '/api/v1/apps')).status, 200);
        });
        // As a release left it that noted no key.
        const database = await openDatabase({ databaseUrl: storage['DATABASE_URL'], dataDir: storage['DATA_DIR'] });
        await sql(database.knex, `delete from settings where name = 'secret-key'`).finally(() => database.close());
        const refusesOld = (): Promise<void> =>
          assert.rejects(
            startGateway({ ...storage, SECRET_KEY: OLD }),
            (error) => error instanceof ConfigError && error.reason === 'secret-key-wrong',
          );
        await refusesOld();
        await with_({ SECRET_KEY: NEW }, async () => undefined);
        const sealed = async (): Promise<string[]> => (await dump()).match(/v1\.[\w-]{8}\.[\w.-]+/g)?.sort() ?? [];
        const whole = await sealed();
        await refusesOld();
        const command = (...more: string[]) =>
          ended(startFile('src/store/reseal-command.ts', { ...storage, SECRET_KEY: OLD }, more));
        const tried = await command();
        assert.deepEqual([tried.code, tried.err.match(/No key opens/g)?.length], [1, before]);
        assert.deepEqual(await sealed(), whole, 'nothing is lost by trying with the wrong key');

        // The key is lost: a new one is let in, and what was sealed stays closed.
        const lost = await command('--key-lost');
        assert.deepEqual([lost.code, lost.err.match(/No key opens/g)?.length], [1, before - 1]);
        await with_({ SECRET_KEY: OLD }, async (api) => {
          const { body } = await api.call<Done>('POST', '/api/v1/secrets/reseal');
          assert.deepEqual([body.current, body.unopened.length], [1, before - 1]);
          await enterAgain(api, settings);
          const again = await api.call<Done>('POST', '/api/v1/secrets/reseal');
          const signingKey = [{ place: 'signing_keys.sealed', key: publicKeys.keys[0]?.kid }];
          assert.deepEqual([again.body.current, again.body.unopened], [before - 1, signingKey]);
        });
      } finally {
        await graph.close();
      }
    });
  });
