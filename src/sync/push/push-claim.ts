// Whom a write of the identity provider means that somebody else brought: another provider, or a person by hand. The
// resource goes on under its id as the identity provider's own.
import type { Document } from '#core/coerce.ts';
import { ConflictError, ForbiddenError } from '#core/errors.ts';
import { isUuid } from '#core/ids.ts';
import { appendChanges } from '#store/directory/changes.ts';
import { writeResources } from '#store/directory/resources.ts';
import { upsertRecords } from '#store/mirror/mirror.ts';
import { findAdopted, findRefused, raiseDispute } from '#store/plan/disputes.ts';
import {
  acceptSpelling,
  findAnchors,
  findForeign,
  findLinked,
  findReports,
  findTwins,
  lockPushed,
  type Pushed,
  showPresent,
  stampMembers,
  type Wanted,
} from '#store/source/pushed.ts';
import { isPinned } from './push-pins.ts';
import { documentOf, managerIdOf, meaningOf, toWrite, type Writing, type WrittenRecord } from './push-source.ts';

/**
 * Makes resources of other origins the provider's own, as they are: their ids and attributes stay.
 * @throws {ForbiddenError} `made-by-hand`, or `pinned`: an administrator has undone just that
 */
export async function claim(writing: Writing, presents: readonly Pushed[]): Promise<void> {
  const { tx, source, parts, actor } = writing;
  for (const present of presents) {
    if (present.pinned.includes('link')) throw isPinned();
    if (present.origin === 'manual') await checkAdoption(writing, present);
  }
  const named = presents.flatMap((present) => managerUuid(documentOf(present)) ?? []);
  const anchors = new Map(await findAnchors(tx, [...new Set(named)]));
  for (const { id, body } of presents) anchors.set(id, anchorIn(JSON.parse(body), id));
  for (const type of ['User', 'Group'] as const) {
    const meant = presents
      .filter((present) => present.type === type)
      .map((present) => {
        const { record, managerId } = recordFrom(present.id, documentOf(present), anchors);
        return { present, managerId, meaning: meaningOf(source, parts, type, record) };
      });
    if (meant.length === 0) continue;
    const rows = meant.map(({ present, managerId, meaning }) => ({
      ...toWrite(present.id, type, meaning, meaning.body ?? documentOf(present), managerId),
      // Somebody who left stays so until the identity provider says otherwise.
      ...(present.left ? { left: true, digest: null } : {}),
    }));
    const versions = await writeResources(tx, rows);
    await upsertRecords(
      tx,
      'scim',
      type,
      meant.map(({ meaning }) => meaning.mirror),
    );
    const changes = meant.map(({ present }) => ({
      resource_type: type,
      resource_id: present.id,
      version: versions.get(present.id) ?? '1',
      operation: 'update' as const,
      detail: { attributes: [], claimedFrom: present.origin },
    }));
    await appendChanges(tx, changes, { actor, runId: null });
  }
  const ids = presents.map(({ id }) => id);
  await showPresent(tx, ids);
  await stampMembers(
    tx,
    presents.flatMap(({ id, type }) => (type === 'Group' ? id : [])),
    'every',
  );
}

/** Of these resources, the anchors of those that are the provider's or become it now. By id. */
export async function claimNamed(writing: Writing, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { tx } = writing;
  const foreign = await findForeign(tx, ids);
  if (foreign.length > 0) await claim(writing, await lockPushed(tx, foreign));
  return findAnchors(tx, ids);
}

function anchorIn(document: Document, id: string): string {
  return (document['externalId'] as string | undefined) ?? id;
}

function managerUuid(document: Document): string | undefined {
  const manager = managerIdOf(document);
  return manager !== undefined && isUuid(manager) ? manager.toLowerCase() : undefined;
}

function recordFrom(
  id: string,
  document: Document,
  anchors: ReadonlyMap<string, string>,
): { readonly record: WrittenRecord; readonly managerId: string | null } {
  const manager = managerUuid(document);
  const anchor = manager === undefined ? undefined : anchors.get(manager);
  const record = { id: anchorIn(document, id), ...(anchor === undefined ? {} : { manager: anchor }), document };
  return { record, managerId: anchor === undefined ? null : (manager ?? null) };
}

