// The composition root: makes each thing once, from the bottom up, and hands it on. Nothing here decides anything.
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import { makeLongWork } from '#admin/long-work.ts';
import type { AdminParts } from '#admin/parts.ts';
import { adminRouter } from '#admin/router.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import { createApp, type Readiness } from '#http/app.ts';
import { makeAuthenticator } from '#http/auth.ts';
import { makeEventStreams } from '#http/event-streams.ts';
import { hookRouter } from '#http/hooks.ts';
import { makeMetrics } from '#http/metrics.ts';
import { makeOidc } from '#http/oidc.ts';
import { consoleFiles } from '#http/static.ts';
import { makeDispatcher } from '#outbound/dispatch.ts';
import { makeEventWorker } from '#outbound/event/event-worker.ts';
import { makeSetPolling } from '#outbound/event/poll-sets.ts';
import { makeSetSigner } from '#outbound/event/set-signer.ts';
import { makeNotifier } from '#outbound/message/notify.ts';
import type { Cut } from '#outbound/push/pump.ts';
import { sealPushSettings } from '#outbound/seal-settings.ts';
import { systemClock } from '#platform/clock.ts';
import { type Config, VERSION } from '#platform/config.ts';
import { makeSecretKey, readKeyFile, writeKeyFile } from '#platform/key-file.ts';
import type { Log } from '#platform/log.ts';
import { makeSeal } from '#platform/seal.ts';
import { hashToken, makeToken, tokenHint } from '#platform/token.ts';
import { providerKinds } from '#providers/index.ts';
import { makeCursors } from '#scim/cursor.ts';
import { eventViewOf } from '#scim/event-view.ts';
import { fastReads } from '#scim/fast.ts';
import type { ScimParts } from '#scim/parts.ts';
import { makePlaces } from '#scim/places.ts';
import { makeProjection } from '#scim/projection.ts';
import { scimRouter } from '#scim/router.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { viewOf } from '#scim/view.ts';
import { holdKey } from '#store/access/key-check.ts';
import { findSession, touchSession } from '#store/access/sessions.ts';
import { findToken, makeFirstToken, replaceBootstrapToken, touchToken } from '#store/access/tokens.ts';
import { type Database, openDatabase } from '#store/database.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { makeCounts } from '#store/directory/counts.ts';
import { makeResourceReader } from '#store/directory/resource-reader.ts';
import { makeServedGroups, type ServedGroups } from '#store/directory/served-groups.ts';
import { checkStorage } from '#store/readiness.ts';
import { migrate } from '#store/schema/migrate.ts';
import { migrateOnline } from '#store/schema/online-migrations.ts';
import { uploadsOf } from '#store/source/uploads.ts';
import type { ScopeOf } from '#store/target/deliveries.ts';
import { readFigures } from '#store/views/metrics.ts';
import { makeAuditSealer } from '#sync/audit-sealer.ts';
import { makeSyncService } from '#sync/decide.ts';
import { makeSwitchService } from '#sync/provider/switch-service.ts';
import { makeNoteWrite } from '#sync/push/push-source.ts';
import { makeRetention } from '#sync/retention.ts';
import { makeSchedule } from '#sync/schedule.ts';
import { makeMarkFollower } from '#sync/watch/follow-marks.ts';
import { receiveNotifications } from '#sync/watch/hooks.ts';
import { makeSubscriptionKeeper } from '#sync/watch/subscriptions.ts';
import { makeConnectionWatch } from '#sync/watch/watch-connections.ts';
import { makeHappeningsWatcher } from '#sync/watch/watch-happenings.ts';
import { makeRunWatcher } from '#sync/watch/watch-runs.ts';
import { makeSourceWatcher } from '#sync/watch/watch-source.ts';
import { startWorker } from '#sync/worker.ts';
import { targetKinds } from '#targets/index.ts';
import { makeDoctor } from './doctor/serve.ts';

export interface Gateway {
  readonly app: RequestListener;
  /** The bootstrap admin token, when this start generated it: the only time it can be shown. */
  readonly adminToken: string | undefined;
  /**
   * From now on it is not ready, and streams to browsers end. Resolves when the background work has stopped, between two
   * pages or chunks, and given its leases back. Requests are still answered.
   */
  stop(): Promise<void>;
  /** Stops, then closes the database. */
  close(): Promise<void>;
}

/**
 * Opens the database, brings its schema up to date, and puts the gateway together.
 * @param publicUrl the base of every URL handed out; asked for on each request, since the port may be known late
 * @throws {ConfigError} `secret-key-wrong`, and what `openDatabase` and `migrate` throw, as they throw UnavailableError
 */
