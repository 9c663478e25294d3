// Edits of single resources by hand or by a SCIM client: create, replace, patch, delete. Each is one transaction with
// its line in the change log. What the active inbound provider owns is not edited here unless a setting says so.

import { randomUUID } from 'node:crypto';
import type { ResourceSchema } from '#core/attributes.ts';
import { canonical } from '#core/canonical.ts';
import { type Document, finish } from '#core/coerce.ts';
import { ConflictError, InputError, NotFoundError, PreconditionError, UnavailableError } from '#core/errors.ts';
import { isUuid } from '#core/ids.ts';
import { nameKey } from '#core/names.ts';
import { applyPatch, type MemberChange, type PatchOperation } from '#core/patch.ts';
import {
  ENTERPRISE_SCHEMA,
  GATEWAY_SCHEMA,
  PROVIDER_KINDS,
  type ProviderKindName,
  type ResourceType,
} from '#core/resource.ts';
import { searchForm } from '#core/search.ts';
import { writeAudit } from '#store/access/audit.ts';
import { transactAgain } from '#store/again.ts';
import type { Database, Db } from '#store/database.ts';
import { isRetryable } from '#store/database-errors.ts';
import type { ResourceReader, Stored } from '#store/directory/resource-reader.ts';
import {
  asConflict,
  changeMembers,
  deleteManual,
  fillGroup,
  insertManual,
  lockResource,
  updateResource,
  type WrittenColumns,
} from '#store/directory/resource-writes.ts';
import { lockGroupsOf } from '#store/directory/resources.ts';
import type { ServedRow } from '#store/directory/served.ts';
import { touch } from '#store/mirror/touched.ts';
import { readActiveProvider } from '#store/source/settings.ts';
import { readDirectorySettings } from './directory.ts';

export interface EditParts {
  readonly database: Database;
  readonly reader: ResourceReader;
  readonly schemas: Readonly<Record<ResourceType, ResourceSchema>>;
}

/** Who asks, and of what. */
export interface Edit {
  readonly type: ResourceType;
  /** For the change log: `token:<id>`. */
  readonly actor: string;
  /** Whether it is an act of administration, which the audit log has beside the change log. */
  readonly audited?: true | undefined;
}

export interface EditOfOne extends Edit {
  /** A UUID in lower case. */
  readonly id: string;
  /** Whether the present version is one that the caller expects; absent when any is. */
  readonly expects?: ((version: string) => boolean) | undefined;
}

/** What an edit came to. `row` is there when the write answered it in one go. */
export interface Edited {
  readonly version: string;
  readonly changed: boolean;
  readonly row?: ServedRow | undefined;
  /** The write took the resource out of the scope, and with that out of the directory. */
  readonly gone?: true;
}

/** What a creation came to. */
export interface Created extends Edited {
  /** Another than the one that was promised for whom an identity provider has found, or brought back. */
  readonly id: string;
  /** It is not new: an identity provider has found it. */
  readonly found?: true;
}

/** How often an edit is tried again when somebody else wrote in between. */
const TRIES = 20;

/**
 * A new resource of origin `manual`.
 * @param members of a group, by our ids
 * @param id for a resource whose id was promised before it was made
 * @throws {InputError} `invalidValue`: a member that there is not
 * @throws {ConflictError} `uniqueness`
 */
export async function createResource(
  { database, schemas }: EditParts,
  { type, actor, audited }: Edit,
  { document, members, id = randomUUID() }: { document: Document; members: readonly string[]; id?: string },
): Promise<Created> {
  const marked = type === 'User' ? { active: true, ...document, [GATEWAY_SCHEMA]: { origin: 'manual' } } : document;
  const columns = columnsOf(type, finish(schemas[type], marked));
  const resource = { id, type, actor };
  if (members.length === 0 && audited === undefined) {
    const row = await tried(database, (on) => insertManual(on, resource, columns));
    return { id, version: row.version, changed: true, row };
  }
  return transact(database, async (tx) => {
    const row = await insertManual(tx, resource, columns);
    if (members.length > 0) await fillGroup(tx, id, members);
    await audit(tx, { type, id, actor, audited }, 'create');
    return { id, version: row.version, changed: true };
  });
}

/**
 * The resource as the document says, but for what only the service sets; `active` stays where it says nothing of it.
 * @param members of a group; undefined leaves them as they are
 * @throws {NotFoundError} @throws {PreconditionError} @throws {ConflictError} @throws {InputError} `mutability`
 */
