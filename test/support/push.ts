// A target beside a directory, driven turn by turn, without the rest of the gateway.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach } from 'node:test';
import type { AppScope } from '#core/scope.ts';
import { splitSecrets } from '#core/secrets.ts';
import { kindOf } from '#outbound/push/open-target.ts';
import { type Cut, makePump, type Pump } from '#outbound/push/pump.ts';
import { type Clock, systemClock } from '#platform/clock.ts';
import { makeLog } from '#platform/log.ts';
import { makeSeal } from '#platform/seal.ts';
import { makeProjection } from '#scim/projection.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { viewOf } from '#scim/view.ts';
import { insertApp } from '#store/access/apps.ts';
import { type Database, sql } from '#store/database.ts';
import { makeResourceReader } from '#store/directory/resource-reader.ts';
import { makeServedGroups } from '#store/directory/served-groups.ts';
import { takeLease } from '#store/leases.ts';
import type { ScopeOf } from '#store/target/deliveries.ts';
import { saveTarget } from '#store/target/targets.ts';
import { createResource, deleteResource, type EditParts, patchResource } from '#sync/edits.ts';
import { targetKinds } from '#targets/index.ts';
import { type ScimAppServer, startScimApp } from './scim-app-server.ts';

export const scopeOf = (scope: AppScope | null): ScopeOf => {
  const { visible } = viewOf(scope);
  return (type, of) => visible?.condition(type, of);
};

export const cutOf =
  (scope: AppScope | null): Cut =>
  (type, document) => {
    const projection = makeProjection(viewOf(scope), type, {});
    return projection.whole ? document : projection.apply(document);
  };

const SEAL = makeSeal(Buffer.alloc(32, 7).toString('base64'));
const ACTOR = 'token:test';

export interface PushTest {
  readonly appId: string;
  readonly pump: Pump;
  /** Turns until nothing is left to do now; waits for what is due within `withinMs`. */
  settle(withinMs?: number): Promise<void>;
  close(): Promise<void>;
}

export interface PushOptions {
  readonly scope?: AppScope | null;
  readonly clock?: Clock;
  readonly name?: string;
  random?(): number;
}

export interface PushScene {
  readonly database: Database;
  readonly edit: Editor;
  /** Who is pushed to. */
  readonly app: ScimAppServer;
}

/**
 * A directory, and an app that it is pushed to, anew before each test of the suite; after it nothing is pushed any more,
 * and the app has seen no violation of the protocol. Answers how a push to that app is started.
 */
export function eachPush(
  open: () => Promise<Database>,
  begin: (scene: PushScene) => void,
  token?: string,
): (push?: Record<string, unknown>, options?: PushOptions) => Promise<PushTest> {
  const running: PushTest[] = [];
  let scene: PushScene | undefined;
  beforeEach(async () => {
    const database = await open();
    const app = await startScimApp(token === undefined ? {} : { token });
    scene = { database, edit: makeEditor(database), app };
    begin(scene);
  });
  afterEach(async () => {
    for (const push of running.splice(0)) await push.close();
    await scene?.app.close();
    assert.deepEqual(scene?.app.violations, []);
  });
  return async (push = {}, options = {}) => {
    if (scene === undefined) throw new Error('no test is running');
    const auth = token === undefined ? { kind: 'none' } : { kind: 'bearer', token };
    const started = await startPush(scene.database, { baseUrl: scene.app.url, auth, ...push }, options);
    running.push(started);
    return started;
  };
}

