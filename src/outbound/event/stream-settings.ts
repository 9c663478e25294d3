// How an app is told of changes: its webhook, and its security event tokens. Secrets are sealed beside the settings, and
// one that the gateway made is shown once.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { authorizationValue } from '#core/authorization.ts';
import { SET_EVENTS, WEBHOOK_EVENTS } from '#core/events.ts';
import { openKept, type Seal } from '#platform/seal.ts';
import { isWebhookSecret, makeWebhookKey, type WebhookKey, webhookPublicKey } from '#platform/webhook-signature.ts';

const url = z.string().trim().max(2_000);
const enabled = z.boolean();
/** From where a new stream, or one that is resumed, begins. */
export const START = ['now', 'snapshot'] as const;

export const WebhookInput = z.strictObject({
  url: url.optional(),
  events: z.array(z.enum(WEBHOOK_EVENTS)).max(WEBHOOK_EVENTS.length).optional(),
  payload: z.enum(['thin', 'full']).optional(),
  signatures: z
    .array(z.enum(['v1', 'v1a']))
    .min(1)
    .max(2)
    .optional(),
  secret: z
    .string()
    .refine(isWebhookSecret, 'expected "whsec_" and 24 to 64 random bytes in base64, as in "openssl rand -base64 32"')
    .optional(),
  enabled: enabled.optional(),
  start: z.enum(START).optional(),
});
export type WebhookInput = z.output<typeof WebhookInput>;

export const SetInput = z.strictObject({
  delivery: z
    .discriminatedUnion('method', [
      z.strictObject({
        method: z.literal('push'),
        url,
        authorization: authorizationValue.nullable().optional(),
      }),
      z.strictObject({ method: z.literal('poll') }),
    ])
    .optional(),
  audience: z.array(z.string().trim().min(1).max(500)).min(1).max(10).optional(),
  events: z.array(z.enum(SET_EVENTS)).max(SET_EVENTS.length).optional(),
  payload: z.enum(['notice', 'full']).optional(),
  enabled: enabled.optional(),
  start: z.enum(START).optional(),
});
export type SetInput = z.output<typeof SetInput>;

export interface WebhookSettings {
  readonly url: string;
  /** None means all. */
  readonly events: readonly string[];
  readonly payload: 'thin' | 'full';
  readonly signatures: readonly WebhookKey['kind'][];
}

export interface SetSettings {
  readonly delivery: { readonly method: 'push'; readonly url: string } | { readonly method: 'poll' };
  readonly audience: readonly string[];
  /** None means all. */
  readonly events: readonly string[];
  readonly payload: 'notice' | 'full';
}

/** A key with its life: one that was replaced signs along for a while. */
export interface StoredKey extends WebhookKey {
  readonly id: string;
  readonly createdAt: string;
  /** Null of the newest. */
  readonly expiresAt: string | null;
}

export interface StreamSecrets {
  readonly keys: readonly StoredKey[];
  /** The Authorization header that a receiver of tokens wants. */
  readonly authorization?: string | undefined;
}

export const NO_SECRETS: StreamSecrets = { keys: [] };

/** @throws {ConfigError} `secret-key-wrong` */
export function openSecrets(seal: Seal, { sealed }: { readonly sealed: string }): StreamSecrets {
  return JSON.parse(seal.open(sealed));
}

/** The same to be shown or saved anew: none where no key opens them, so that others can take their place. */
export function keptSecrets(seal: Seal, { sealed }: { readonly sealed: string }): StreamSecrets {
  const opened = openKept(seal, sealed);
  return opened === undefined ? NO_SECRETS : JSON.parse(opened);
}

/** Keys that sign at this moment, the newest first. */
export function signingKeysOf({ keys }: StreamSecrets, now: Date): readonly StoredKey[] {
  return keys
    .filter(({ expiresAt }) => expiresAt === null || new Date(expiresAt) > now)
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt));
}

/**
 * The secrets with a new key of each kind wanted, or of those that are missing. What is replaced signs along until
 * `overlapUntil`.
 */
export function withNewKeys(
  secrets: StreamSecrets,
  kinds: readonly WebhookKey['kind'][],
  { now, secret, overlapUntil }: { now: Date; secret?: string | undefined; overlapUntil: Date },
): StreamSecrets {
  const made = kinds.map((kind): StoredKey => {
    const key = kind === 'v1' && secret !== undefined ? { kind, secret } : makeWebhookKey(kind);
    return { ...key, id: randomUUID(), createdAt: now.toISOString(), expiresAt: null };
  });
  const until = overlapUntil.toISOString();
  const kept = signingKeysOf(secrets, now)
    .map((key) => (kinds.includes(key.kind) && (key.expiresAt ?? until) >= until ? { ...key, expiresAt: until } : key))
    .filter(({ expiresAt }) => expiresAt === null || new Date(expiresAt) > now);
  return { ...secrets, keys: [...made, ...kept] };
}

/** Which keys there are, without what is secret of them. */
export function viewKeys(secrets: StreamSecrets, now: Date) {
  return signingKeysOf(secrets, now).map((key) => ({
    id: key.id,
    kind: key.kind,
    ...(key.kind === 'v1' ? { hint: key.secret.slice(-4) } : { publicKey: webhookPublicKey(key) ?? null }),
    createdAt: key.createdAt,
    expiresAt: key.expiresAt,
  }));
}