export async function compose(config: Config, log: Log, publicUrl: () => string): Promise<Gateway> {
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR, log });
  try {
    await migrate(database);
    const secretKey = await needSecretKey(config, database);
    return await assemble(config, log, publicUrl, { database, secretKey });
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Stored {
  readonly database: Database;
  readonly secretKey: string;
}

async function assemble(config: Config, log: Log, publicUrl: () => string, stored: Stored): Promise<Gateway> {
  const { database } = stored;
  const ground = layGround(config, log, publicUrl, stored);
  await sealPushSettings(database.knex, ground.targets, ground.seal);
  const { worker, sync, ...work } = makeWork(ground);
  if (ground.works) {
    for (const each of Object.values(work)) each.start();
    void migrateOnline(database).catch((error: unknown) => log.error({ err: error }, 'online migration failed'));
  }
  const groups = makeServedGroups(database, log);
  const admin = adminPartsOf(ground, { worker, sync, ...work }, groups);
  const polling = makeSetPolling({
    db: database.knex,
    clock: ground.clock,
    signer: ground.signer,
    viewOf: eventViewOf,
  });
  const scim = { ...scimPartsOf(ground, worker, groups), securityEvents: polling };
  const onLifecycle = work.subscriptions.wake;
  const hooks = hookRouter({
    isKnown: (kind) => ground.kinds.get(kind)?.subscriptions !== undefined,
    receive: (kind, notifications) => receiveNotifications({ database, log, onLifecycle }, kind, notifications),
  });
  const edges =
    config.ROLE === 'worker'
      ? undefined
      : { admin: adminRouter(admin), scim: scimRouter(scim), hooks, fast: fastReads(scim) };
  let stopping: Promise<unknown> | undefined;
  const app = createApp({
    edges,
    pages: consoleFiles(fileURLToPath(new URL('../dist/console', import.meta.url))),
    trustedProxies: config.TRUSTED_PROXIES,
    isSecure: admin.sessions.isSecure,
    log,
    readiness: () => readinessOf(database, stopping !== undefined),
    metrics: ground.metrics,
    translate: translateDatabaseError,
  });
  const background = [...Object.values(work), worker, admin.watcher, admin.happenings, polling];
  const stop = async (): Promise<void> => {
    stopping ??= Promise.all(background.map((each) => each?.stop()));
    await stopping;
  };
  return {
    app,
    adminToken: await ensureAdminToken(database, config),
    stop,
    async close() {
      await stop();
      await groups.stop();
      await database.close();
    },
  };
}

type Ground = ReturnType<typeof layGround>;

/** What everything else stands on, and the kinds at both ends. */
function layGround(config: Config, log: Log, publicUrl: () => string, { database, secretKey }: Stored) {
  const clock = systemClock;
  const schemas = RESOURCE_SCHEMAS;
  const outgoing = { allowLoopback: config.ALLOW_LOOPBACK_WEBHOOKS === 'true' };
  const seal = makeSeal(secretKey, config.SECRET_KEYS_ACCEPTED);
  const counts = makeCounts(database);
  const metrics = makeMetrics({
    build: { version: VERSION, role: config.ROLE, database: database.kind },
    figures: () => readFigures(database, counts),
    pool: () => database.pool(),
  });
  const kinds = providerKinds({
    clock,
    schemas,
    outgoing,
    onRequest: metrics.sourceRequest,
    uploads: uploadsOf(database.knex, 'csv'),
    inboundDir: config.INBOUND_DIR ?? join(config.DATA_DIR, 'inbound'),
  });
  const now = (): number => clock.now().getTime();
  const authenticator = makeAuthenticator({
    find: (hash) => findToken(database.knex, hash),
    touch: (id) => touchToken(database.knex, id),
    now,
    elapsed: clock.elapsed,
  });
  return {
    ...{ config, log, publicUrl, database, clock, now, schemas, outgoing, seal, counts, metrics, kinds, authenticator },
    titleOf: (kind: ProviderKindName): string => kinds.get(kind)?.title ?? kind,
    targets: targetKinds({ clock, outgoing }),
    signer: makeSetSigner(database.knex, seal),
    works: config.ROLE !== 'api',
    doctor: makeDoctor(config, database, secretKey),
  };
}

type Work = ReturnType<typeof makeWork>;

/** What goes on without being asked; all of it can be stopped. */
function makeWork(ground: Ground) {
  const { database, kinds, seal, schemas, clock, log, publicUrl, outgoing: policy, titleOf, signer, metrics } = ground;
  const notifier = makeNotifier({ database, seal, clock, log, policy, publicUrl, titleOf });
  const worker = ground.works
    ? startWorker({ database, kinds, seal, schemas, log, clock, onRunEnd: notifier.wake })
    : undefined;
  const sync = makeSyncService({ database, worker });
  const sending = { database, seal, signer, clock, log, publicUrl, policy, random: Math.random };
  return {
    worker,
    sync,
    sources: makeSourceWatcher({ database, kinds, seal, clock, log }),
    schedule: makeSchedule({ database, sync, clock, log }),
    marks: makeMarkFollower({ database, kinds, seal, sync, clock, log }),
    subscriptions: makeSubscriptionKeeper({ database, kinds, seal, clock, log, publicUrl }),
    dispatcher: makeDispatcher({ database, kinds: ground.targets, seal, clock, log, scopeOf, cutOf, metrics }),
    events: makeEventWorker({ ...sending, viewOf: eventViewOf, onDisabled: async () => notifier.wake() }),
    notifier,
    retention: makeRetention({ database, clock, log }),
    connections: makeConnectionWatch({ database, kinds, seal, clock, log }),
    sealer: makeAuditSealer({ db: database.knex, clock, log }),
  };
}

function adminPartsOf(ground: Ground, work: Work, groups: ServedGroups): AdminParts {
  const { config, database, clock, seal, now, publicUrl, works } = ground;
  const { worker, sync, schedule, notifier, subscriptions, dispatcher, events } = work;
  return {
    database,
    kinds: ground.kinds,
    seal,
    reader: makeResourceReader(database, groups),
    schemas: ground.schemas,
    sync,
    switching: makeSwitchService({ database, worker, sync, clock }),
    wakeSync: () => worker?.wake(),
    schedule,
    watcher: makeRunWatcher({ db: database.knex, clock }),
    happenings: makeHappeningsWatcher({ db: database.knex, clock }),
    eventStreams: makeEventStreams(clock),
    longWork: makeLongWork(),
    authenticator: ground.authenticator,
    sessions: {
      find: (hash) => findSession(database.knex, hash),
      touch: (id) => touchSession(database.knex, id),
      now,
      isSecure: () => publicUrl().startsWith('https:'),
    },
    oidc: makeOidc(config, { seal, publicUrl, now }),
    clock,
    openapi: parseYaml(readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8')),
    publicUrl,
    checkScope: viewOf,
    notifier: works ? notifier : undefined,
    subscriptions: works ? subscriptions : undefined,
    outgoing: ground.outgoing,
    targetKinds: ground.targets,
    scopeOf,
    cutOf,
    dispatcher: works ? dispatcher : undefined,
    events: works ? events : undefined,
    eventViewOf,
    signer: ground.signer,
    doctor: ground.doctor,
  };
}

function scimPartsOf(ground: Ground, worker: Work['worker'], groups: ServedGroups): ScimParts {
  const { database, clock, seal, now, log } = ground;
  const reader = makeResourceReader(database, groups);
  return {
    database,
    reader,
    groups,
    counts: ground.counts,
    cursors: makeCursors(seal, now),
    places: makePlaces(clock.elapsed),
    authenticator: ground.authenticator,
    publicUrl: ground.publicUrl,
    push: {
      database,
      reader,
      schemas: ground.schemas,
      kind: needKind(ground.kinds, 'scim'),
      seal,
      titleOf: ground.titleOf,
      wake: () => worker?.wake(),
      noteWrite: makeNoteWrite(database, now, log),
    },
  };
}

async function readinessOf(database: Database, isStopping: boolean): Promise<Readiness> {
  const life = isStopping
    ? { name: 'process', ok: false, detail: 'It is shutting down.' }
    : { name: 'process', ok: true };
  const checks = [life, ...(await checkStorage(database))];
  return { ready: checks.every(({ ok }) => ok), checks };
}

/** What a target gets is what its app may read. */
function scopeOf(scope: AppScope | null): ScopeOf {
  const { visible } = viewOf(scope);
  return (type, of) => visible?.condition(type, of);
}

function cutOf(scope: AppScope | null): Cut {
  const view = viewOf(scope);
  return (type, document) => {
    const projection = makeProjection(view, type, {});
    return projection.whole ? document : projection.apply(document);
  };
}

function needKind(kinds: ReadonlyMap<ProviderKindName, ProviderKind>, name: ProviderKindName): ProviderKind {
  const kind = kinds.get(name);
  if (kind === undefined) throw new Error(`there is no provider kind ${name}`);
  return kind;
}

/**
 * On embedded storage the key that seals credentials is made at the first start and kept beside the data: never for a
 * database that another one has sealed.
 */
async function needSecretKey(config: Config, { knex }: Database): Promise<string> {
  const given = config.SECRET_KEY ?? readKeyFile(config.DATA_DIR);
  const key = given ?? makeSecretKey();
  await holdKey(knex, makeSeal(key, config.SECRET_KEYS_ACCEPTED), () => {
    if (given === undefined) writeKeyFile(config.DATA_DIR, key);
  });
  return key;
}

/** The configured token replaces an earlier bootstrap token; without one, the first start generates it. */
async function ensureAdminToken(database: Database, { ADMIN_TOKEN }: Config): Promise<string | undefined> {
  if (ADMIN_TOKEN !== undefined) {
    await replaceBootstrapToken(database.knex, hashToken(ADMIN_TOKEN), tokenHint(ADMIN_TOKEN));
    return undefined;
  }
  const token = makeToken();
  return (await makeFirstToken(database.knex, hashToken(token), tokenHint(token))) ? token : undefined;
}