/** The record of a document, with the manager whom it names taken over from whoever brought him. */
export async function recordOf(
  writing: Writing,
  id: string,
  document: Document,
): Promise<{ readonly record: WrittenRecord; readonly managerId: string | null }> {
  const manager = managerUuid(document);
  if (manager === undefined) return { record: { id: anchorIn(document, id), document }, managerId: null };
  const anchors = new Map(await claimNamed(writing, [manager]));
  if (manager === id) anchors.set(id, anchorIn(document, id));
  return recordFrom(id, document, anchors);
}

/** Those who have this person as their manager name him by the anchor that he has now. */
export async function respellReports(writing: Writing, from: string, to: string): Promise<void> {
  const { tx, source, parts } = writing;
  const reports = await findReports(tx, from);
  if (reports.length === 0) return;
  const records = reports.map(({ record }) => ({ ...(JSON.parse(record) as WrittenRecord), manager: to }));
  const respelt = records.map((record) => meaningOf(source, parts, 'User', record).mirror);
  await upsertRecords(tx, 'scim', 'User', respelt);
  await acceptSpelling(
    tx,
    reports.map(({ anchor }) => anchor),
  );
}

/**
 * The resource that a new record means: the one it was linked to, or somebody of another provider by the attributes that
 * the settings name. Undefined for somebody new.
 * @throws {ConflictError} `uniqueness`: it is here already, may mean several, or has the name of somebody made by hand
 */
export async function findTwin(
  writing: Writing,
  wanted: Wanted,
): Promise<{ readonly id: string; readonly deleted: boolean } | undefined> {
  const { tx, source } = writing;
  const linked = await findLinked(tx, wanted);
  if (linked !== undefined) {
    if (!linked.deleted) await checkIsBack(writing, linked.id);
    return linked;
  }
  const { matching = [], adoptManual = 'never' } = source.policy.matching ?? {};
  for (const attribute of matching) {
    const twins = await findTwins(tx, wanted, attribute);
    const byHand = twins.flatMap(({ id, origin }) => (origin === 'manual' ? id : []));
    const others = adoptManual === 'never' ? new Set(byHand) : await findRefused(tx, 'scim', byHand);
    const found = twins.filter(({ id }) => !others.has(id));
    const [only, ...more] = found;
    if (only === undefined) continue;
    if (more.length > 0)
      throw new ConflictError(`It may mean several who are here already, by ${attribute}.`, {
        reason: 'match-ambiguous',
        scimType: 'uniqueness',
        remedy: 'Write to the one that is meant, by its id.',
      });
    return { id: only.id, deleted: false };
  }
  return undefined;
}

/** @throws {ConflictError} the record is here, so that it cannot be made again */
async function checkIsBack({ tx }: Writing, id: string): Promise<void> {
  const [present] = await lockPushed(tx, [id]);
  if (present === undefined || present.origin !== 'scim' || present.gone) return;
  throw new ConflictError('Another resource has this externalId.', {
    reason: 'external-id-taken',
    scimType: 'uniqueness',
  });
}

/** @throws {ForbiddenError} `made-by-hand`: the settings say that what somebody made by hand stays so */
async function checkAdoption({ tx, source, type }: Writing, { id, body }: Pushed): Promise<void> {
  const { adoptManual } = source.push;
  if (adoptManual === 'onMatch' || (await findAdopted(tx, 'scim', id))) return;
  if (adoptManual === 'ask')
    await raiseDispute(tx, { provider: 'scim', type, anchor: anchorIn(JSON.parse(body), id), id });
  throw new ForbiddenError(`This ${type} was made by hand, and the identity provider does not own it.`, {
    reason: 'made-by-hand',
    remedy: 'Adopt it under /api/v1/disputes, set adoptManual in the settings of the provider, or remove it.',
  });
}
