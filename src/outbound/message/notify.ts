// Tells people of runs and held plans. Level-triggered: it looks at what was not told yet, so nothing is lost with a
// process, and one row for each event and channel lets every message go out once.
import { randomUUID } from 'node:crypto';
import { RETRY_AFTER_MOST_MS } from '#core/backoff.ts';
import { nextWarning } from '#core/connect.ts';
import { ConfigError, UpstreamError } from '#core/errors.ts';
import { describeError, type RunError } from '#core/failure.ts';
import { isWorthTelling, reminderGapMs } from '#core/report.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import type { OutgoingPolicy } from '#platform/fetch.ts';
import type { Log } from '#platform/log.ts';
import { repeat } from '#platform/repeat.ts';
import type { Seal } from '#platform/seal.ts';
import type { Database, Db } from '#store/database.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { takeDisabledStreams } from '#store/event/event-streams.ts';
import {
  type Channel,
  type ClaimedNotification,
  claimNotification,
  hasNotificationWork,
  insertNotifications,
  type NewNotification,
  noteNotice,
  returnNotification,
  settleNotification,
  takeEndedRuns,
  takeNewlyHeldPlans,
  takePlansToRemind,
  type WaitingPlan,
} from '#store/event/notifications.ts';
import { type HeldLease, withLease } from '#store/leased.ts';
import { checkFence, LeaseLostError } from '#store/leases.ts';
import { noteWarned, takeEndingCredentials } from '#store/source/connections.ts';
import { takeTargetNews } from '#store/target/targets.ts';
import { gatherMessage } from './message.ts';
import { type NotificationSettings, readNotificationSettings } from './notification-settings.ts';
import { sendByEmail, sendByWebhook } from './send.ts';

const LEASE = 'notify';
const LEASE_TTL_MS = 15_000;
/** How soon what another process did is told. What was done here is told at once. */
const POLL_MS = 5_000;
/** Longer than one message can take: whoever holds a claim that long is dead. */
const CLAIM_MS = 5 * 60_000;
/** Waits after each try that failed; after the last one it is given up, some two days later. */
const RETRY_AFTER_MS = [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000] as const;
const CHANNELS = ['email', 'webhook'] as const;

export interface NotifierParts {
  readonly database: Database;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: OutgoingPolicy;
  publicUrl(): string;
  titleOf(kind: ProviderKindName): string;
}

export interface Notifier {
  start(): void;
  /** Looks now instead of at the next poll. */
  wake(): void;
  /** Tells what there is to tell, unless another process does. Never throws. */
  tick(): Promise<void>;
  /** Resolves when nothing is being sent any more. */
  stop(): Promise<void>;
}

/** Messages under way, while this process has the lease. */
interface Sending {
  readonly settings: NotificationSettings;
  readonly lease: HeldLease;
  /** The lease is lost, or the process stops. */
  readonly signal: AbortSignal;
}

export function makeNotifier(parts: NotifierParts): Notifier {
  const { database, clock, log, seal } = parts;
  const db = database.knex;
  const owner = randomUUID();
  const repeated = repeat(clock, POLL_MS, tick, true);

  async function tick(): Promise<void> {
    try {
      const settings = await readNotificationSettings(db, seal);
      const plans = channelsOf(settings).length > 0;
      if (!(await hasNotificationWork(db, clock.now(), { plans }))) return;
      await withLease(db, { name: LEASE, owner, ttlMs: LEASE_TTL_MS }, async (lease, lost) => {
        await db.transaction(async (tx) => {
          await checkFence(tx, lease);
          await gatherEvents(tx, settings, clock.now());
        });
        await sendAll({ settings, lease, signal: AbortSignal.any([lost, repeated.stopping]) });
      });
    } catch (error) {
      log.error({ err: error }, 'notifications failed');
    }
  }

  async function sendAll(sending: Sending): Promise<void> {
    while (!sending.signal.aborted) {
      const claimed = await db.transaction(async (tx) => {
        await checkFence(tx, sending.lease);
        return claimNotification(tx, clock.now(), CLAIM_MS);
      });
      if (claimed === undefined) return;
      await sendOne(sending, claimed);
    }
  }

  async function sendOne(sending: Sending, claimed: ClaimedNotification): Promise<void> {
    const facts = { notification: claimed.id, event: claimed.event, channel: claimed.channel };
    try {
      const note = await deliver(sending, claimed);
      const state = note === 'nothing to say' ? 'dropped' : 'sent';
      await settleNotification(db, claimed, { state, error: typeof note === 'string' ? null : note }, clock.now());
      log.info({ ...facts, state }, 'notification settled');
    } catch (thrown) {
      // Somebody else has it, or the process stops: no try that failed.
      if (thrown instanceof LeaseLostError || sending.signal.aborted) return returnNotification(db, claimed);
      const error = describeError(translateDatabaseError(thrown));
      const wait = RETRY_AFTER_MS[claimed.attempts - 1];
      log.warn({ ...facts, code: error.code, attempts: claimed.attempts }, 'notification failed');
      const now = clock.now();
      const asked = thrown instanceof UpstreamError ? (thrown.retryAfterMs ?? 0) : 0;
      const nextAt = new Date(now.getTime() + Math.max(wait ?? 0, Math.min(asked, RETRY_AFTER_MOST_MS)));
      await settleNotification(db, claimed, { state: wait === undefined ? 'failed' : 'pending', error, nextAt }, now);
    }
  }

  /** Answers what is worth noting about a message that went out, or that it had nothing to say any more. */
  async function deliver(
    { settings, lease, signal }: Sending,
    claimed: ClaimedNotification,
  ): Promise<RunError | null | 'nothing to say'> {
    const message = await gatherMessage(
      { db, publicUrl: parts.publicUrl(), titleOf: parts.titleOf, now: clock.now() },
      claimed,
    );
    const { email, webhook } = settings;
    if (message === undefined) return 'nothing to say';
    // A process that slept may have a claim that somebody else has taken over.
    await lease.confirm();
    if (claimed.channel === 'email' && email !== null) {
      const refused = await sendByEmail(db, email, claimed, message, signal);
      return refused.length === 0 ? null : someRefused(refused);
    }
    if (claimed.channel === 'webhook' && webhook !== null) {
      await sendByWebhook(db, webhook, claimed, message, { policy: parts.policy, at: clock.now(), signal });
      return null;
    }
    return 'nothing to say';
  }

  return { ...repeated, tick };
}

