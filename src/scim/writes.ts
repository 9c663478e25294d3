// Writes of single resources (RFC 7644 sections 3.3, 3.5 and 3.6), the same for a request and for an operation in Bulk.

import { coerceResource, type Document, memberIds, resourceFields } from '#core/coerce.ts';
import { ForbiddenError } from '#core/errors.ts';
import { isId } from '#core/ids.ts';
import { parsePatch } from '#core/patch.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Principal } from '#http/auth.ts';
import {
  type Created,
  createResource,
  deleteResource,
  type Edit,
  type Edited,
  type EditOfOne,
  type EditParts,
  missing,
  patchResource,
  replaceResource,
} from '#sync/edits.ts';
import { pushCreate, pushDelete, pushPatch, pushReplace } from '#sync/push/push.ts';
import { isPushed } from '#sync/push/push-source.ts';
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

/** A resource whose id was promised before it is made. */
export interface Promised {
  readonly id: string;
  /** The members of a group come later: what is here already keeps those that it has. */
  readonly isBare?: true;
}

/** What a principal may write. Every function throws what `sync/edits.ts` does. */
export interface Writer {
  create(type: ResourceType, body: unknown, promised?: Promised): Promise<Created>;
  replace(target: Target, body: unknown): Promise<Edited>;
  patch(target: Target, body: unknown): Promise<Edited>;
  remove(target: Target): Promise<void>;
}

/** @throws {ForbiddenError} `read-only`, `scope-limited` */
export function writerFor(parts: ScimParts, principal: Principal): Writer {
  checkMayWrite(principal);
  const way = (): Promise<Way> => wayOf(parts, principal);
  const actor = `token:${principal.tokenId}`;
  return {
    async create(type, body, promised) {
      const { document, members } = read(type, body);
      const { create } = await way();
      const id = promised === undefined ? {} : { id: promised.id };
      return create({ type, actor }, { document, members: promised?.isBare ? undefined : members, ...id });
    },
    async replace(target, body) {
      const { document, members, clears } = read(target.type, body);
      const { replace } = await way();
      return replace(
        { actor, ...known(target) },
        { document, members: target.type === 'Group' ? members : undefined, clears },
      );
    },
    async patch(target, body) {
      const operations = parsePatch(body);
      const { patch } = await way();
      return patch({ actor, ...known(target) }, operations);
    },
    async remove(target) {
      const { remove } = await way();
      await remove({ actor, ...known(target) });
    },
  };
}

/** What writes of a principal are: edits by hand, or the identity provider's. */
interface Way {
  create(edit: Edit, given: Parameters<typeof pushCreate>[2]): Promise<Created>;
  replace(edit: EditOfOne, given: Parameters<typeof pushReplace>[2]): Promise<Edited>;
  patch(edit: EditOfOne, operations: Parameters<typeof patchResource>[2]): Promise<Edited>;
  remove(edit: EditOfOne): Promise<void>;
}

/** Administrators write by hand; an app does so only while it is not the identity provider's. @throws {ForbiddenError} */
async function wayOf({ database, reader, push }: ScimParts, { scopes, appId }: Principal): Promise<Way> {
  const byHand = push === undefined || scopes.includes('admin') || !(await isPushed(push, database.knex, appId));
  if (!byHand)
    return {
      create: (edit, given) => pushCreate(push, edit, given),
      replace: (edit, given) => pushReplace(push, edit, given),
      patch: (edit, operations) => pushPatch(push, edit, operations),
      remove: (edit) => pushDelete(push, edit),
    };
  const edits: EditParts = { database, reader, schemas: RESOURCE_SCHEMAS };
  return {
    create: (edit, given) => createResource(edits, edit, { ...given, members: given.members ?? [] }),
    replace: (edit, given) => replaceResource(edits, edit, given),
    patch: (edit, operations) => patchResource(edits, edit, operations),
    remove: (edit) => deleteResource(edits, edit),
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

interface Given {
  readonly document: Document;
  readonly members: readonly string[];
  /** `externalId` is named and has no value (RFC 7643 section 2.5). */
  readonly clears: boolean;
}

function read(type: ResourceType, body: unknown): Given {
  const schema = RESOURCE_SCHEMAS[type];
  const document = coerceResource(schema, body);
  const fields = resourceFields(schema, body);
  return {
    document,
    members: type === 'Group' ? memberIds(fields.get('members')) : [],
    clears: fields.has('externalid') && document['externalId'] === undefined,
  };
}

/** @throws {NotFoundError} no id of ours has this form */
function known(target: Target): Target {
  if (!isId(target.id)) throw missing(target.type, target.id);
  return target;
}