export async function replaceResource(
  parts: EditParts,
  edit: EditOfOne,
  { document, members }: { document: Document; members: readonly string[] | undefined },
): Promise<Edited> {
  const changes: readonly MemberChange[] = members === undefined ? [] : [{ kind: 'replace', ids: members }];
  return change(parts, edit, (stored) => ({
    document: finish(parts.schemas[edit.type], {
      ...activeOf(stored),
      ...document,
      ...keptBy(parts.schemas[edit.type], stored),
    }),
    members: changes,
  }));
}

/**
 * All operations or none.
 * @throws {NotFoundError} @throws {PreconditionError} @throws {ConflictError}
 * @throws {InputError} whatever `applyPatch` throws, and `mutability`
 */
export async function patchResource(
  parts: EditParts,
  edit: EditOfOne,
  operations: readonly PatchOperation[],
): Promise<Edited> {
  return change(parts, edit, (stored) => applyPatch(parts.schemas[edit.type], stored, operations, edit.id));
}

/** @throws {NotFoundError} @throws {PreconditionError} @throws {InputError} `mutability` */
export async function deleteResource(parts: EditParts, { type, id, actor, expects, audited }: EditOfOne) {
  const stored = await readEditable(parts, { type, id, expects });
  await transact(parts.database, async (tx) => {
    await lockGroupsOf(tx, id);
    const version = await lockResource(tx, id);
    if (version !== undefined && version !== stored.version) checkVersion({ type, id, expects }, version);
    if (version === undefined || !(await deleteManual(tx, id, type, actor))) throw missing(type, id);
    await audit(tx, { type, id, actor, audited }, 'delete');
    // Edits are seen by the digest that they take away; of what is gone nothing is left to see.
    const externalId = JSON.parse(stored.body)['externalId'];
    if (isProvider(stored.origin) && typeof externalId === 'string') await touch(tx, stored.origin, type, [externalId]);
  });
}

/** Names what was changed and not to what: the log is kept longer than people are. */
async function audit(
  tx: Db,
  { type, id, actor, audited }: Pick<EditOfOne, 'type' | 'id' | 'actor' | 'audited'>,
  verb: 'create' | 'change' | 'delete',
  attributes?: readonly string[],
): Promise<void> {
  if (audited === undefined) return;
  const action = `${type === 'User' ? 'user' : 'group'}.${verb}`;
  await writeAudit(tx, { actor, action, object: id, ...(attributes === undefined ? {} : { detail: { attributes } }) });
}

export function missing(type: ResourceType, id: string): NotFoundError {
  return new NotFoundError(`There is no ${type} with the id "${id.slice(0, 64)}".`);
}

type Changing = (stored: Document) => { readonly document: Document; readonly members: readonly MemberChange[] };

async function change(parts: EditParts, edit: EditOfOne, changing: Changing): Promise<Edited> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const stored = await readEditable(parts, edit);
    const edited = await changeOnce(parts, edit, stored, changing);
    if (edited !== undefined) return edited;
    if (edit.expects !== undefined) throw stale(edit);
  }
  throw new ConflictError('Others write to this resource all the time.', {
    reason: 'too-much-contention',
    remedy: 'Try again later.',
  });
}

/** Undefined when somebody else wrote meanwhile. */
async function changeOnce(
  { database }: EditParts,
  edit: EditOfOne,
  stored: Stored,
  changing: Changing,
): Promise<Edited | undefined> {
  const before: Document = JSON.parse(stored.body);
  const { document: changed, members } = changing(before);
  const document = withActive(before, withAnchor(stored, before, changed));
  const attributes = changedAttributes(before, document);
  const unchanged = attributes.length === 0;
  const update = (on: Database | Db): Promise<ServedRow | undefined> =>
    updateResource(
      on,
      {
        ...edit,
        version: stored.version,
        operation: before['active'] !== false && document['active'] === false ? 'deactivate' : 'update',
        attributes,
      },
      columnsOf(edit.type, document),
    );
  if (members.length === 0 && unchanged) return { version: stored.version, changed: false };
  if (members.length === 0 && edit.audited === undefined) {
    const row = await tried(database, update);
    return row && { version: row.version, changed: true, row };
  }
  return transact(database, async (tx) => {
    const version = await lockResource(tx, edit.id);
    if (version === undefined) throw missing(edit.type, edit.id);
    if (version !== stored.version && (!unchanged || edit.expects !== undefined)) return undefined;
    const row = unchanged ? undefined : await update(tx);
    const newest = members.length === 0 ? undefined : await changeMembers(tx, edit.id, members, edit.actor);
    const changed = newest !== undefined || row !== undefined;
    if (changed) await audit(tx, edit, 'change', [...attributes, ...(newest === undefined ? [] : ['members'])]);
    return { version: newest?.version ?? row?.version ?? version, changed };
  });
}

