// A resource of the directory as one target gets it. Pure: the same resource and policy make the same payload.
import { parsePath } from './filter.ts';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, type ResourceType } from './resource.ts';

import { foldCase } from './search.ts';
import type { PushPolicy } from './target.ts';
import { applyMapping, type Fields, isFields, readAt, writeAt } from './target-mapping.ts';

const CORE: Readonly<Record<ResourceType, string>> = {
  User: 'urn:ietf:params:scim:schemas:core:2.0:User',
  Group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
};

/** What no target is sent as it stands here. */
const OURS: ReadonlySet<string> = new Set(['id', 'meta', 'groups', 'members', 'password', GATEWAY_SCHEMA]);

export interface Outgoing {
  readonly payload: Fields;
  /** Required attributes that have no value. */
  readonly missing: readonly string[];
}

/**
 * @param managerRemoteId the manager as the target knows them; without it no manager is sent, and none of ours ever is
 */
export function outgoingForm(
  { id, type, document }: { readonly id: string; readonly type: ResourceType; readonly document: Readonly<Fields> },
  policy: Pick<PushPolicy, 'mapping' | 'exclude' | 'singleValued' | 'externalId'>,
  managerRemoteId: string | undefined,
  occasion: 'create' | 'update',
): Outgoing {
  // Only its own level is changed in place; what lies deeper is copied where it is changed.
  const payload: Fields = {};
  // Kept out rather than deleted: an object from which something was deleted is slow from then on.
  for (const name of Object.keys(document)) if (!OURS.has(name)) payload[name] = document[name];
  if (policy.externalId === 'id') payload['externalId'] = id;
  const extension = withManagerThere(payload[ENTERPRISE_SCHEMA], managerRemoteId);
  Object.assign(payload, extension);
  for (const path of policy.exclude) writeAt(payload, parsePath(path), undefined);
  const rules = policy.mapping[type];
  const missing = rules.length === 0 ? [] : applyMapping(rules, { ...document, ...extension, id }, payload, occasion);
  for (const name of policy.singleValued) cutToOne(payload, name);
  return { payload: withSchemas(type, payload), missing };
}

/** The enterprise extension, where there is one, with the manager by their id at the target. */
function withManagerThere(enterprise: unknown, remoteId: string | undefined): Readonly<Fields> {
  if (!isFields(enterprise)) return {};
  const { manager: _ours, ...rest } = enterprise;
  return { [ENTERPRISE_SCHEMA]: remoteId === undefined ? rest : { ...rest, manager: { value: remoteId } } };
}

function cutToOne(payload: Fields, name: string): void {
  const values = payload[name];
  if (!Array.isArray(values) || values.length < 2) return;
  payload[name] = [values.find((value) => isFields(value) && value['primary'] === true) ?? values[0]];
}

/** The URNs of what is in it, so that none is named that is not there. */
function withSchemas(type: ResourceType, payload: Fields): Fields {
  const schemas = [CORE[type]];
  const whole: Fields = { schemas };
  for (const name of Object.keys(payload)) {
    const value = payload[name];
    if (name === 'schemas' || (name.startsWith('urn:') && isFields(value) && Object.keys(value).length === 0)) continue;
    if (name.startsWith('urn:')) schemas.push(name);
    whole[name] = value;
  }
  return whole;
}

/** Of what a target has, what we send: for comparing both. */
export function managedPart(payload: Readonly<Fields>, remote: Readonly<Fields>): Fields {
  const part: Fields = {};
  for (const [name, value] of Object.entries(payload)) {
    const theirs = remote[name] ?? undefined;
    if (name === 'schemas' || theirs === undefined) continue;
    if (isFields(value) && isFields(theirs)) part[name] = managedPart(value, theirs);
    else if (Array.isArray(value) && Array.isArray(theirs)) part[name] = sameList(value, theirs) ? value : theirs;
    else part[name] = sameText(value, theirs) || isSameName(name, value, theirs) ? value : theirs;
  }
  return part;
}

/**
 * Of what was sent last, what is still ours to change: what was excluded since stays there as it is. Whether somebody may
 * work there is ours always.
 */
export function stillManaged(
  sent: Readonly<Fields>,
  after: Readonly<Fields>,
  { exclude }: Pick<PushPolicy, 'exclude'>,
): Readonly<Fields> {
  const left = exclude
    .map(parsePath)
    .filter(
      (path) => path.attribute !== 'active' && readAt(after, path) === undefined && readAt(sent, path) !== undefined,
    );
  if (left.length === 0) return sent;
  const part = { ...sent };
  for (const path of left) writeAt(part, path, undefined);
  return part;
}

/** No value that is ever sent: whatever it is to be differs from it, and so does being gone. */
const IN_DOUBT: readonly never[] = [];

/** What was sent, with what the target may have or not have taken since: it is sent again, whatever it is to be. */
export function inDoubt(sent: Readonly<Fields>, differing: readonly { readonly path: string }[]): Fields {
  const doubtful = structuredClone(sent) as Fields;
  for (const { path } of differing) writeAt(doubtful, parsePath(path), IN_DOUBT);
  return doubtful;
}

/** What a target has of what was or is to be sent, and of what was touched in between. */
export function standing(
  remote: Readonly<Fields>,
  forms: readonly Readonly<Fields>[],
  touched: readonly string[],
): Fields {
  const ours: Fields = {};
  for (const form of forms)
    for (const [name, value] of Object.entries(form)) {
      const known = ours[name];
      ours[name] = isFields(known) && isFields(value) ? { ...known, ...value } : value;
    }
  for (const path of touched.map(parsePath))
    if (readAt(ours, path) === undefined) writeAt(ours, path, readAt(remote, path));
  return managedPart(ours, remote);
}

/** Many keep user names in lower case; they are told apart without case (RFC 7643 section 4.1.1). */
function isSameName(name: string, ours: unknown, theirs: unknown): boolean {
  return name === 'userName' && foldCase(String(ours)) === foldCase(String(theirs));
}

/** Lists of values compare as sets, by what we say of each: a target may add a `display`, or sort them. */
function sameList(ours: readonly unknown[], theirs: readonly unknown[]): boolean {
  return (
    ours.length === theirs.length &&
    ours.every((value) => theirs.some((other) => (isFields(value) ? isPartOf(value, other) : sameText(value, other))))
  );
}

function isPartOf(ours: Fields, theirs: unknown): boolean {
  return (
    isFields(theirs) &&
    Object.entries(ours).every(
      ([name, value]) => sameText(value, theirs[name]) || (value === false && theirs[name] === undefined),
    )
  );
}

/** Some targets answer booleans and numbers as text. */
function sameText(ours: unknown, theirs: unknown): boolean {
  return (
    ours === theirs ||
    (typeof ours !== 'object' &&
      typeof theirs !== 'object' &&
      String(ours).toLowerCase() === String(theirs).toLowerCase() &&
      typeof ours !== 'string')
  );
}