/** An app with a push target, and its pump. */
export async function startPush(
  database: Database,
  push: Record<string, unknown>,
  { scope = null, clock = systemClock, name = 'app', random }: PushOptions = {},
): Promise<PushTest> {
  const db = database.knex;
  const kinds = targetKinds({ clock, outgoing: { allowLoopback: true } });
  const kind = kindOf(kinds, { kind: 'scim' });
  const { settings, secrets } = splitSecrets(kind.parseSettings(push), kind.secretPaths);
  const app = await insertApp(db, { name, scope });
  await saveTarget(db, { appId: app.id, push: settings, secrets: SEAL.seal(JSON.stringify(secrets)) });
  const stopping = new AbortController();
  const lease = await takeLease(db, `target:${app.id}`, randomUUID(), 600_000);
  if (lease === undefined) throw new Error('no lease');
  const parts = {
    database,
    kinds,
    seal: SEAL,
    clock,
    log: makeLog(process.env['TEST_LOG'] ?? 'silent'),
    scopeOf,
    cutOf,
    ...(random && { random }),
  };
  const pump = makePump(parts, app.id, { ...lease, confirm: async () => undefined }, stopping.signal);
  return {
    appId: app.id,
    pump,
    async settle(withinMs = 5_000) {
      const until = performance.now() + 480_000;
      for (let quiet = 0; quiet < 2; ) {
        if (performance.now() > until) throw new Error('the target does not settle');
        const idle = await pump.turn();
        const { rows } = await sql(
          db,
          `select count(*) filter (where state in ('pending', 'sending') and ready_at <= now() + make_interval(secs => ?))::int as open,
             (select state = 'active' and (rest_until > now() or backfill is not null or place_xid is null or exists (
               select 1 from changes c where (c.xid, c.seq) > (place_xid, place_seq)))
              from targets where app_id = ?) as busy
           from deliveries where app_id = ?`,
          [withinMs / 1_000, app.id, app.id],
        );
        quiet = idle > 0 && rows[0].open === 0 && rows[0].busy !== true ? quiet + 1 : 0;
        if (idle > 0 && quiet === 0) await clock.sleep(Math.min(idle, 50));
      }
    },
    async close() {
      stopping.abort();
      await pump.close();
    },
  };
}

/** Waits for transactions of others in the cluster, which hold the journal back. */
export async function journalIsWhole(database: Database): Promise<void> {
  for (;;) {
    const text = 'select coalesce(max(xid) < pg_snapshot_xmin(pg_current_snapshot()), true) as whole from changes';
    const { rows } = await database.query<{ whole: boolean }>({ text });
    if (rows[0]?.whole === true) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Writes to a directory as a SCIM client would. */
export function makeEditor(database: Database) {
  const parts: EditParts = {
    database,
    reader: makeResourceReader(database, makeServedGroups(database, makeLog('silent'))),
    schemas: RESOURCE_SCHEMAS,
  };
  const replace = (path: string, value: unknown) => ({ op: 'replace' as const, path, value, tolerant: true });
  return {
    async user(userName: string, more: Record<string, unknown> = {}): Promise<string> {
      const document = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName, active: true, ...more };
      return (await createResource(parts, { type: 'User', actor: ACTOR }, { document, members: [] })).id;
    },
    async group(displayName: string, members: readonly string[] = []): Promise<string> {
      const document = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName };
      return (await createResource(parts, { type: 'Group', actor: ACTOR }, { document, members })).id;
    },
    async change(type: 'User' | 'Group', id: string, path: string, value: unknown): Promise<void> {
      const operation = value === null ? { op: 'remove' as const, path, tolerant: true } : replace(path, value);
      await patchResource(parts, { type, actor: ACTOR, id }, [operation]);
    },
    async addMember(group: string, member: string): Promise<void> {
      await patchResource(parts, { type: 'Group', actor: ACTOR, id: group }, [
        { op: 'add', path: 'members', value: [{ value: member }], tolerant: true },
      ]);
    },
    async removeMember(group: string, member: string): Promise<void> {
      await patchResource(parts, { type: 'Group', actor: ACTOR, id: group }, [
        { op: 'remove', path: `members[value eq "${member}"]`, tolerant: true },
      ]);
    },
    async remove(type: 'User' | 'Group', id: string): Promise<void> {
      await deleteResource(parts, { type, actor: ACTOR, id });
    },
  };
}

export type Editor = ReturnType<typeof makeEditor>;
