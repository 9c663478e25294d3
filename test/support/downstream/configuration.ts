// What a downstream service says of itself (RFC 7643 sections 5 to 7).
import type { Manners } from './manners.ts';
import { type Doc, ENTERPRISE, GROUP, type SchemaTable, schemaResources, USER } from './schema.ts';

/** The answer to a look at one of the three endpoints; undefined for any other. */
export function configurationOf(place: string, manners: Manners, schemas: SchemaTable): Doc | undefined {
  if (manners.noConfiguration === true) return undefined;
  if (place === 'ServiceProviderConfig') return serviceProvider(manners);
  if (place === 'Schemas') return list(schemaResources(schemas));
  if (place !== 'ResourceTypes') return undefined;
  const schemaExtensions = ENTERPRISE in schemas ? [{ schema: ENTERPRISE, required: false }] : [];
  const type = (name: string, schema: string, more: Doc): Doc => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: name,
    name,
    endpoint: `/${name}s`,
    schema,
    ...more,
  });
  return list([type('User', USER, { schemaExtensions }), type('Group', GROUP, {})]);
}

function serviceProvider({ noPatch, filters, bulk, etags, needsMatch }: Manners): Doc {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: noPatch !== true },
    bulk: { supported: bulk !== undefined, maxOperations: 0, maxPayloadSize: 0, ...bulk },
    filter: { supported: filters !== 'refused', maxResults: 1_000 },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: etags !== undefined && needsMatch !== true },
    authenticationSchemes: [],
  };
}

function list(Resources: readonly Doc[]): Doc {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:ListResponse'];
  return { schemas, totalResults: Resources.length, startIndex: 1, itemsPerPage: Resources.length, Resources };
}
