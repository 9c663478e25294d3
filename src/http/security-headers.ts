/** Nothing here is for a browser to frame, guess or share. Source: OWASP secure headers project, checked 2026-11. */
export const SECURITY_HEADERS = [
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'no-referrer'],
  ['cache-control', 'no-store'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()'],
  ['x-permitted-cross-domain-policies', 'none'],
] as const;

/** Two years, the least that browsers' preload lists take. Other hosts of the domain are not ours to speak for. */
const TRANSPORT_SECURITY = 'max-age=63072000';

/** @param secure whether we are reached by https, and only so */
export function securityHeaders(secure: boolean): readonly (readonly [name: string, value: string])[] {
  return secure ? [...SECURITY_HEADERS, ['strict-transport-security', TRANSPORT_SECURITY]] : SECURITY_HEADERS;
}
