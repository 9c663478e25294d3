// The SCIM 2.0 edge, /scim/v2 (RFC 7643, RFC 7644, RFC 9865). Reads the directory through the store and edits it
// through sync; knows no provider. No text from outside reaches scimmy.
import { type Request, Router } from 'express';
import { principalOf, requireScope, requireToken } from '#http/auth.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { jsonBody, readBody } from './body.ts';
import { bulkHandler } from './bulk.ts';
import { discoveryRoutes } from './discovery.ts';
import { noScimRoute, scimErrorHandler } from './errors.ts';
import { MAY_READ } from './fast.ts';
import { answerList, type Listing } from './lists.ts';
import type { ScimParts } from './parts.ts';
import { readQuery, readSearch, SEARCH_BYTES_MAX } from './query.ts';
import { addResourceRoutes, meRoutes, refuseMethod } from './resources.ts';
import { securityEventRoutes } from './security-events.ts';
import { viewOf } from './view.ts';

export function scimRouter(parts: ScimParts): Router {
  // One router for all: every router within a router costs each request a little.
  const router = Router();
  router.use(requireToken(parts.authenticator), requireScope(...MAY_READ));
  addResourceRoutes(router, 'User', parts);
  addResourceRoutes(router, 'Group', parts);
  return router
    .use(discoveryRoutes(parts))
    .use(rootRoutes(parts))
    .use(meRoutes(parts))
    .use(securityEventRoutes(parts))
    .post('/Bulk', jsonBody, bulkHandler(parts))
    .all('/Bulk', refuseMethod('POST'))
    .use(noScimRoute)
    .use(scimErrorHandler(translateDatabaseError));
}

/** Lists over all types of resources (RFC 7644 sections 3.4.2.1 and 3.4.3). */
function rootRoutes(parts: ScimParts): Router {
  return Router()
    .get('/', async (request, response) => {
      const query = readQuery(request.query);
      await answerList(parts, { ...whoReads(request), types: ['User', 'Group'], query }, request, response);
    })
    .all('/', refuseMethod('GET, HEAD'))
    .post('/.search', jsonBody, async (request, response) => {
      const query = readSearch(readBody(request, SEARCH_BYTES_MAX));
      await answerList(parts, { ...whoReads(request), types: ['User', 'Group'], query }, request, response);
    })
    .all('/.search', refuseMethod('POST'));
}

function whoReads(request: Request): Pick<Listing, 'view' | 'reader'> {
  const { scope, tokenId } = principalOf(request);
  return { view: viewOf(scope), reader: tokenId };
}
