import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** A throw-away certificate of 127.0.0.1 and localhost, as `cert.pem` and `key.pem` in a folder. Answers its own authority, in PEM. */
export async function writeCertificate(folder: string): Promise<string> {
  const made = await generate([{ name: 'commonName', value: 'directory.example' }], {
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
  writeFileSync(join(folder, 'cert.pem'), made.cert);
  writeFileSync(join(folder, 'key.pem'), made.private, { mode: 0o600 });
  return made.cert;
}
