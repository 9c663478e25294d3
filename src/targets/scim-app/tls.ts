// The certificate that we show to a target which asks for one.
import { createPrivateKey, X509Certificate } from 'node:crypto';

/** Which of the three cannot be used, and why; undefined when all can. */
export function problemOfPems(
  certificate: string,
  key: string,
  ca: string | null,
): readonly ['certificate' | 'key' | 'ca', string] | undefined {
  const shown = attempt(() => new X509Certificate(certificate));
  if (shown === undefined) return ['certificate', 'expected a certificate in PEM'];
  const secret = attempt(() => createPrivateKey(key));
  if (secret === undefined) return ['key', 'expected a private key in PEM, without a password'];
  if (!shown.checkPrivateKey(secret)) return ['key', 'is not the key of the certificate'];
  if (ca !== null && attempt(() => new X509Certificate(ca)) === undefined)
    return ['ca', 'expected a certificate in PEM'];
  return undefined;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
