import { type Request, Router } from 'express';
import { ForbiddenError, NotFoundError } from '#core/errors.ts';
import { foldCase } from '#core/search.ts';
import { COUNT_MAX } from './resources.ts';
import type { ScimParts } from './router.ts';
import { RESOURCE_TYPE_DOCUMENTS, SCHEMA_DOCUMENTS } from './scimmy.ts';

const CONFIG_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';
const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

/** What this service can do, and what its resources look like (RFC 7644 section 4). It says only what is true. */
export function discoveryRoutes({ publicUrl }: Pick<ScimParts, 'publicUrl'>): Router {
  const base = (): string => `${publicUrl()}/scim/v2`;
  return Router()
    .get('/ServiceProviderConfig', (_request, response) => {
      response.type('application/scim+json').send(JSON.stringify(serviceProviderConfig(base())));
    })
    .get('/ResourceTypes', (request, response) => {
      refuseFilter(request);
      response.type('application/scim+json').send(list(resourceTypes(base())));
    })
    .get('/ResourceTypes/:id', (request, response) => {
      response
        .type('application/scim+json')
        .send(JSON.stringify(byId(resourceTypes(base()), String(request.params['id']), 'resource type')));
    })
    .get('/Schemas', (request, response) => {
      refuseFilter(request);
      response.type('application/scim+json').send(list(schemas(base())));
    })
    .get('/Schemas/:id', (request, response) => {
      response
        .type('application/scim+json')
        .send(JSON.stringify(byId(schemas(base()), String(request.params['id']), 'schema')));
    });
}

function serviceProviderConfig(base: string): object {
  return {
    schemas: [CONFIG_SCHEMA],
    documentationUri: 'https://www.rfc-editor.org/rfc/rfc7644',
    patch: { supported: false },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: COUNT_MAX },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'OAuth Bearer Token',
        description: 'A bearer token made by an administrator of the gateway.',
        specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
  };
}

function resourceTypes(base: string) {
  return RESOURCE_TYPE_DOCUMENTS.map((document) => ({
    ...document,
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${document.id}` },
  }));
}

function schemas(base: string) {
  return SCHEMA_DOCUMENTS.map((document) => ({
    ...document,
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${document.id}` },
  }));
}

function list(resources: readonly object[]): string {
  return JSON.stringify({
    schemas: [LIST_SCHEMA],
    totalResults: resources.length,
    startIndex: 1,
    itemsPerPage: resources.length,
    Resources: resources,
  });
}

function byId<Document extends { readonly id: string }>(
  documents: readonly Document[],
  id: string,
  what: string,
): Document {
  const found = documents.find((document) => foldCase(document.id) === foldCase(id));
  if (found === undefined) throw new NotFoundError(`There is no ${what} "${id.slice(0, 128)}".`);
  return found;
}

/** RFC 7644 section 4: a filter on a discovery endpoint is 403. */
function refuseFilter(request: Request): void {
  if (request.query['filter'] !== undefined) throw new ForbiddenError('Discovery endpoints cannot be filtered.');
}
