import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A secret in the form that the receivers' libraries take: `whsec_` and 24 to 64 bytes of base64. */
export function isWebhookSecret(text: string): boolean {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1] ?? '';
  const bytes = Buffer.from(encoded, 'base64');
  return (
    bytes.length >= 24 &&
    bytes.length <= 64 &&
    bytes.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '')
  );
}

/** What signs a message: a secret that both sides know (`v1`), or a private key whose public half the receiver has (`v1a`). */
export interface WebhookKey {
  readonly kind: 'v1' | 'v1a';
  /** `whsec_…`; or `whsk_` and an ed25519 key as PKCS #8 in base64. */
  readonly secret: string;
}

const SECRET_BYTES = 32;
/** An ed25519 key in its longer forms ends with its 32 bytes (RFC 8410 section 4 and 7). */
const RAW_BYTES = 32;

/** A new key of this kind. */
export function makeWebhookKey(kind: WebhookKey['kind']): WebhookKey {
  if (kind === 'v1') return { kind, secret: `whsec_${randomBytes(SECRET_BYTES).toString('base64')}` };
  const { privateKey } = generateKeyPairSync('ed25519');
  return { kind, secret: `whsk_${privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')}` };
}

/** What the receiver checks signatures with, as it takes it: `whpk_` and 32 bytes of base64. Undefined for a shared secret. */
export function webhookPublicKey({ kind, secret }: WebhookKey): string | undefined {
  if (kind === 'v1') return undefined;
  const der = createPublicKey(privateKeyOf(secret)).export({ type: 'spki', format: 'der' });
  return `whpk_${der.subarray(-RAW_BYTES).toString('base64')}`;
}

function privateKeyOf(secret: string) {
  return createPrivateKey({ key: Buffer.from(secret.replace(/^whsk_/, ''), 'base64'), format: 'der', type: 'pkcs8' });
}

/**
 * The three headers of a message that a secret signs. The same id is sent at every try, so that a receiver can tell a
 * repetition.
 */
export function signWebhook(secret: string, message: SignedMessage): Readonly<Record<string, string>> {
  return signWebhookWith([{ kind: 'v1', secret }], message);
}

export interface SignedMessage {
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/**
 * The same with several keys: a receiver that knows one of them takes the message, so that a key can be replaced while
 * messages go out. Source: standardwebhooks.com, specification 1.0.0, "Signature scheme" and "Webhook headers",
 * checked 2026-11.
 */
export function signWebhookWith(
  keys: readonly WebhookKey[],
  { id, at, body }: SignedMessage,
): Readonly<Record<string, string>> {
  const timestamp = Math.floor(at.getTime() / 1000);
  const content = `${id}.${timestamp}.${body}`;
  const signatures = keys.map((key) => `${key.kind},${signatureOf(key, content)}`);
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}

function signatureOf({ kind, secret }: WebhookKey, content: string): string {
  if (kind === 'v1a') return sign(null, Buffer.from(content), privateKeyOf(secret)).toString('base64');
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return createHmac('sha256', key).update(content).digest('base64');
}
