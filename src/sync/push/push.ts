// Writes of the identity provider that is active: each goes through scope, guard and change log like a plan, for its one
// resource and in one transaction, so that the writer reads back what it wrote. What it wrote is kept in the mirror, and
// a run over the mirror finds nothing to do. What it may not do yet stays in the mirror as a wish (push-guard.ts).

import { randomUUID } from 'node:crypto';
import { type Document, finish } from '#core/coerce.ts';
import { ForbiddenError } from '#core/errors.ts';
import { nameKey } from '#core/names.ts';
import { applyPatch, type MemberChange, type PatchOperation } from '#core/patch.ts';
import { ENTERPRISE_SCHEMA, type ResourceType } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { lockGroupsOf } from '#store/directory/resources.ts';
import { lockPushed, type Pushed } from '#store/source/pushed.ts';
import {
  activeOf,
  type Created,
  checkVersion,
  type Edit,
  type Edited,
  type EditOfOne,
  keptBy,
  missing,
  transact,
} from '../edits.ts';
import { claim, findTwin } from './push-claim.ts';
import { make, remove, settle } from './push-settle.ts';
import { documentOf, type Outcome, openSource, type PushParts, type Wish, type Writing } from './push-source.ts';

/**
 * A new resource of the identity provider; or somebody who is here already and whom it means: then the id stays.
 * @param members of a group; undefined leaves those of a group that is here as they are
 * @throws {ConflictError} `uniqueness` @throws {InputError} `invalidValue`: a member that there is not
 * @throws {ForbiddenError} `provider-inactive`, `out-of-scope`
 */
export async function pushCreate(
  parts: PushParts,
  { type, actor }: Edit,
  { document, members, id = randomUUID() }: { document: Document; members: readonly string[] | undefined; id?: string },
): Promise<Created> {
  return commit(parts, { type, actor }, async (writing) => {
    const given = finish(parts.schemas[type], document);
    const twin = await findTwin(writing, wantedBy(type, given));
    if (twin !== undefined && !twin.deleted) {
      const present = await own(writing, twin.id);
      const replaced: readonly MemberChange[] =
        type === 'Group' && members !== undefined ? [{ kind: 'replace', ids: members }] : [];
      return withId(
        { id: twin.id, found: true },
        await settle(writing, present, { document: withKept(writing, present, given), members: replaced }),
      );
    }
    // Of whom a group had before it left, nobody comes back with it but those that are named.
    const changes: readonly MemberChange[] = type === 'Group' ? [{ kind: 'replace', ids: members ?? [] }] : [];
    const whose = { id: twin?.id ?? id };
    const wish = { document: given, members: changes };
    return withId(whose, await make(writing, { ...whose, isBack: twin !== undefined }, wish));
  });
}

function withId(whose: Pick<Created, 'id' | 'found'>, outcome: Outcome<Edited>): Outcome<Created> {
  return 'answer' in outcome ? { answer: { ...outcome.answer, ...whose } } : outcome;
}

/**
 * @param clears whether the client says that there is no `externalId`, instead of not saying one
 * @throws {NotFoundError} @throws {PreconditionError} @throws {ConflictError} @throws {RateError} `guard-held`
 */
export async function pushReplace(
  parts: PushParts,
  edit: EditOfOne,
  { document, members, clears }: { document: Document; members: readonly string[] | undefined; clears: boolean },
): Promise<Edited> {
  return change(parts, edit, (writing, present) => ({
    document: finish(parts.schemas[edit.type], {
      ...activeOf(documentOf(present)),
      ...withKept(writing, present, document, clears),
    }),
    members: members === undefined ? [] : [{ kind: 'replace', ids: members }],
  }));
}

/** @throws what `pushReplace` and `applyPatch` throw */
export async function pushPatch(
  parts: PushParts,
  edit: EditOfOne,
  operations: readonly PatchOperation[],
): Promise<Edited> {
  return change(parts, edit, (_writing, present) =>
    applyPatch(parts.schemas[edit.type], documentOf(present), operations, edit.id),
  );
}

/** @throws {NotFoundError} @throws {PreconditionError} @throws {RateError} `guard-held` */
export async function pushDelete(parts: PushParts, edit: EditOfOne): Promise<void> {
  await commit(parts, edit, async (writing) => {
    await lockGroupsOf(writing.tx, edit.id);
    const present = await own(writing, edit.id, edit);
    return remove(writing, present);
  });
}

async function commit<Answer>(
  parts: PushParts,
  { type, actor }: Edit,
  work: (writing: Writing) => Promise<Outcome<Answer>>,
): Promise<Answer> {
  const outcome = await transact(parts.database, async (tx): Promise<Outcome<Answer>> => {
    const source = await openSource(parts, tx);
    try {
      return await work({ parts, tx, source, type, actor });
    } catch (error) {
      // The question whether to adopt it stays.
      if (error instanceof ForbiddenError && error.reason === 'made-by-hand') return { refused: error };
      throw error;
    }
  });
  parts.noteWrite();
  if ('refused' in outcome) throw outcome.refused;
  return outcome.answer;
}

async function change(
  parts: PushParts,
  edit: EditOfOne,
  changing: (writing: Writing, present: Pushed) => Wish,
): Promise<Edited> {
  return commit(parts, edit, async (writing) => {
    const present = await own(writing, edit.id, edit);
    return settle(writing, present, changing(writing, present));
  });
}

/** A resource of the provider's, locked; one that somebody else brought becomes its own. */
async function own(writing: Writing, id: string, expecting?: EditOfOne): Promise<Pushed> {
  const { tx, type } = writing;
  const [present] = await lockPushed(tx, [id]);
  if (present === undefined || present.type !== type) throw missing(type, id);
  if (expecting !== undefined) checkVersion(expecting, present.version);
  if (present.origin === 'scim') return present;
  await claim(writing, [present]);
  const [claimed] = await lockPushed(tx, [id]);
  if (claimed === undefined) throw missing(type, id);
  return claimed;
}

/** What a client that replaces a resource does not say: the anchor, and what only the service sets. */
function withKept({ parts, type }: Writing, present: Pushed, document: Document, clears = false): Document {
  const before = documentOf(present);
  const externalId = document['externalId'] ?? (clears ? undefined : before['externalId']);
  return {
    ...document,
    ...keptBy(parts.schemas[type], before),
    ...(externalId === undefined ? {} : { externalId }),
  };
}

function wantedBy(type: ResourceType, document: Document) {
  const emails = (document['emails'] ?? []) as readonly { value?: unknown }[];
  return {
    type,
    externalId: (document['externalId'] as string | undefined) ?? null,
    nameKey: nameKey(String(type === 'User' ? document['userName'] : document['displayName'])),
    emails: emails.flatMap(({ value }) => (typeof value === 'string' ? foldCase(value) : [])),
    employeeNumber: (document[ENTERPRISE_SCHEMA] as { employeeNumber?: string } | undefined)?.employeeNumber ?? null,
  };
}