/** @throws {NotFoundError} @throws {PreconditionError} @throws {InputError} `mutability` */
async function readEditable(
  { database, reader }: EditParts,
  edit: Pick<EditOfOne, 'type' | 'id' | 'expects'>,
): Promise<Stored> {
  const stored = await reader.readStored(edit.type, edit.id);
  if (stored === undefined) throw missing(edit.type, edit.id);
  checkVersion(edit, stored.version);
  if (stored.origin !== 'manual') await checkOwner(database.knex, stored.origin);
  return stored;
}

/** @throws {PreconditionError} */
export function checkVersion(edit: Pick<EditOfOne, 'type' | 'id' | 'expects'>, version: string): void {
  if (edit.expects !== undefined && !edit.expects(version)) throw stale(edit);
}

function stale({ type, id }: Pick<EditOfOne, 'type' | 'id'>): PreconditionError {
  return new PreconditionError(`The ${type} "${id}" is not of the version that was asked for.`, {
    remedy: 'Read it again, then repeat the change.',
  });
}

function isProvider(origin: string): origin is ProviderKindName {
  return PROVIDER_KINDS.some((kind) => kind === origin);
}

async function checkOwner(db: Db, origin: string): Promise<void> {
  const active = await readActiveProvider(db);
  if (active?.kind !== origin) return;
  const { localEdits } = await readDirectorySettings(db);
  if (localEdits === 'overwrite') return;
  throw new InputError(`The inbound provider "${origin}" owns this resource, and what it says is what counts.`, {
    scimType: 'mutability',
    reason: 'owned-by-provider',
    remedy: 'Change it there; the next run brings the change here.',
  });
}

/** Of what a provider owns, `externalId` is the link to the source, and stays: without it the next run would lose it. */
function withAnchor({ origin }: Stored, before: Document, { externalId, ...document }: Document): Document {
  const kept = origin === 'manual' ? externalId : before['externalId'];
  return kept === undefined ? document : { ...document, externalId: kept };
}

/** Nobody is neither active nor inactive: who is no longer said to be either is active, as whoever is made without it. */
function withActive(before: Document, document: Document): Document {
  return before['active'] === undefined || document['active'] !== undefined ? document : { ...document, active: true };
}

/** A document that says nothing of it neither enables a disabled account nor disables another. */
export function activeOf({ active }: Document): Document {
  return active === undefined ? {} : { active };
}

/** Attributes that only the service sets stay as they are, whatever a client sends. */
export function keptBy(schema: ResourceSchema, stored: Document): Document {
  const kept: Document = {};
  for (const { id, attributes } of schema.extensions)
    if ([...attributes.values()].every(({ mutability }) => mutability === 'readOnly') && stored[id] !== undefined)
      kept[id] = stored[id];
  return kept;
}

export function changedAttributes(before: Document, after: Document): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isSame(before[name], after[name])).sort();
}

/** Most are the same to the letter, which is cheap to see. */
export function isSame(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) === JSON.stringify(after) || canonical(before) === canonical(after);
}

function columnsOf(type: ResourceType, document: Document): WrittenColumns {
  const name = String(type === 'User' ? document['userName'] : document['displayName']);
  const enterprise = document[ENTERPRISE_SCHEMA] as { manager?: { value?: string } } | undefined;
  const manager = enterprise?.manager?.value;
  return {
    externalId: (document['externalId'] as string | undefined) ?? null,
    nameKey: nameKey(name),
    display: String(document['displayName'] ?? name),
    uniqueKey: type === 'User' ? nameKey(name) : null,
    active: document['active'] !== false,
    body: JSON.stringify(document),
    search: searchForm(document),
    managerId: manager !== undefined && isUuid(manager) ? manager.toLowerCase() : null,
  };
}

/** A transaction, tried again when two writers locked each other out. @throws {ConflictError} a name or an externalId that somebody has */
export function transact<Answer>(database: Database, work: (tx: Db) => Promise<Answer>): Promise<Answer> {
  return orConflict(transactAgain(database.knex, work));
}

/**
 * The same of a single statement, which two writers can lock each other out by too: those that want the same name wait for
 * each other when it is checked, at commit. A violated key that speaks then is a conflict like any other.
 */
function tried<Answer>(database: Database, write: (on: Database | Db) => Promise<Answer>): Promise<Answer> {
  return orConflict(transactAgain(database.knex, write, () => write(database)));
}

async function orConflict<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    throw isRetryable(error) ? crowded(error) : asConflict(error);
  }
}

function crowded(cause: unknown): UnavailableError {
  return new UnavailableError('Too many write to the same resources at the moment.', {
    reason: 'too-much-contention',
    remedy: 'Try again later.',
    cause,
  });
}
