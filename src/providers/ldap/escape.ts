/** A text as part of a filter. Source: RFC 4515 section 3. */
export function escapeFilter(text: string): string {
  return text.replaceAll(/[\0()*\\]/g, (one) => `\\${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
