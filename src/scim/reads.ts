// One resource: GET, and what a write answers.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { NotFoundError } from '#core/errors.ts';
import { isId } from '#core/ids.ts';
import { jsonText } from '#core/json.ts';
import type { ResourceType } from '#core/resource.ts';
import { principalOf } from '#http/auth.ts';
import { etagOf, names } from '#http/etag.ts';
import { setField, writeHead } from '#http/fields.ts';
import type { Served } from '#store/directory/served.ts';
import { missing } from '#sync/edits.ts';
import { setPlace } from './answers.ts';
import type { ScimParts } from './parts.ts';
import { type AskedAttributes, makeProjection } from './projection.ts';
import { sendOne } from './sending.ts';
import { type View, viewOf } from './view.ts';

export const ENDPOINT: Readonly<Record<ResourceType, string>> = { User: '/Users', Group: '/Groups' };

/** Where a resource is found: its `meta.location`. */
export function locationOf({ publicUrl }: Pick<ScimParts, 'publicUrl'>, type: ResourceType, id: string): string {
  return `${publicUrl()}/scim/v2${ENDPOINT[type]}/${id}`;
}

/** @throws {NotFoundError} resources of this type are out of the consumer's scope */
export function seeing(request: IncomingMessage, type: ResourceType): View {
  const view = viewOf(principalOf(request).scope);
  if (!view.types.includes(type)) throw new NotFoundError(`There is no endpoint ${ENDPOINT[type]} for this token.`);
  return view;
}

/** One resource that is asked for by its id. */
export interface Single {
  readonly type: ResourceType;
  readonly id: string;
  readonly asked: AskedAttributes;
}

/** @throws {NotFoundError} there is none, or it is not to be seen @throws {InputError} */
export async function answerOne(
  parts: ScimParts,
  { type, id, asked }: Single,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const view = seeing(request, type);
  const found = isId(id) ? await readOne(parts, type, id, view, asked) : undefined;
  if (found === undefined) throw missing(type, id);
  setPlace(response, locationOf(parts, type, found.id));
  setField(response, 'etag', etagOf(found.version));
  const projection = makeProjection(view, type, asked);
  const known = request.headers['if-none-match'];
  // Whose memberships a scope shows can change while both ends of them stay as they are.
  const isSettled = view.visible === undefined || !projection.related;
  if (known !== undefined && isSettled && names(known, found.version)) {
    writeHead(response, 304);
    response.end();
    return;
  }
  await sendOne(parts, { row: found, projection, view }, request, response);
}

/** @param id a UUID in lower case */
export async function readOne(
  { reader, publicUrl }: ScimParts,
  type: ResourceType,
  id: string,
  view: View,
  asked: AskedAttributes,
): Promise<Served | undefined> {
  const { related } = makeProjection(view, type, asked);
  const base = jsonText(`${publicUrl()}/scim/v2`);
  const [found] = await reader.lookUp(type, 'id', id, { base, related: related ? [type] : [], visible: view.visible });
  return found;
}
