// Streams of events on a directory that is written over SCIM: set up through the service, worked by hand.

import { after, afterEach, before, beforeEach } from 'node:test';
import type { AppScope } from '#core/scope.ts';
import { type EventWorker, makeEventWorker } from '#outbound/event/event-worker.ts';
import { makeSetPolling, type SetPolling } from '#outbound/event/poll-sets.ts';
import { makeSetSigner } from '#outbound/event/set-signer.ts';
import type { SetInput, WebhookInput } from '#outbound/event/stream-settings.ts';
import { type StreamParts, saveSets, saveWebhook } from '#outbound/event/streams.ts';
import { makeLog } from '#platform/log.ts';
import { makeSeal } from '#platform/seal.ts';
import { eventViewOf } from '#scim/event-view.ts';
import { insertApp } from '#store/access/apps.ts';
import { type Database, sql } from '#store/database.ts';
import { readStream, type StreamKind, type StreamRow } from '#store/event/event-streams.ts';
import { type DeliveryView, listDeliveries } from '#store/views/event-deliveries.ts';
import { makeClock, type TestClock } from './clock.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { type ScimServer, startScim, USER_SCHEMA } from './scim.ts';

export const PUBLIC_URL = 'https://sluice.example.com';
/** Of whoever may wait as long as they like. */
export const WAITING = { signal: new AbortController().signal, stay: async () => undefined };
const seal = makeSeal(Buffer.alloc(32, 3).toString('base64'));

export interface EventsBench {
  readonly clock: TestClock;
  readonly parts: StreamParts;
  readonly polling: SetPolling;
  readonly disabled: string[];
  /** A process that works on the streams. */
  worker(): EventWorker;
  /** Fills and sends what there is to, by one process. */
  work(): Promise<void>;
  later(hours: number): void;
  webhook(
    receiver: Receiver,
    input?: Partial<WebhookInput>,
    scope?: AppScope,
  ): Promise<{ appId: string; secret: string }>;
  sets(input: SetInput, scope?: AppScope): Promise<string>;
  stream(appId: string, kind?: StreamKind): Promise<StreamRow>;
  deliveries(appId: string, kind?: StreamKind): Promise<readonly DeliveryView[]>;
}

export function makeEventsBench(database: Database): EventsBench {
  const db = database.knex;
  const clock = makeClock(new Date().toISOString());
  const policy = { allowLoopback: true };
  const signer = makeSetSigner(db, seal);
  const parts: StreamParts = { seal, clock, policy, viewOf: eventViewOf, publicUrl: () => PUBLIC_URL };
  const disabled: string[] = [];
  let apps = 0;

  async function app(scope: AppScope | undefined): Promise<{ id: string; scope: AppScope | null }> {
    apps += 1;
    const { id } = await insertApp(db, { name: `App ${apps}`, scope: scope ?? null });
    return { id, scope: scope ?? null };
  }

  const worker = (): EventWorker =>
    makeEventWorker({
      ...parts,
      ...{ database, signer, log: makeLog('fatal'), random: () => 1 },
      onDisabled: async ({ app_id }, reason) => {
        disabled.push(`${app_id} ${reason}`);
      },
    });

  async function stream(appId: string, kind: StreamKind = 'webhook'): Promise<StreamRow> {
    const found = await readStream(db, appId, kind);
    if (found === undefined) throw new Error('there is no such stream');
    return found;
  }

  return {
    ...{ clock, parts, disabled, worker, stream },
    polling: makeSetPolling({ db, clock, signer, viewOf: eventViewOf }),
    async work() {
      await settledJournal(database);
      await worker().tick();
    },
    later(hours) {
      clock.set(new Date(clock.now().getTime() + hours * 3_600_000).toISOString());
    },
    async webhook(receiver, input = {}, scope = undefined) {
      // While another database of the server holds the log back, what was before would be told of as well.
      await settledJournal(database);
      const made = await app(scope);
      const { secret } = await db.transaction((tx) => saveWebhook(tx, parts, made, { url: receiver.url, ...input }));
      return { appId: made.id, secret: secret ?? '' };
    },
    async sets(input, scope = undefined) {
      await settledJournal(database);
      const made = await app(scope);
      await db.transaction((tx) => saveSets(tx, parts, made, input));
      return made.id;
    },
    async deliveries(appId, kind = 'webhook') {
      const { id } = await stream(appId, kind);
      return (await listDeliveries(db, id, { limit: 500 })).items;
    },
  };
}

/**
 * Until the log can be read to its end: a transaction that is open anywhere on the server, in another test's database as
 * well, holds it back.
 */
export async function settledJournal(database: Database): Promise<void> {
  for (;;) {
    const { rows } = await sql(
      database.knex,
      'select exists (select 1 from changes where xid >= pg_snapshot_xmin(pg_current_snapshot())) as waits',
    );
    if (rows[0].waits !== true) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A transaction that is open anywhere on the server holds the end of a look through everybody back. */
export async function untilWithoutLedger(bench: EventsBench, appId: string): Promise<void> {
  while ((await bench.stream(appId)).ledger) await bench.work();
}

/** No streams, and nothing in the change log: for the next test on the same database. */
export async function forgetStreams(database: Database): Promise<void> {
  await sql(database.knex, 'delete from apps where id in (select app_id from event_streams)');
}

/** What tests of streams have: a directory for all of them, and a receiver for each. */
export interface EventScene {
  readonly database: Database;
  readonly scim: ScimServer;
  readonly receiver: Receiver;
  readonly bench: EventsBench;
  /** A new active person. */
  user(more?: object): ReturnType<ScimServer['create']>;
}

/** Sets the scene before each test, and forgets its streams after it. */
export function eventScene(open: () => Promise<Database>, set: (scene: EventScene) => void): void {
  let database: Database;
  let scim: ScimServer;
  let receiver: Receiver;
  let people = 0;
  before(async () => {
    database = await open();
    scim = await startScim(database);
  });
  after(async () => scim?.close());
  beforeEach(async () => {
    receiver = await startReceiver();
    const user = (more: object = {}) => {
      people += 1;
      const bare = { schemas: [USER_SCHEMA], userName: `person${people}@example.com`, active: true };
      return scim.create('/Users', { ...bare, ...more });
    };
    set({ database, scim, receiver, bench: makeEventsBench(database), user });
  });
  afterEach(async () => {
    await receiver.close();
    await forgetStreams(database);
  });
}
