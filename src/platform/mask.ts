/** Replaces what must not be seen in a text. */
export type Mask = (text: string) => string;

const MASKED = '[redacted]';
/** A shorter value would blot out half of the text, and is no secret. */
const SECRET_MIN = 6;

/** What looks like a credential, whoever put it there. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${MASKED}`],
  // A JSON Web Token: three parts of base64url.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, MASKED],
  [/\b(?:sluice_|whsec_|whsk_)[\w+/=-]{16,}/g, MASKED],
  [/-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)-----[^"]*?(?:-----END [A-Z ]*-----|(?="|$))/g, MASKED],
  // As a form sends it, as JSON spells it (also inside a string), and in prose. What is no string in JSON stays one.
  [
    /\b((?:client_?secret|client_assertion|password|passwd|refresh_token|access_token|assertion)(?:=|\\*"\s*:\s*\\*"|: (?=[^"\s])))[^\s"'&\\,}]+/gi,
    `$1${MASKED}`,
  ],
];

/**
 * Masks these values wherever they stand, as they are and as JSON or a URL would spell them, and whatever else looks
 * like a credential.
 */
export function makeMask(secrets: Iterable<string>): Mask {
  const spellings = new Set<string>();
  for (const secret of secrets)
    for (const part of [secret, ...secret.split('\n')].map((line) => line.trim()))
      if (part.length >= SECRET_MIN && !part.startsWith('-----'))
        for (const spelling of [part, JSON.stringify(part).slice(1, -1), encodeURIComponent(part), formEncoded(part)])
          spellings.add(spelling);
  // The longest first, so that no part of a secret is left when another one is its beginning.
  const known = [...spellings].sort((a, b) => b.length - a.length);
  return (text) => {
    let masked = text;
    for (const secret of known) masked = masked.replaceAll(secret, MASKED);
    for (const [shape, by] of SHAPES) masked = masked.replaceAll(shape, by);
    return masked;
  };
}

/** As a form would send it: a space as a plus sign. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}
