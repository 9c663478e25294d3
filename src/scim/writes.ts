// Writes of single resources (RFC 7644 sections 3.3, 3.5 and 3.6), the same for a request and for an operation in Bulk.

import { coerceResource, type Document, fieldsOf, memberIds } from '#core/coerce.ts';
import { ForbiddenError } from '#core/errors.ts';
import { isUuid } from '#core/ids.ts';
import { parsePatch } from '#core/patch.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Principal } from '#http/auth.ts';
import {
  createResource,
  deleteResource,
  type Edited,
  type EditParts,
  missing,
  patchResource,
  replaceResource,
} from '#sync/edits.ts';
import type { ScimParts } from './parts.ts';
import { RESOURCE_SCHEMAS } from './scimmy.ts';
import { viewOf } from './view.ts';

/** One resource to be written. */
export interface Target {
  readonly type: ResourceType;
  readonly id: string;
  /** What the caller expects of the present version; undefined when it does not mind. */
  readonly expects?: ((version: string) => boolean) | undefined;
}

/** What a principal may write. Every function throws what `sync/edits.ts` does. */
export interface Writer {
  /** @param id for a resource whose id was promised before it was made */
  create(type: ResourceType, body: unknown, id?: string): Promise<Edited & { readonly id: string }>;
  replace(target: Target, body: unknown): Promise<Edited>;
  patch(target: Target, body: unknown): Promise<Edited>;
  remove(target: Target): Promise<void>;
}

/** @throws {ForbiddenError} `read-only`, `scope-limited` */
export function writerFor(parts: ScimParts, principal: Principal): Writer {
  checkMayWrite(principal);
  const edits: EditParts = { database: parts.database, reader: parts.reader, schemas: RESOURCE_SCHEMAS };
  const actor = `token:${principal.tokenId}`;
  return {
    async create(type, body, id) {
      const { document, members } = read(type, body);
      return createResource(edits, { type, actor }, { document, members, ...(id === undefined ? {} : { id }) });
    },
    async replace(target, body) {
      const { document, members } = read(target.type, body);
      return replaceResource(
        edits,
        { actor, ...known(target) },
        { document, members: target.type === 'Group' ? members : undefined },
      );
    },
    async patch(target, body) {
      return patchResource(edits, { actor, ...known(target) }, parsePatch(body));
    },
    async remove(target) {
      await deleteResource(edits, { actor, ...known(target) });
    },
  };
}

function checkMayWrite({ scopes, scope, name }: Principal): void {
  if (!scopes.includes('scim:write') && !scopes.includes('admin'))
    throw new ForbiddenError(`The token of "${name}" may read only.`, {
      reason: 'read-only',
      remedy: 'Use a token that was made with the scope "scim:write".',
    });
  if (viewOf(scope).isLimited)
    throw new ForbiddenError(`"${name}" sees a part of the directory only, and so cannot change it.`, {
      reason: 'scope-limited',
      remedy: 'Use a token of an app without a scope.',
    });
}

function read(type: ResourceType, body: unknown): { document: Document; members: readonly string[] } {
  const document = coerceResource(RESOURCE_SCHEMAS[type], body);
  return { document, members: type === 'Group' ? memberIds(fieldsOf(body, 'The body').get('members')) : [] };
}

/** @throws {NotFoundError} no id of ours has this form */
function known(target: Target): Target {
  if (!isUuid(target.id)) throw missing(target.type, target.id);
  return { ...target, id: target.id.toLowerCase() };
}
