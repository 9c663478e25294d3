const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** True for a text in the form of our ids, in either case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** True for a text that can be an id of ours as it is served: the case of an id counts (RFC 7643 section 3.1). */
export function isId(text: string): boolean {
  return UUID.test(text) && text === text.toLowerCase();
}
