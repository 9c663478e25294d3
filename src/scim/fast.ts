// What apps ask most, a user or group by id and lists of them, answered without Express: it would be half the cost of a
// look-up. The same functions answer as on the way through Express; whatever is not plain goes that way.
import { parse } from 'node:querystring';
import type { ResourceType } from '#core/resource.ts';
import type { FastPath } from '#http/app.ts';
import { givePrincipal } from '#http/auth.ts';
import { releaseFields } from '#http/fields.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { answerError } from './errors.ts';
import { answerList } from './lists.ts';
import type { ScimParts } from './parts.ts';
import { readQuery } from './query.ts';
import { answerOne, seeing } from './reads.ts';

/** The scopes of tokens that may read. */
export const MAY_READ = ['scim:read', 'scim:write', 'admin', 'operator', 'viewer'] as const;

const ONE = /^\/scim\/v2\/(User|Group)s\/([0-9a-fA-F-]{36})$/;
const LIST = /^\/scim\/v2\/(User|Group)s(?:\?([^#]*))?$/;

/** Takes GETs of tokens that were known a moment ago. */
export function fastReads(parts: ScimParts): FastPath {
  return (request, response) => {
    const { method, url = '' } = request;
    if (method !== 'GET') return undefined;
    const one = ONE.exec(url);
    const list = one === null ? LIST.exec(url) : null;
    const type = (one ?? list)?.[1] as ResourceType | undefined;
    if (type === undefined) return undefined;
    const principal = parts.authenticator.recall(request);
    if (principal === undefined || !principal.scopes.some((scope) => MAY_READ.some((may) => may === scope)))
      return undefined;
    givePrincipal(request, principal);
    const answer =
      one === null
        ? async () => {
            const query = readQuery(parse(list?.[2] ?? ''));
            await answerList(
              parts,
              { view: seeing(request, type), reader: principal.tokenId, types: [type], query },
              request,
              response,
            );
          }
        : () => answerOne(parts, { type, id: one[2] ?? '', asked: {} }, request, response);
    answer().catch((thrown: unknown) => {
      if (response.headersSent) response.destroy();
      else {
        releaseFields(response);
        answerError(translateDatabaseError(thrown), request, response);
      }
    });
    return one === null ? `/scim/v2/${type}s` : `/scim/v2/${type}s/:id`;
  };
}
