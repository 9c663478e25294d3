// The SCIM 2.0 edge, /scim/v2 (RFC 7643, RFC 7644). Reads the directory through the store; knows no provider.
import { Router } from 'express';
import { type Authenticator, requireScope, requireToken } from '#http/auth.ts';
import { type Database, translateDatabaseError } from '#store/database.ts';
import { discoveryRoutes } from './discovery.ts';
import { noScimRoute, scimErrorHandler } from './errors.ts';
import { resourceRoutes } from './resources.ts';

export interface ScimParts {
  readonly database: Database;
  readonly authenticator: Authenticator;
  /** Base of every URL we hand out, without a trailing slash. */
  publicUrl(): string;
}

export function scimRouter(parts: ScimParts): Router {
  return Router()
    .use(requireToken(parts.authenticator), requireScope('scim:read', 'scim:write', 'admin', 'operator', 'viewer'))
    .use(discoveryRoutes(parts))
    .use(resourceRoutes('User', parts))
    .use(resourceRoutes('Group', parts))
    .use(noScimRoute)
    .use(scimErrorHandler(translateDatabaseError));
}
