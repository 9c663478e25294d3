// The SCIM 2.0 edge, /scim/v2 (RFC 7643, RFC 7644, RFC 9865). Reads the directory through the store and edits it
// through sync; knows no provider. No text from outside reaches scimmy.
import { Router } from 'express';
import { principalOf, requireScope, requireToken } from '#http/auth.ts';
import { translateDatabaseError } from '#store/database.ts';
import { jsonBody, readBody } from './body.ts';
import { bulkHandler } from './bulk.ts';
import { discoveryRoutes } from './discovery.ts';
import { noScimRoute, scimErrorHandler } from './errors.ts';
import { answerList } from './lists.ts';
import type { ScimParts } from './parts.ts';
import { readQuery, readSearch } from './query.ts';
import { meRoutes, refuseMethod, resourceRoutes } from './resources.ts';
import { viewOf } from './view.ts';

export function scimRouter(parts: ScimParts): Router {
  return Router()
    .use(requireToken(parts.authenticator), requireScope('scim:read', 'scim:write', 'admin', 'operator', 'viewer'))
    .use(resourceRoutes('User', parts))
    .use(resourceRoutes('Group', parts))
    .use(discoveryRoutes(parts))
    .use(rootRoutes(parts))
    .use(meRoutes(parts))
    .post('/Bulk', jsonBody, bulkHandler(parts))
    .all('/Bulk', refuseMethod('POST'))
    .use(noScimRoute)
    .use(scimErrorHandler(translateDatabaseError));
}

/** Lists over all types of resources (RFC 7644 sections 3.4.2.1 and 3.4.3). */
function rootRoutes(parts: ScimParts): Router {
  return Router()
    .get('/', async (request, response) => {
      const view = viewOf(principalOf(request).scope);
      await answerList(parts, { view, types: ['User', 'Group'], query: readQuery(request) }, request, response);
    })
    .post('/.search', jsonBody, async (request, response) => {
      const view = viewOf(principalOf(request).scope);
      const query = readSearch(readBody(request));
      await answerList(parts, { view, types: ['User', 'Group'], query }, request, response);
    })
    .all('/.search', refuseMethod('POST'));
}
