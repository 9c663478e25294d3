// The identity provider that writes to us, as a transaction of its finds it: active, with the settings of now; and its
// resources in both forms, the record that it wrote and what is served.
import { type Document, finish } from '#core/coerce.ts';
import { ForbiddenError, type GatewayError } from '#core/errors.ts';
import { nameKey } from '#core/names.ts';
import type { MemberChange } from '#core/patch.ts';
import type { PushPolicy, RunPolicy } from '#core/policy.ts';
import type { ProviderKind, PullProvider } from '#core/provider.ts';
import {
  ENTERPRISE_SCHEMA,
  GATEWAY_SCHEMA,
  type ProviderKindName,
  type Resource,
  type ResourceType,
} from '#core/resource.ts';
import { searchForm } from '#core/search.ts';
import type { Log } from '#platform/log.ts';
import type { Seal } from '#platform/seal.ts';
import type { Database, Db } from '#store/database.ts';
import type { ResourceWrite } from '#store/directory/resources.ts';
import type { MirrorRecord } from '#store/mirror/mirror.ts';
import { noteWrite } from '#store/source/push-guard.ts';
import { holdProviders, type Pushed } from '#store/source/pushed.ts';
import { listProviders } from '#store/source/settings.ts';
import type { EditParts } from '../edits.ts';
import { openSettings } from '../provider/settings.ts';
import { distinctRecords, normalise, type SentRecord } from '../read/normalise.ts';

export interface PushParts extends EditParts {
  /** The kind that writes to us. */
  readonly kind: ProviderKind;
  readonly seal: Seal;
  titleOf(kind: ProviderKindName): string;
  /** Called when a run was queued. */
  wake(): void;
  /** Notes that the identity provider writes. Never waited for. */
  noteWrite(): void;
}

/** What decides about one write. Stays as it is until its transaction ends. */
export interface Source {
  readonly provider: PullProvider;
  readonly policy: RunPolicy;
  readonly push: PushPolicy;
  readonly configVersion: string;
  readonly salt: string;
}

/** What a write came to: an answer, or an error that is thrown once what was written down is committed. */
export type Outcome<Answer> = { readonly answer: Answer } | { readonly refused: GatewayError };

/** One write under way. */
export interface Writing {
  readonly parts: PushParts;
  readonly tx: Db;
  readonly source: Source;
  readonly type: ResourceType;
  readonly actor: string;
}

/** What the client wants of one resource. */
export interface Wish {
  readonly document: Document;
  readonly members: readonly MemberChange[];
}

/** Opened once for each version of the settings. */
const opened = new WeakMap<PushParts['kind'], Source>();

/** @throws {ForbiddenError} `provider-inactive`: another provider is active, or none is */
export async function openSource(parts: PushParts, tx: Db): Promise<Source> {
  const rows = await holdProviders(tx);
  const row = rows.find(({ kind }) => kind === parts.kind.kind);
  const active = rows.find((one) => one.active);
  if (row === undefined || active?.kind !== parts.kind.kind) throw inactive(parts, active?.kind);
  const known = opened.get(parts.kind);
  if (known?.configVersion === row.config_version) return known;
  const settings = openSettings(parts.kind, row, parts.seal);
  const source: Source = {
    provider: parts.kind.open(settings),
    policy: parts.kind.policy(settings),
    push: pushPolicyOf(parts.kind, settings),
    configVersion: row.config_version,
    salt: `${row.config_version}\n`,
  };
  opened.set(parts.kind, source);
  return source;
}

function pushPolicyOf(kind: ProviderKind, settings: unknown): PushPolicy {
  const policy = kind.push?.(settings);
  if (policy === undefined) throw new Error(`${kind.kind} does not write to us`);
  return policy;
}

/**
 * Whether a write of this app is the identity provider's: true while that is active, false when it makes manual entries.
 * @throws {ForbiddenError} `provider-inactive`
 */
export async function isPushed(parts: PushParts, db: Db, appId: string | null): Promise<boolean> {
  const rows = await listProviders(db);
  const row = rows.find(({ kind }) => kind === parts.kind.kind);
  const active = rows.find((one) => one.active);
  if (row !== undefined) {
    const { appId: only } = pushPolicyOf(parts.kind, openSettings(parts.kind, row, parts.seal));
    if (only !== null && only !== appId) return false;
  }
  if (active?.kind === parts.kind.kind) return true;
  if (active === undefined && row === undefined) return false;
  throw inactive(parts, active?.kind);
}

