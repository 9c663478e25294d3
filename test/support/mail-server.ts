// A real SMTP server on loopback, with a certificate that this process trusts, which keeps what it is sent.
import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { makeCertificate, trust } from './certificate.ts';

export const MAIL_USER = 'sluice@example.com';
export const MAIL_PASSWORD = 'canary-mail-password';

export interface ReceivedMail extends Email {
  /** Whom the envelope named. */
  readonly recipients: readonly string[];
  readonly secure: boolean;
  readonly user: string | undefined;
}

export interface MailServer {
  readonly port: number;
  readonly received: ReceivedMail[];
  /** Answers the next messages with this instead of taking them. */
  refuse(times: number, message: string, code: number): void;
  close(): Promise<void>;
}

/** STARTTLS and a password, unless the options say otherwise. Recipients that begin with `nobody` are refused. */
export async function startMailServer(options: SMTPServerOptions & { untrusted?: boolean } = {}): Promise<MailServer> {
  const certificate = await makeCertificate();
  if (options.untrusted !== true) trust(certificate.cert);
  const received: ReceivedMail[] = [];
  let refusal: { times: number; message: string; code: number } | undefined;
  const server = new SMTPServer({
    ...certificate,
    logger: false,
    onAuth({ username, password }, _session, callback) {
      if (username === MAIL_USER && password === MAIL_PASSWORD) callback(null, { user: username });
      else callback(Object.assign(new Error('5.7.8 Authentication credentials invalid'), { responseCode: 535 }));
    },
    onRcptTo({ address }, _session, callback) {
      if (address.startsWith('nobody'))
        callback(Object.assign(new Error('5.1.1 No such mailbox'), { responseCode: 550 }));
      else callback();
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', async () => {
        if (refusal !== undefined && refusal.times > 0) {
          refusal.times -= 1;
          callback(Object.assign(new Error(refusal.message), { responseCode: refusal.code }));
          return;
        }
        const mail = await PostalMime.parse(Buffer.concat(chunks), { attachmentEncoding: 'utf8' });
        const recipients = session.envelope.rcptTo.map(({ address }) => address);
        received.push({ ...mail, recipients, secure: session.secure, user: session.user });
        callback();
      });
    },
    ...options,
  });
  // A client that breaks off is no reason to fail.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    refuse(times, message, code) {
      refusal = { times, message, code };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
