// Keeps the subscriptions of the active provider as they should be: made, renewed well before their end, made anew when
// the source has dropped them, and taken back when nobody wants them any more.
import { randomUUID } from 'node:crypto';
import { describeError } from '#core/failure.ts';
import type { ProviderKind, SubscriptionKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { repeat } from '#platform/repeat.ts';
import type { Seal } from '#platform/seal.ts';
import { hashToken, makeToken } from '#platform/token.ts';
import type { Database, Db } from '#store/database.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { type HeldLease, withLease } from '#store/leased.ts';
import { checkFence, LeaseLostError } from '#store/leases.ts';
import { listProviders, type ProviderRow } from '#store/source/settings.ts';
import { markSource } from '#store/source/source-marks.ts';
import {
  deleteSubscription,
  failSubscription,
  listSubscriptions,
  prepareSubscription,
  type SubscriptionRow,
  settleSubscription,
  wantSubscription,
} from '#store/source/subscriptions.ts';
import { openSettings } from '../provider/settings.ts';

const LEASE = 'subscriptions';
const LEASE_TTL_MS = 30_000;
const LOOK_EVERY_MS = 15_000;
/** One request to the source, with its retries. */
const REQUEST_MS = 60_000;
/** A subscription is renewed when less than this share of its life is left: about nine days of twenty-nine. */
const RENEW_SHARE = 0.3;
/** Less than the longest life, so that a clock that runs behind the source's does not ask for more. */
const LIFE_MARGIN_MS = 10 * 60_000;
/** Waits after each failure; the last one again and again. */
const RETRY_AFTER_MS = [60_000, 300_000, 1_800_000, 7_200_000] as const;

export interface SubscriptionParts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
  publicUrl(): string;
}

export interface SubscriptionKeeper {
  start(): void;
  /** Looks now instead of at the next poll. */
  wake(): void;
  /** Brings what is there and what is wanted together, unless another process does. Never throws. */
  tick(): Promise<void>;
  stop(): Promise<void>;
}

/** Why notifications cannot be, although the settings want them; undefined when they can. */
export function whyUnavailable(publicUrl: string): string | undefined {
  if (publicUrl.startsWith('https://')) return undefined;
  return 'no public URL: notifications need PUBLIC_URL with https, which Microsoft can reach';
}

/** Where a source tells what changed, and what becomes of its subscriptions. */
export function hookUrls(publicUrl: string, kind: ProviderKindName): { notification: string; lifecycle: string } {
  return { notification: `${publicUrl}/hooks/${kind}`, lifecycle: `${publicUrl}/hooks/${kind}/lifecycle` };
}

export function makeSubscriptionKeeper(parts: SubscriptionParts): SubscriptionKeeper {
  const { database, clock, log } = parts;
  const owner = randomUUID();
  const repeated = repeat(clock, LOOK_EVERY_MS, tick, true);

  async function tick(): Promise<void> {
    try {
      const { rows, wanted } = await readWanted(parts);
      if (!hasWork(rows, wanted, clock.now())) return;
      await withLease(database.knex, { name: LEASE, owner, ttlMs: LEASE_TTL_MS }, (lease, lost) =>
        bringTogether({ ...parts, lease }, AbortSignal.any([lost, repeated.stopping])),
      );
    } catch (error) {
      if (!repeated.stopping.aborted) log.error({ err: translateDatabaseError(error) }, 'subscriptions failed');
    }
  }

  return { ...repeated, tick };
}

/** How long settings that are removed wait for the source. */
const FAREWELL_MS = 10_000;

/**
 * Takes back what a provider has subscribed to whose settings are about to go: nobody can once the credential is gone. Answers
 * how many are left to end by themselves, since the source did not answer in time or refused. Throws only what the database does.
 */
export async function takeBackAll(
  { database, kinds, seal, clock }: Pick<SubscriptionParts, 'database' | 'kinds' | 'seal' | 'clock'>,
  row: ProviderRow,
): Promise<number> {
  const kind = kinds.get(row.kind);
  const all = (await listSubscriptions(database.knex)).filter(({ provider }) => provider === row.kind);
  const limit = AbortSignal.timeout(FAREWELL_MS);
  let left = all.filter(({ expires_at: end }) => end !== null && end > clock.now());
  for (const { id, remote_id: remoteId } of all)
    try {
      if (kind?.subscriptions === undefined || remoteId === null) continue;
      await kind.subscriptions.remove(openSettings(kind, row, seal), remoteId, limit);
      left = left.filter((one) => one.id !== id);
    } catch {
      // It ends by itself within days; the settings go all the same.
      break;
    }
  for (const { id } of all) await deleteSubscription(database.knex, id);
  return left.length;
}

interface Situation {
  readonly providers: readonly ProviderRow[];
  readonly wanted: readonly Wanted[];
  readonly rows: readonly SubscriptionRow[];
}

async function readWanted(parts: SubscriptionParts): Promise<Situation> {
  const { knex } = parts.database;
  const providers = await listProviders(knex);
  const wanted = providers.flatMap((row) => wantedBy(parts, row) ?? []);
  return { providers, wanted, rows: await listSubscriptions(knex) };
}

interface Wanted {
  readonly provider: ProviderKindName;
  readonly resource: string;
  readonly url: string;
}

