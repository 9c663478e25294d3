import { type Report, renderHtml, renderText, reportTest } from '#core/report.ts';
import type { OutgoingPolicy } from '#platform/fetch.ts';
import { sendMail } from '#platform/mail.ts';
import type { Db } from '#store/database.ts';
import type { ClaimedNotification } from '#store/event/notifications.ts';
import { isTaken, postWebhook, refusalOf } from '../post-webhook.ts';
import { gatherAttachments, gatherResults, type Message } from './message.ts';
import type { EmailSettings, WebhookSettings } from './notification-settings.ts';

/**
 * Sends a message by mail; answers who was refused by the server while others were not. Mails about one plan make one
 * thread.
 * @throws {GatewayError} what `sendMail` throws
 */
export async function sendByEmail(
  db: Db,
  settings: EmailSettings,
  { id, event, plan_id }: Pick<ClaimedNotification, 'id' | 'event' | 'plan_id'>,
  message: Message,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { attachments, notes } = settings.attachments
    ? await gatherAttachments(db, message)
    : { attachments: [], notes: [] };
  const report: Report = { ...message.report, notes: [...notes, ...message.report.notes] };
  const domain = settings.from.split('@')[1] ?? 'localhost';
  const thread = `plan-${plan_id}@${domain}`;
  const mail = {
    from: settings.from,
    to: settings.to,
    subject: report.subject,
    text: renderText(report),
    html: renderHtml(report),
    messageId: event === 'plan.held' ? thread : `${id}@${domain}`,
    inReplyTo: event === 'plan.reminder' ? thread : undefined,
    attachments,
  };
  return (await sendMail(settings, mail, signal)).refused;
}

/** Posts a message, signed: its time is when it was made, at every try. @throws {GatewayError} what `postOutgoing` throws, and `webhook-refused` for a status that is not 2xx */
export async function sendByWebhook(
  db: Db,
  settings: WebhookSettings,
  { id, event, created_at }: Pick<ClaimedNotification, 'id' | 'event' | 'created_at'>,
  message: Message,
  { policy, at, signal }: { policy: OutgoingPolicy; at: Date; signal: AbortSignal },
): Promise<void> {
  const { report, run, planId } = message;
  const { subject, lead, facts, reasons, link } = report;
  const data = {
    subject,
    text: lead,
    facts: Object.fromEntries(facts),
    reasons,
    link: link.url,
    run,
    planId,
    results: await gatherResults(db, message),
  };
  await postSigned(
    settings,
    { id, body: JSON.stringify({ type: event, timestamp: created_at.toISOString(), data }) },
    { policy, at, signal },
  );
}

/** Sends a test message over a channel. @throws {GatewayError} what went wrong, in words */
export async function sendTest(
  channel: { readonly email: EmailSettings } | { readonly webhook: WebhookSettings },
  { id, baseUrl, policy, at }: { id: string; baseUrl: string; policy: OutgoingPolicy; at: Date },
): Promise<readonly string[]> {
  const report = reportTest(baseUrl);
  if ('webhook' in channel) {
    const { subject, lead, link } = report;
    const body = { type: 'test', timestamp: at.toISOString(), data: { subject, text: lead, link: link.url } };
    await postSigned(channel.webhook, { id, body: JSON.stringify(body) }, { policy, at });
    return [];
  }
  const { email } = channel;
  const mail = { subject: report.subject, text: renderText(report), html: renderHtml(report), attachments: [] };
  const messageId = `${id}@${email.from.split('@')[1]}`;
  return (await sendMail(email, { from: email.from, to: email.to, messageId, ...mail })).refused;
}

async function postSigned(
  { url, secret = '' }: WebhookSettings,
  { id, body }: { id: string; body: string },
  { policy, at, signal }: { policy: OutgoingPolicy; at: Date; signal?: AbortSignal },
): Promise<void> {
  const answer = await postWebhook({ url, keys: [{ kind: 'v1', secret }] }, { id, at, body }, policy, signal);
  if (!isTaken(answer)) throw refusalOf(answer);
}
