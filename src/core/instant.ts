const DATE_TIME = /^(\d{4}-\d\d-(\d\d))T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/i;

/**
 * The instant that a `dateTime` names (RFC 7643 section 2.3.5), in milliseconds since 1970; without a zone it is one of
 * UTC. Undefined for any other text, and for a day that there is not. The zone may lead out of the years 1 to 9999.
 */
export function instantOf(text: string): number | undefined {
  const [whole, date, day, , , zone] = DATE_TIME.exec(text) ?? [];
  if (whole === undefined || date === undefined) return undefined;
  const midnight = new Date(`${date}T00:00:00Z`);
  // JavaScript takes the 31st of February for a day in March.
  if (Number.isNaN(midnight.valueOf()) || midnight.getUTCDate() !== Number(day)) return undefined;
  const instant = Date.parse(`${whole.toUpperCase()}${zone === undefined ? 'Z' : ''}`);
  return Number.isNaN(instant) ? undefined : instant;
}