/** Makes a message of each end of a run and each held plan that was not told yet, for whoever wants to hear of it. */
async function gatherEvents(tx: Db, settings: NotificationSettings, now: Date): Promise<void> {
  const channels = channelsOf(settings);
  const messages: NewNotification[] = [];
  for (const run of await takeEndedRuns(tx, now))
    for (const channel of channels.filter((name) => isWorthTelling(settings[name]?.on ?? 'failure', run)))
      messages.push({
        key: `run.finished ${run.id} ${run.finished_at.getTime()}`,
        channel,
        event: 'run.finished',
        runId: run.id,
        planId: run.plan_id,
        number: 0,
      });
  if (channels.length > 0) {
    const held = await takeNewlyHeldPlans(tx, now);
    const reminded = await takePlansToRemind(tx, now);
    for (const plan of [...held, ...reminded]) {
      messages.push(...channels.map((channel) => waitingMessage(plan, channel)));
      await noteNotice(tx, plan.id, nextNotice(settings, plan.notices + 1, now));
    }
    messages.push(...(await gatherWarnings(tx, channels, now)));
  }
  for (const { id, disabled_at } of await takeDisabledStreams(tx, now))
    messages.push(
      ...channels.map((channel): NewNotification => {
        const key = `stream.disabled ${id} ${disabled_at.getTime()}`;
        return { key, channel, event: 'stream.disabled', runId: null, planId: null, streamId: id, number: 0 };
      }),
    );
  for (const { app_id, event, key } of await takeTargetNews(tx, now))
    messages.push(
      ...channels.map((channel): NewNotification => {
        const about = { runId: null, planId: null, appId: app_id, number: 0 };
        return { key: `${event} ${key}`, channel, event, ...about };
      }),
    );
  await insertNotifications(tx, messages, now);
}

/** A message for each channel about each credential that ends soon; whom to tell next is noted with it. */
async function gatherWarnings(tx: Db, channels: readonly Channel[], now: Date): Promise<NewNotification[]> {
  const messages: NewNotification[] = [];
  for (const { provider, credential_expires_at, warned_days } of await takeEndingCredentials(tx, now)) {
    const warning = credential_expires_at === null ? undefined : nextWarning(credential_expires_at, warned_days, now);
    if (credential_expires_at === null || warning === undefined) continue;
    const { days } = warning;
    const next = nextWarning(credential_expires_at, days, now);
    await noteWarned(tx, provider, { days, nextAt: next?.at ?? null });
    const key = `credential.expiring ${provider} ${credential_expires_at.getTime()} ${days}`;
    messages.push(
      ...channels.map((channel): NewNotification => {
        const event = 'credential.expiring';
        return { key, channel, event, runId: null, planId: null, provider, number: days };
      }),
    );
  }
  return messages;
}

function channelsOf(settings: NotificationSettings): Channel[] {
  return CHANNELS.filter((name) => settings[name] !== null);
}

function waitingMessage({ id, run_id, notices }: WaitingPlan, channel: Channel): NewNotification {
  const event = notices === 0 ? 'plan.held' : 'plan.reminder';
  return { key: `${event} ${id} ${notices}`, channel, event, runId: run_id, planId: id, number: notices };
}

function nextNotice({ remindAfterHours }: NotificationSettings, notices: number, now: Date): Date | null {
  return remindAfterHours === null ? null : new Date(now.getTime() + reminderGapMs(remindAfterHours, notices));
}

/** Others got it, so it is not sent again: they would get it twice. */
function someRefused(refused: readonly string[]): RunError {
  const error = new ConfigError(`The mail server refused ${refused.length} of the recipients.`, {
    reason: 'recipients-refused',
    remedy: 'Check the recipients; a test message names them.',
  });
  return describeError(error);
}
