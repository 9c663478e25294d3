import { type Request, Router } from 'express';
import type { Attribute, Schema } from '#core/attributes.ts';
import { ForbiddenError, NotFoundError } from '#core/errors.ts';
import { SET_EVENTS } from '#core/events.ts';
import { foldCase } from '#core/search.ts';
import { principalOf } from '#http/auth.ts';
import { send } from './answers.ts';
import { BULK_BYTES_MAX, BULK_OPERATIONS_MAX } from './bulk-request.ts';
import { CURSOR_LIFE_SECONDS } from './cursor.ts';
import type { ScimParts } from './parts.ts';
import { COUNT_DEFAULT, COUNT_MAX } from './query.ts';
import { refuseMethod } from './resources.ts';
import { type DescribedAttribute, RESOURCE_TYPE_DOCUMENTS, SCHEMA_DOCUMENTS } from './scimmy.ts';
import { type View, viewOf } from './view.ts';

const CONFIG_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';
const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

/** What this service can do, and what its resources look like (RFC 7644 section 4). It says only what is true. */
export function discoveryRoutes({ publicUrl }: Pick<ScimParts, 'publicUrl'>): Router {
  const base = (): string => `${publicUrl()}/scim/v2`;
  return Router()
    .get('/ServiceProviderConfig', (request, response) => {
      refuseFilter(request);
      send(request, response, 200, JSON.stringify(serviceProviderConfig(base())));
    })
    .get('/ResourceTypes', (request, response) => {
      refuseFilter(request);
      send(request, response, 200, list(resourceTypes(base(), seeing(request))));
    })
    .get('/ResourceTypes/:id', (request, response) => {
      refuseFilter(request);
      const document = byId(resourceTypes(base(), seeing(request)), String(request.params['id']), 'resource type');
      send(request, response, 200, JSON.stringify(document));
    })
    .get('/Schemas', (request, response) => {
      refuseFilter(request);
      send(request, response, 200, list(schemas(base(), seeing(request))));
    })
    .get('/Schemas/:id', (request, response) => {
      refuseFilter(request);
      const document = byId(schemas(base(), seeing(request)), String(request.params['id']), 'schema');
      send(request, response, 200, JSON.stringify(document));
    })
    .all(
      ['/ServiceProviderConfig', '/ResourceTypes', '/ResourceTypes/:id', '/Schemas', '/Schemas/:id'],
      refuseMethod('GET, HEAD'),
    );
}

function seeing(request: Request): View {
  return viewOf(principalOf(request).scope);
}

function serviceProviderConfig(base: string): object {
  return {
    schemas: [CONFIG_SCHEMA],
    documentationUri: 'https://www.rfc-editor.org/rfc/rfc7644',
    patch: { supported: true },
    bulk: { supported: true, maxOperations: BULK_OPERATIONS_MAX, maxPayloadSize: BULK_BYTES_MAX },
    filter: { supported: true, maxResults: COUNT_MAX },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: COUNT_DEFAULT,
      maxPageSize: COUNT_MAX,
      cursorTimeout: CURSOR_LIFE_SECONDS,
    },
    // RFC 9967 section 4: requests are answered at once, and tokens tell of changes.
    securityEvents: { asyncRequest: 'none', eventUris: SET_EVENTS },
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

function resourceTypes(base: string, view: View) {
  const seen = seenSchemas(view);
  return RESOURCE_TYPE_DOCUMENTS.filter(({ id }) => view.types.includes(id)).map((document) => ({
    ...document,
    ...('schemaExtensions' in document
      ? { schemaExtensions: document.schemaExtensions.filter(({ schema }) => seen.has(schema)) }
      : {}),
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${document.id}` },
  }));
}

/** By id, with the attributes that the consumer sees: those of resources themselves, and the extensions of which it sees something. */
function seenSchemas({ types, schemas }: View): ReadonlyMap<string, Schema> {
  const seen = types.flatMap((type) => {
    const { core, extensions } = schemas[type];
    return [core, ...extensions.filter(({ attributes }) => attributes.size > 0)];
  });
  return new Map(seen.map((schema) => [schema.id, schema]));
}

function schemas(base: string, view: View) {
  const seen = seenSchemas(view);
  return SCHEMA_DOCUMENTS.flatMap((document) => {
    const mine = seen.get(document.id);
    if (mine === undefined) return [];
    const meta = { resourceType: 'Schema', location: `${base}/Schemas/${document.id}` };
    if (!view.isCut) return [{ ...document, meta }];
    return [{ ...document, attributes: cutAttributes(document.attributes, mine.attributes), meta }];
  });
}

function cutAttributes(
  described: readonly DescribedAttribute[],
  seen: ReadonlyMap<string, Attribute>,
): DescribedAttribute[] {
  return described.flatMap((attribute) => {
    const mine = seen.get(foldCase(attribute.name));
    if (mine === undefined) return [];
    const { subAttributes } = attribute;
    return subAttributes === undefined
      ? [attribute]
      : [{ ...attribute, subAttributes: cutAttributes(subAttributes, mine.sub) }];
  });
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
