import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import { generate } from 'selfsigned';

export interface Certificate {
  /** PEM, as is the certificate, which is its own authority. */
  readonly key: string;
  readonly cert: string;
}

/** A throw-away certificate of 127.0.0.1 and localhost. Two authorities of one name would hide one another: each has its own. */
export async function makeCertificate(): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: `Test ${randomUUID()}` }], {
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 7, ip: '127.0.0.1' },
          { type: 2, value: 'localhost' },
        ],
      },
    ],
  });
  return { key: made.private, cert: made.cert };
}

/** The same as `cert.pem` and `key.pem` in a folder. Answers the certificate. */
export async function writeCertificate(folder: string): Promise<string> {
  const { key, cert } = await makeCertificate();
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
  return cert;
}

/** Lets this process trust an authority beside the usual ones. */
export function trust(cert: string): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), cert]);
}

let trusted: Promise<Certificate> | undefined;

/** One for all servers of this process, which trusts it from then on. */
export function trustedCertificate(): Promise<Certificate> {
  trusted ??= makeCertificate().then((made) => {
    trust(made.cert);
    return made;
  });
  return trusted;
}