function inactive({ kind, titleOf }: PushParts, active: ProviderKindName | undefined): ForbiddenError {
  const now = active === undefined ? 'no inbound provider is' : `"${active}" (${titleOf(active)}) is`;
  return new ForbiddenError(`Identities do not come from "${kind.kind}" (${kind.title}) now: ${now} active.`, {
    reason: 'provider-inactive',
    remedy: `An administrator can activate "${kind.kind}", or switch to it.`,
    details: { active: active ?? null },
  });
}

/** What the mirror keeps of a written resource; its provider alone reads it. */
export interface WrittenRecord {
  readonly id: string;
  readonly manager?: string | undefined;
  readonly document: Document;
}

/** The document that a client sees and changes: what it wrote, or what is served of somebody who came otherwise. */
export function documentOf(present: Pushed): Document {
  if (present.record !== null) return (JSON.parse(present.record) as WrittenRecord).document;
  const { [GATEWAY_SCHEMA]: _gateway, ...document } = JSON.parse(present.body) as Document;
  return document;
}

export function managerIdOf(document: Document): string | undefined {
  return (document[ENTERPRISE_SCHEMA] as { manager?: { value?: string } } | undefined)?.manager?.value;
}

/** A record with what it means, as the mirror keeps it, and as the directory would serve it. */
export interface Meant {
  readonly sent: SentRecord;
  readonly mirror: MirrorRecord;
  /** Absent for a record that is out of scope. */
  readonly body: Document | undefined;
}

export function meaningOf(
  { provider, salt }: Source,
  { schemas }: PushParts,
  type: ResourceType,
  record: WrittenRecord,
): Meant {
  const [sent] = distinctRecords(provider, [record], salt);
  if (sent === undefined) throw new Error('one record is one record');
  const result = provider.normalise(record, type);
  const mirror = normalise(provider, type, sent);
  return {
    sent,
    mirror,
    body: 'resource' in result ? served(result.resource, record.document, schemas[type]) : undefined,
  };
}

/** The manager by our id, as it was written: also of one whom the same client did not write. */
function served(
  resource: Resource,
  { [ENTERPRISE_SCHEMA]: company }: Document,
  schema: EditParts['schemas'][ResourceType],
): Document {
  const manager = (company as { manager?: object } | undefined)?.manager;
  const enterprise = { ...((resource as unknown as Document)[ENTERPRISE_SCHEMA] as object | undefined) };
  const { manager: _anchor, ...others } = enterprise as { manager?: unknown };
  return finish(schema, { ...resource, [ENTERPRISE_SCHEMA]: manager === undefined ? others : { ...others, manager } });
}

/** A row of the directory that is as its record says. `managerId` only of a manager whom the same client wrote. */
export function toWrite(
  id: string,
  type: ResourceType,
  { mirror }: Meant,
  body: Document,
  managerId: string | null,
): ResourceWrite {
  const { external_id: anchor, digest, manager_external_id: manager } = mirror;
  return { ...rowOf(id, type, anchor, body), digest, manager_external_id: manager, manager_id: managerId };
}

/** A row of the directory that is not, or not yet, as its record says. */
export function rowOf(id: string, type: ResourceType, anchor: string, body: Document): ResourceWrite {
  const name = String(type === 'User' ? body['userName'] : body['displayName']);
  return {
    id,
    resource_type: type,
    origin: 'scim',
    external_id: anchor,
    name_key: nameKey(name),
    display: String(body['displayName'] ?? name),
    unique_key: type === 'User' ? nameKey(name) : null,
    active: type === 'Group' || body['active'] !== false,
    body: JSON.stringify(body),
    search: searchForm(body),
    digest: null,
    manager_external_id: null,
    manager_id: null,
    left: false,
  };
}

/** How often the time of the last write is stored: once a second tells an administrator enough. */
const NOTE_EVERY_MS = 1_000;

/** Notes that the identity provider writes, now and then. */
export function makeNoteWrite(database: Database, now: () => number, log: Pick<Log, 'warn'>): () => void {
  let notedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - notedAt < NOTE_EVERY_MS) return;
    notedAt = now();
    noteWrite(database.knex).catch((error: unknown) => log.warn({ err: error }, 'write not noted'));
  };
}
