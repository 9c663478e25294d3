import type { IncomingMessage } from 'node:http';

/** The version as SCIM and HTTP show it. */
export function etagOf(version: string): string {
  return `W/"${version}"`;
}

/** Whether a header of entity tags names this version, compared weakly (RFC 9110 section 8.8.3.2). */
export function names(header: string, version: string): boolean {
  return header.split(',').some((candidate) => {
    const tag = candidate.trim();
    return tag === '*' || tag.replace(/^W\//i, '') === `"${version}"`;
  });
}

/** What `If-Match` and `If-None-Match` of a change ask of the present version; undefined when they ask nothing. */
export function expectation(request: IncomingMessage): ((version: string) => boolean) | undefined {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (match === undefined && noneMatch === undefined) return undefined;
  return (version) =>
    (match === undefined || names(match, version)) && (noneMatch === undefined || !names(noneMatch, version));
}
