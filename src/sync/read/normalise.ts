import { canonical } from '#core/canonical.ts';
import { digestOf } from '#core/digest.ts';
import { nameKey } from '#core/names.ts';
import type { Handles, PullProvider } from '#core/provider.ts';
import { ENTERPRISE_SCHEMA, type Resource, type ResourceType } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import type { Db } from '#store/database.ts';
import type { MirrorRecord } from '#store/mirror/mirror.ts';
import { readExisting } from '#store/mirror/mirror-people.ts';

/** A record as it was sent, with the digest that says whether anything must be done about it. */
export interface SentRecord {
  readonly externalId: string;
  readonly raw: unknown;
  readonly text: string;
  readonly digest: Buffer;
}

/**
 * The distinct records of a page, of one that comes twice the later, as far as they are wanted; the text of any other is
 * let go at once. `salt` changes with the settings, so that a new mapping or scope looks at every record again.
 */
export function distinctRecords(
  provider: PullProvider,
  records: readonly unknown[],
  salt: string,
  isWanted: (record: SentRecord) => boolean = () => true,
): SentRecord[] {
  const distinct = new Map<string, unknown>();
  for (const raw of records) distinct.set(provider.externalId(raw), raw);
  const wanted: SentRecord[] = [];
  for (const raw of distinct.values()) {
    const record = sentRecord(provider, raw, salt);
    if (isWanted(record)) wanted.push(record);
  }
  return wanted;
}

/** One record as it was sent, with its digest. */
export function sentRecord(provider: PullProvider, raw: unknown, salt: string): SentRecord {
  const text = JSON.stringify(raw);
  return { externalId: provider.externalId(raw), raw, text, digest: digestOf(salt + text) };
}

/**
 * The records of a page as `normalise` makes them. Where a mapping sets attributes only on creation, they are those that
 * the directory has, for whoever is in it.
 */
export async function normaliseAll(
  db: Db,
  provider: PullProvider,
  type: ResourceType,
  sent: readonly SentRecord[],
): Promise<MirrorRecord[]> {
  const keep = provider.keepCreated;
  if (keep === undefined || sent.length === 0) return sent.map((record) => normalise(provider, type, record));
  const ids = sent.map(({ externalId }) => externalId);
  const existing = await readExisting(db, provider.kind, type, ids);
  return sent.map((record) => {
    const body = existing.get(record.externalId);
    const kept = body === undefined ? undefined : (now: Resource) => keep(now, JSON.parse(body) as Resource);
    return normalise(provider, type, record, kept);
  });
}

/** The record as a resource in its one spelling, or with the reason why it is out of scope. */
export function normalise(
  provider: PullProvider,
  type: ResourceType,
  sent: SentRecord,
  keep: ((now: Resource) => Resource) | undefined = undefined,
): MirrorRecord {
  const result = provider.normalise(sent.raw, type);
  const base = {
    external_id: sent.externalId,
    record: sent.text,
    record_digest: sent.digest,
    ...callingsOf(provider.handles?.(sent.raw, type), 'resource' in result ? result.resource : undefined),
  };
  if ('skip' in result)
    return {
      ...base,
      body: null,
      digest: null,
      name_key: null,
      manager_external_id: null,
      reason: result.skip,
      detail: result.detail ?? null,
      memberships: null,
      routes: null,
    };
  const resource = keep?.(result.resource) ?? result.resource;
  const body = canonical(resource);
  const person = 'userName' in resource;
  return {
    ...base,
    body,
    digest: digestOf(body),
    name_key: nameKey(person ? resource.userName : resource.displayName),
    manager_external_id: person ? (resource[ENTERPRISE_SCHEMA]?.manager?.value ?? null) : null,
    reason: null,
    detail: null,
    memberships: result.memberships ?? null,
    routes: result.routes ?? null,
  };
}

/** What the record is called, and what it may be called, each once, as the mirror keeps it. */
function callingsOf(
  given: Handles | undefined,
  resource: Resource | undefined,
): Pick<MirrorRecord, 'label' | 'handles'> {
  const person = resource !== undefined && 'userName' in resource ? resource : undefined;
  const names = texts([...(given?.names ?? []), person?.userName, resource?.displayName]);
  const emails = texts([...(given?.addresses ?? []), ...(person?.emails ?? []).map(({ value }) => value)]);
  const handles = [
    ...names.map((name) => `name:${foldCase(name)}`),
    ...emails.map((email) => `email:${foldCase(email)}`),
    ...texts(given?.anchors ?? []).map((anchor) => `anchor:${anchor}`),
  ];
  return { label: names[0] ?? null, handles: [...new Set(handles)] };
}

/** Without what PostgreSQL cannot keep in a text. */
function texts(values: readonly (string | undefined)[]): string[] {
  return values.flatMap((value) => value?.toWellFormed().replaceAll('\0', '') || []);
}
