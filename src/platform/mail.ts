import { connect, type Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { ConfigError, CredentialsError, GatewayError, UpstreamError } from '#core/errors.ts';
import { checkInside, insideLookup } from './inside.ts';

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** `starttls` refuses a server that cannot, `tls` speaks it from the first byte, `none` is for a relay on this machine. */
  readonly security: 'starttls' | 'tls' | 'none';
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

export interface Attachment {
  readonly filename: string;
  readonly contentType: string;
  readonly content: string;
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Without angle brackets. The same at every try, so that a mailbox can tell a repetition. */
  readonly messageId: string;
  /** The first message of the thread that this one belongs to. */
  readonly inReplyTo?: string | undefined;
  readonly attachments: readonly Attachment[];
}

const CONNECT_MS = 10_000;
/** Between two answers of the server. */
const SILENCE_MS = 30_000;

/**
 * Sends one mail; answers which recipients the server refused while it took the others. Aborted, the connection is cut.
 * @throws {CredentialsError} `mail-login-refused`
 * @throws {ConfigError} `certificate-untrusted`, `starttls-missing`, `mail-refused`
 * @throws {UpstreamError} `mail-server-unreachable`, `mail-server-failed`
 */
export async function sendMail(
  server: MailServer,
  mail: Mail,
  signal?: AbortSignal,
): Promise<{ readonly refused: readonly string[] }> {
  checkInside(server.host);
  signal?.throwIfAborted();
  const cut = new AbortController();
  const stop = (): void => cut.abort(new Error('stopped'));
  signal?.addEventListener('abort', stop, { once: true });
  const transport = createTransport({
    // Ours, so that what is connected to is the address that was checked.
    getSocket: (_options, callback) => openSocket(server, cut.signal, callback),
    host: server.host,
    port: server.port,
    secure: server.security === 'tls',
    requireTLS: server.security === 'starttls',
    ignoreTLS: server.security === 'none',
    ...(server.user === undefined ? {} : { auth: { user: server.user, pass: server.password ?? '' } }),
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const sent = await transport.sendMail({
      from: { name: 'Sluice', address: mail.from },
      to: [...mail.to],
      subject: mail.subject,
      text: mail.text,
      html: mail.html,
      messageId: `<${mail.messageId}>`,
      ...(mail.inReplyTo === undefined ? {} : { inReplyTo: `<${mail.inReplyTo}>`, references: `<${mail.inReplyTo}>` }),
      // No out-of-office answers, please (RFC 3834 section 5).
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      attachments: mail.attachments.map(({ filename, contentType, content }) => ({ filename, contentType, content })),
    });
    return { refused: sent.rejected };
  } catch (error) {
    throw explain(error, server);
  } finally {
    signal?.removeEventListener('abort', stop);
    transport.close();
  }
}

type SocketCallback = (error: Error | null, options?: { connection: Socket }) => void;

function openSocket({ host, port }: MailServer, cut: AbortSignal, callback: SocketCallback): void {
  const socket = connect({ host, port, lookup: insideLookup, timeout: CONNECT_MS });
  cut.addEventListener('abort', () => socket.destroy(new Error('stopped')), { once: true });
  const fail = (error: Error): void => callback(error);
  socket.once('error', fail);
  socket.once('timeout', () => socket.destroy(new Error('no connection in time')));
  socket.once('connect', () => {
    socket.off('error', fail);
    socket.removeAllListeners('timeout');
    socket.setTimeout(0);
    callback(null, { connection: socket });
  });
}

interface SmtpFailure {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly response?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
}

/** What went wrong, in our words: of the server's own only the numbers are repeated. */
function explain(thrown: unknown, { host, port, security }: MailServer): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const failure: SmtpFailure = thrown instanceof Error ? thrown : {};
  const where = `The mail server "${host}:${port}"`;
  const said = answerOf(failure);
  const options = { cause: thrown };
  if (failure.code === 'EAUTH' || failure.code === 'ENOAUTH')
    return new CredentialsError(`${where} refuses the user name or password${said}.`, {
      ...options,
      failure: 'auth',
      reason: 'mail-login-refused',
      remedy: 'Correct the user name and password; some servers want an app password.',
    });
  if (isUntrusted(thrown))
    return new ConfigError(`The certificate of the mail server "${host}" is not trusted.`, {
      ...options,
      reason: 'certificate-untrusted',
      remedy: 'Give the name that stands in the certificate as host, or name its authority in NODE_EXTRA_CA_CERTS.',
    });
  if (failure.code === 'ETLS' || (security === 'starttls' && /STARTTLS/i.test(String(failure.message))))
    return new ConfigError(`${where} does not offer STARTTLS${said}.`, {
      ...options,
      reason: 'starttls-missing',
      remedy: 'Use the port that does (587 as a rule), or set security to "tls" for port 465.',
    });
  if (failure.code === 'EENVELOPE' || failure.code === 'EMESSAGE')
    return new ConfigError(`${where} does not take the mail${said}.`, {
      ...options,
      reason: 'mail-refused',
      remedy: 'Check the sender and the recipients, and whether this server relays for the gateway.',
    });
  if (typeof failure.responseCode === 'number')
    return new UpstreamError(`${where} failed${said}.`, {
      ...options,
      failure: 'server',
      reason: 'mail-server-failed',
      remedy: 'It is tried again; if it repeats, look at the log of the mail server.',
      retryAfterMs: 60_000,
    });
  return new UpstreamError(`${where} cannot be reached, or does not speak SMTP there.`, {
    ...options,
    failure: 'network',
    reason: 'mail-server-unreachable',
    remedy: 'Check host, port and security ("tls" for port 465, "starttls" for 587), and the network between.',
    retryAfterMs: 60_000,
  });
}

/** The reply code, and the enhanced one of RFC 3463 where there is one. */
function answerOf({ responseCode, response }: SmtpFailure): string {
  if (typeof responseCode !== 'number') return '';
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(String(response))?.[1];
  return ` (${responseCode}${enhanced === undefined ? '' : ` ${enhanced}`})`;
}

function isUntrusted(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const text = `${'code' in error ? String(error.code) : ''} ${error.message}`;
  return /certificate|CERT_|SELF_SIGNED|ALTNAME/i.test(text) || isUntrusted(error.cause);
}
