import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { GatewayError } from '#core/errors.ts';
import { type Mail, type MailServer, sendMail } from '#platform/mail.ts';
import { MAIL_PASSWORD, MAIL_USER, type MailServer as Received, startMailServer } from '../support/mail-server.ts';

const MAIL: Mail = {
  from: 'sluice@example.com',
  to: ['ada@example.com', 'grace@example.com'],
  subject: 'Größe: 3 changes',
  text: 'In words.\n',
  html: '<p>In words.</p>',
  messageId: 'one@example.com',
  inReplyTo: 'zero@example.com',
  attachments: [{ filename: 'list.csv', contentType: 'text/csv; charset=utf-8', content: '"ä"\r\n' }],
};

describe('mail', () => {
  let received: Received;
  let server: MailServer;

  before(async () => {
    received = await startMailServer();
    server = { host: 'localhost', port: received.port, security: 'starttls', user: MAIL_USER, password: MAIL_PASSWORD };
  });
  after(() => received.close());

  const failing = async (changed: Partial<MailServer>, mail: Partial<Mail> = {}): Promise<GatewayError> => {
    try {
      await sendMail({ ...server, ...changed }, { ...MAIL, ...mail });
    } catch (error) {
      assert.ok(error instanceof GatewayError, String(error));
      assert.ok((error.remedy ?? '').length > 0);
      assert.ok(!`${error.message}${error.remedy}`.includes(MAIL_PASSWORD));
      return error;
    }
    return assert.fail('it was sent');
  };

  it('goes out encrypted, with both bodies, its attachment and its thread', async () => {
    assert.deepEqual(await sendMail(server, MAIL), { refused: [] });
    const mail = received.received.at(-1);
    assert.deepEqual([mail?.secure, mail?.user, mail?.recipients], [true, MAIL_USER, MAIL.to]);
    assert.deepEqual([mail?.subject, mail?.text?.trim(), mail?.from?.address], [MAIL.subject, 'In words.', MAIL.from]);
    assert.equal(mail?.html?.trim(), MAIL.html);
    assert.deepEqual([mail?.messageId, mail?.inReplyTo], ['<one@example.com>', '<zero@example.com>']);
    assert.deepEqual(
      mail?.attachments.map(({ filename, mimeType, content }) => [filename, mimeType, content]),
      [['list.csv', 'text/csv', '"ä"\r\n']],
    );
    assert.equal(mail?.headers.find(({ key }) => key === 'auto-submitted')?.value, 'auto-generated');
  });

  it('keeps what is meant as one header one header', async () => {
    await sendMail(server, { ...MAIL, subject: 'hello\r\nBcc: eve@example.com' });
    const mail = received.received.at(-1);
    assert.deepEqual(mail?.recipients, MAIL.to);
    assert.equal(mail?.bcc, undefined);
  });

  it('tells which recipients were refused while others were not', async () => {
    const { refused } = await sendMail(server, { ...MAIL, to: ['ada@example.com', 'nobody@example.com'] });
    assert.deepEqual(refused, ['nobody@example.com']);
    assert.equal((await failing({}, { to: ['nobody@example.com'] })).reason, 'mail-refused');
  });

  it('says what is wrong: the password, the address, the encryption, the server', async () => {
    const wrongPassword = await failing({ password: 'wrong' });
    assert.equal(wrongPassword.reason, 'mail-login-refused');
    assert.match(wrongPassword.message, /535/);
    assert.equal((await failing({ port: 1 })).reason, 'mail-server-unreachable');
    assert.equal((await failing({ host: 'no-such-host.invalid' })).reason, 'mail-server-unreachable');
    assert.equal((await failing({ security: 'tls' })).reason, 'mail-server-unreachable');
    received.refuse(1, '4.3.1 Out of space', 452);
    assert.match((await failing({})).message, /452 4\.3\.1/);
  });

  it('sends nothing to a server that cannot encrypt, or whose certificate is not trusted', async () => {
    const plain = await startMailServer({ disabledCommands: ['STARTTLS'], authOptional: true });
    const untrusted = await startMailServer({ untrusted: true });
    try {
      assert.equal((await failing({ port: plain.port })).reason, 'starttls-missing');
      assert.equal((await failing({ port: untrusted.port })).reason, 'certificate-untrusted');
      const relay: MailServer = { host: 'localhost', port: plain.port, security: 'none' };
      assert.deepEqual(await sendMail(relay, MAIL), { refused: [] });
      assert.equal(plain.received.length + untrusted.received.length, 1);
    } finally {
      await plain.close();
      await untrusted.close();
    }
  });

  it('speaks TLS from the first byte where it is told to', async () => {
    const secure = await startMailServer({ secure: true });
    try {
      await sendMail({ ...server, port: secure.port, security: 'tls' }, MAIL);
      assert.equal(secure.received[0]?.secure, true);
    } finally {
      await secure.close();
    }
  });
});
