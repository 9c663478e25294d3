// Who is told of runs and held plans, and how. Secrets are sealed beside the settings and never leave again.
import { z } from 'zod';
import { InputError } from '#core/errors.ts';
import { checkForm, type FieldProblem, textOf } from '#core/problems.ts';
import { checkOutgoingUrl, type OutgoingPolicy } from '#platform/fetch.ts';
import { openKept, type Seal } from '#platform/seal.ts';
import { isWebhookSecret } from '#platform/webhook-signature.ts';
import type { Db } from '#store/database.ts';
import { readSetting, writeSetting } from '#store/source/settings.ts';

const on = z.enum(['always', 'changes', 'failure']).default('changes');
const address = z.email().max(254);

const Email = z
  .strictObject({
    on,
    host: z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'expected a host name or address'),
    port: z.number().int().min(1).max(65_535).default(587),
    security: z.enum(['starttls', 'tls', 'none']).default('starttls'),
    user: z.string().min(1).max(254).optional(),
    password: z.string().min(1).max(1_000).optional(),
    from: address,
    to: z.array(address).min(1).max(50),
    attachments: z.boolean().default(true),
  })
  .refine(({ security, user }) => security !== 'none' || user === undefined, {
    path: ['security'],
    message: 'a password is never sent without encryption; leave out the user, or use "starttls" or "tls"',
  });

const Webhook = z.strictObject({
  on,
  url: z.string().max(2_000),
  secret: z
    .string()
    .refine(isWebhookSecret, 'expected "whsec_" and 24 to 64 random bytes in base64, as in "openssl rand -base64 32"')
    .optional(),
});

const Settings = z.strictObject({
  email: Email.nullable().default(null),
  webhook: Webhook.nullable().default(null),
  remindAfterHours: z.number().min(1).max(168).nullable().default(24),
});

export type NotificationSettings = z.output<typeof Settings>;
export type EmailSettings = NonNullable<NotificationSettings['email']>;
export type WebhookSettings = NonNullable<NotificationSettings['webhook']>;

interface Saved {
  /** Without secrets. */
  readonly settings: NotificationSettings;
  /** Password and secret, sealed as one JSON text. */
  readonly sealed: string | null;
}

interface Secrets {
  readonly password?: string | undefined;
  readonly secret?: string | undefined;
}

const NAME = 'notifications';
const NOBODY: NotificationSettings = { email: null, webhook: null, remindAfterHours: 24 };

/** The saved settings with their secrets. @throws {ConfigError} `secret-key-wrong` */
export async function readNotificationSettings(db: Db, seal: Seal): Promise<NotificationSettings> {
  return readSettings(db, (sealed) => seal.open(sealed));
}

/** The same to be shown or saved anew: without secrets that no key opens. */
export async function readKeptNotificationSettings(db: Db, seal: Seal): Promise<NotificationSettings> {
  return readSettings(db, (sealed) => openKept(seal, sealed) ?? '{}');
}

async function readSettings(db: Db, open: (sealed: string) => string): Promise<NotificationSettings> {
  const saved = await readSetting<Saved>(db, NAME);
  if (saved === undefined) return NOBODY;
  const { password, secret }: Secrets = saved.sealed === null ? {} : JSON.parse(open(saved.sealed));
  const { email, webhook, ...rest } = saved.settings;
  return {
    ...rest,
    email: email === null ? null : { ...email, ...(password !== undefined && { password }) },
    webhook: webhook === null ? null : { ...webhook, ...(secret !== undefined && { secret }) },
  };
}

/**
 * Whole settings from a request. A secret that is left out is the saved one, but a password only for the same server
 * and user: nobody gets at it by naming a server of his own.
 * @throws {InputError} naming every field that is wrong
 */
export function parseNotificationSettings(
  body: unknown,
  before: NotificationSettings,
  policy: OutgoingPolicy,
): NotificationSettings {
  const checked = checkForm(Settings, withoutMarks(body));
  if (checked.problems !== undefined) throw wrong(checked.problems);
  const { email, webhook, remindAfterHours } = checked.value;
  if (webhook !== null) checkOutgoingUrl(webhook.url, policy);
  const whole: NotificationSettings = {
    remindAfterHours,
    email: email === null ? null : { ...email, ...keptPassword(email, before.email) },
    webhook: webhook === null ? null : { ...webhook, secret: webhook.secret ?? before.webhook?.secret },
  };
  if (whole.webhook !== null && whole.webhook.secret === undefined)
    throw wrong([{ path: 'webhook.secret', message: 'is needed to sign the messages' }]);
  if (whole.email?.user !== undefined && whole.email.password === undefined)
    throw wrong([{ path: 'email.password', message: 'is needed for this server and user' }]);
  return whole;
}

/** What an answer of ours adds may come back, and means nothing then. No body at all is not one that says nothing. */
function withoutMarks(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const { secretsSet: _ours, ...given } = { secretsSet: undefined, ...body };
  return given;
}

function keptPassword(email: EmailSettings, before: EmailSettings | null): { password?: string } {
  if (email.password !== undefined || email.user === undefined || before?.password === undefined) return {};
  const same = (['host', 'port', 'user', 'security'] as const).every((name) => email[name] === before[name]);
  return same ? { password: before.password } : {};
}

export async function saveNotificationSettings(db: Db, seal: Seal, settings: NotificationSettings): Promise<void> {
  const secrets: Secrets = { password: settings.email?.password, secret: settings.webhook?.secret };
  const { settings: shown } = splitSettings(settings);
  await writeSetting(db, NAME, { settings: shown, sealed: seal.seal(JSON.stringify(secrets)) } satisfies Saved);
}

/** What an answer shows: everything but the secrets, and which of those are stored. */
export function viewNotificationSettings(settings: NotificationSettings): object {
  const { settings: shown, secretsSet } = splitSettings(settings);
  return { ...shown, secretsSet };
}

function splitSettings({ email, webhook, ...rest }: NotificationSettings) {
  const { password, ...shownEmail } = email ?? {};
  const { secret, ...shownWebhook } = webhook ?? {};
  return {
    settings: {
      ...rest,
      email: email === null ? null : (shownEmail as EmailSettings),
      webhook: webhook === null ? null : (shownWebhook as WebhookSettings),
    },
    secretsSet: [
      ...(password === undefined ? [] : ['email.password']),
      ...(secret === undefined ? [] : ['webhook.secret']),
    ],
  };
}

function wrong(problems: readonly FieldProblem[]): InputError {
  return new InputError(`The notifications cannot be set up like this: ${textOf(problems)}.`, {
    reason: 'settings-invalid',
    remedy: 'Correct the fields named.',
    details: { problems },
  });
}