/** What the settings of an active provider want, where it can be had. */
function wantedBy({ kinds, seal, publicUrl, log }: SubscriptionParts, row: ProviderRow): Wanted[] | undefined {
  const kind = kinds.get(row.kind);
  const url = publicUrl();
  if (!row.active || kind?.subscriptions === undefined || whyUnavailable(url) !== undefined) return undefined;
  try {
    const { subscriptions } = kind;
    if (!subscriptions.wanted(openSettings(kind, row, seal))) return undefined;
    const { notification } = hookUrls(url, row.kind);
    return subscriptions.resources.map((resource) => ({ provider: row.kind, resource, url: notification }));
  } catch (error) {
    log.warn({ err: error, provider: row.kind }, 'settings cannot be opened');
    return undefined;
  }
}

function isWanted(row: SubscriptionRow, wanted: readonly Wanted[]): boolean {
  return wanted.some(
    ({ provider, resource, url }) =>
      row.provider === provider && row.resource === resource && row.notification_url === url,
  );
}

/** Whether a subscription that is wanted needs the source to be asked. */
function isDue(row: SubscriptionRow, now: Date): boolean {
  if (row.attempt_at > now) return false;
  if (row.remote_id === null || row.expires_at === null || row.renew_now) return true;
  const life = row.expires_at.getTime() - (row.settled_at ?? row.created_at).getTime();
  return row.expires_at.getTime() - now.getTime() < life * RENEW_SHARE;
}

function hasWork(rows: readonly SubscriptionRow[], wanted: readonly Wanted[], now: Date): boolean {
  if (rows.some((row) => (isWanted(row, wanted) ? isDue(row, now) : row.attempt_at <= now))) return true;
  return wanted.some(
    ({ provider, resource }) => !rows.some((row) => row.provider === provider && row.resource === resource),
  );
}

interface Keeping extends SubscriptionParts {
  readonly lease: HeldLease;
}

/** A transaction that begins with the check that this process still holds the lease. */
function write<T>({ database, lease }: Keeping, work: (tx: Db) => Promise<T>): Promise<T> {
  return database.knex.transaction(async (tx) => {
    await checkFence(tx, lease);
    return work(tx);
  });
}

/** What is wanted is read under the lease: while this process waited for it the settings may have changed. */
async function bringTogether(parts: Keeping, signal: AbortSignal): Promise<void> {
  const { providers, wanted, rows } = await readWanted(parts);
  for (const row of rows)
    if (!isWanted(row, wanted) && row.attempt_at <= parts.clock.now())
      await attempt(parts, providers, row, (source) => takeBack(parts, source, row, signal));
  for (const { provider, resource, url } of wanted)
    await write(parts, (tx) => wantSubscription(tx, provider, resource, url));
  for (const row of await listSubscriptions(parts.database.knex))
    if (isWanted(row, wanted) && isDue(row, parts.clock.now()))
      await attempt(parts, providers, row, (source) => makeOrRenew(parts, source, row, signal));
}

/** A provider whose source is asked. */
interface Source {
  readonly subscriptions: SubscriptionKind;
  readonly settings: unknown;
}

/** Each subscription for itself: one that fails keeps no other from being looked after. */
async function attempt(
  parts: Keeping,
  providers: readonly ProviderRow[],
  row: SubscriptionRow,
  work: (source: Source) => Promise<void>,
): Promise<void> {
  const { kinds, seal, log } = parts;
  const kind = kinds.get(row.provider);
  const settings = providers.find((provider) => provider.kind === row.provider);
  try {
    if (kind?.subscriptions === undefined || settings === undefined)
      await write(parts, (tx) => deleteSubscription(tx, row.id));
    else await work({ subscriptions: kind.subscriptions, settings: openSettings(kind, settings, seal) });
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    const waitMs = RETRY_AFTER_MS[Math.min(row.attempts, RETRY_AFTER_MS.length - 1)] ?? 0;
    log.warn({ err: error, provider: row.provider, resource: row.resource }, 'subscription failed');
    const failure = { error: describeError(translateDatabaseError(error)), waitMs };
    await write(parts, (tx) => failSubscription(tx, row.id, failure));
  }
}

function bounded(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]);
}

/** What has run out, or was never made, is nothing to take back. */
async function takeBack(
  parts: Keeping,
  { subscriptions, settings }: Source,
  row: SubscriptionRow,
  signal: AbortSignal,
): Promise<void> {
  const over = row.expires_at === null || row.expires_at <= parts.clock.now();
  await parts.lease.confirm();
  if (row.remote_id !== null && !over) await subscriptions.remove(settings, row.remote_id, bounded(signal));
  await write(parts, (tx) => deleteSubscription(tx, row.id));
  parts.log.info({ provider: row.provider, resource: row.resource }, 'subscription removed');
}

async function makeOrRenew(
  parts: Keeping,
  { subscriptions, settings }: Source,
  row: SubscriptionRow,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, lease } = parts;
  const expiresAt = new Date(clock.now().getTime() + subscriptions.lifeMsMax - LIFE_MARGIN_MS);
  if (row.remote_id !== null) {
    await lease.confirm();
    const renewed = await subscriptions.renew(settings, row.remote_id, expiresAt, bounded(signal));
    if (renewed !== undefined) return write(parts, (tx) => settleSubscription(tx, row.id, renewed));
  }
  const secret = makeToken();
  await write(parts, (tx) => prepareSubscription(tx, row.id, hashToken(secret)));
  const { notification: notificationUrl, lifecycle: lifecycleUrl } = hookUrls(parts.publicUrl(), row.provider);
  const request = { resource: row.resource, notificationUrl, lifecycleUrl, secret, expiresAt };
  await lease.confirm();
  const made = await subscriptions.create(settings, request, bounded(signal));
  await write(parts, async (tx) => {
    await settleSubscription(tx, row.id, made);
    // Nobody told us of what changed before, or in this moment.
    await markSource(tx, row.provider);
  });
  log.info({ provider: row.provider, resource: row.resource }, 'subscription made');
}
