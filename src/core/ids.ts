const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** True for a text in the form of our ids, in either case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
