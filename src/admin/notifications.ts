import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import { z } from 'zod';
import type { Check } from '#core/check.ts';
import { ConflictError, GatewayError } from '#core/errors.ts';
import { describeError } from '#core/failure.ts';
import { hostsIn } from '#core/hosts.ts';
import { requireAdmin } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import {
  type NotificationSettings,
  parseNotificationSettings,
  readKeptNotificationSettings,
  readNotificationSettings,
  saveNotificationSettings,
  viewNotificationSettings,
} from '#outbound/message/notification-settings.ts';
import { sendTest } from '#outbound/message/send.ts';
import { writeAudit } from '#store/access/audit.ts';
import { hastenNotifications, listNotifications } from '#store/event/notifications.ts';
import { lockSettings } from '#store/source/settings.ts';
import { refuseChanged, sendDocument } from './documents.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, PageQuery } from './query.ts';

const MessagesQuery = PageQuery.extend({ state: z.enum(['pending', 'sent', 'failed', 'dropped']).optional() });

/** Who is told of runs and held plans, whether that works, and what was sent. */
export function notificationRoutes(parts: AdminParts): Router {
  const { database, seal, clock, outgoing } = parts;
  const db = database.knex;
  const admin = requireAdmin();
  return Router()
    .get('/notifications', async (_request, response) => {
      sendDocument(response, viewNotificationSettings(await readKeptNotificationSettings(db, seal)));
    })
    .put('/notifications', admin, async (request, response) => {
      const saved = await db.transaction(async (tx) => {
        await lockSettings(tx);
        const before = await readKeptNotificationSettings(tx, seal);
        await refuseChanged(tx, request, viewNotificationSettings(before), { action: 'notifications.change' });
        const settings = parseNotificationSettings(request.body, before, outgoing);
        await saveNotificationSettings(tx, seal, settings);
        await hastenNotifications(tx, clock.now());
        const { email, webhook } = settings;
        const hosts = [...(email === null ? [] : [`${email.host}:${email.port}`]), ...hostsIn(webhook?.url)];
        const detail = { channels: { email: email !== null, webhook: webhook !== null }, hosts };
        await writeAudit(tx, { actor: actorOf(request), action: 'notifications.change', detail });
        return settings;
      });
      parts.notifier?.wake();
      sendDocument(response, viewNotificationSettings(saved));
    })
    .post('/notifications/test', admin, async (request, response) => {
      const unsaved = Object.keys(request.body ?? {}).length > 0;
      const settings = unsaved
        ? parseNotificationSettings(request.body, await readKeptNotificationSettings(db, seal), outgoing)
        : await readNotificationSettings(db, seal);
      const checks = await tryChannels(parts, settings);
      response.json({ ok: checks.every(({ ok }) => ok), checks });
    })
    .get('/notifications/messages', async (request, response) => {
      response.json(await listNotifications(db, parse(MessagesQuery, request.query)));
    });
}

/** Sends a test message over each channel that is set up, and says what became of it. */
async function tryChannels(
  { publicUrl, outgoing, clock }: AdminParts,
  { email, webhook }: NotificationSettings,
): Promise<Check[]> {
  const options = () => ({ id: randomUUID(), baseUrl: publicUrl(), policy: outgoing, at: clock.now() });
  const checks: Promise<Check>[] = [];
  if (email !== null)
    checks.push(
      tryChannel('email', `A test message was sent to ${email.to.join(', ')}.`, sendTest({ email }, options())),
    );
  if (webhook !== null)
    checks.push(tryChannel('webhook', 'The receiver took a test message.', sendTest({ webhook }, options())));
  if (checks.length === 0)
    throw new ConflictError('Neither mail nor webhook is set up.', {
      reason: 'no-channel',
      remedy: 'PUT settings to /api/v1/notifications first, or send them with the test.',
    });
  return Promise.all(checks);
}

async function tryChannel(name: string, detail: string, sending: Promise<readonly string[]>): Promise<Check> {
  try {
    const refused = await sending;
    if (refused.length === 0) return { name, ok: true, detail, remedy: null };
    const text = `The mail server refused ${refused.join(', ')} and took the others.`;
    return { name, ok: false, detail: text, remedy: 'Correct or remove these recipients.' };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { message, remedy } = describeError(error);
    return { name, ok: false, detail: message, remedy };
  }
}
