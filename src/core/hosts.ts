/** Schemes by which a setting names a place to connect to. */
const SCHEMES = new Set(['http:', 'https:', 'ldap:', 'ldaps:']);
/** A record of what was done stays short, whatever was sent. */
const HOSTS_MAX = 20;

/**
 * The hosts, with their ports, of the URLs in settings: for the audit log, which says where something is sent, and no path
 * or user of a URL, since those may be secret. Sorted, each once.
 */
export function hostsIn(settings: unknown): readonly string[] {
  const found = new Set<string>();
  collect(settings, found);
  return [...found].sort().slice(0, HOSTS_MAX);
}

function collect(value: unknown, found: Set<string>): void {
  if (typeof value === 'string') {
    const url = URL.parse(value);
    if (url !== null && SCHEMES.has(url.protocol) && url.host !== '') found.add(url.host);
  } else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) collect(item, found);
  }
}
