// One resource brought to where its client wants it: the record into the mirror, and what follows from it, by scope,
// leave policy and guard, into the directory.
import type { Document } from '#core/coerce.ts';
import { ForbiddenError, type GatewayError } from '#core/errors.ts';
import { describeReason } from '#core/reasons.ts';
import { appendChanges, type NewChange } from '#store/directory/changes.ts';
import { deleteManual } from '#store/directory/resource-writes.ts';
import { leaveGroups, writeResources } from '#store/directory/resources.ts';
import { upsertRecords } from '#store/mirror/mirror.ts';
import { forgetRecord, moveAnchor, type Pushed, rejoinGroups } from '#store/source/pushed.ts';
import { keepCreation, keepImage } from '#store/source/pushed-images.ts';
import { changedAttributes, type Edited } from '../edits.ts';
import { recordOf, respellReports } from './push-claim.ts';
import { holdRemoval, takeBack } from './push-guard.ts';
import { changeGroup } from './push-members.ts';
import { creationPinned, pinnedAgainst } from './push-pins.ts';
import { type Meant, meaningOf, type Outcome, rowOf, toWrite, type Wish, type Writing } from './push-source.ts';

/** Somebody new, or (`isBack`) somebody who was deleted. Out of scope there is a record only. */
export async function make(
  writing: Writing,
  { id, isBack }: { readonly id: string; readonly isBack: boolean },
  { document, members }: Wish,
): Promise<Outcome<Edited>> {
  const { tx, type, source, parts } = writing;
  const { record, managerId } = await recordOf(writing, id, document);
  const meant = meaningOf(source, parts, type, record);
  // Without an anchor of its own every try would leave another record.
  const keeps = meant.body !== undefined || document['externalId'] !== undefined;
  if (keeps) await upsertRecords(tx, 'scim', type, [meant.mirror]);
  if (meant.body === undefined) return { refused: outOfScope(meant) };
  const pinned = await creationPinned(writing, id, meant.mirror.external_id);
  if (pinned !== undefined) return { refused: pinned };
  const version = await write(writing, toWrite(id, type, meant, meant.body, managerId), { operation: 'create' });
  await keepCreation(tx, { id, actor: writing.actor });
  if (isBack) await rejoin(writing, id);
  if (type === 'User') return { answer: { version, changed: true } };
  const group = await changeGroup(writing, { id, anchor: meant.mirror.external_id }, members);
  return { answer: { version: group.version ?? version, changed: true } };
}

function outOfScope({ mirror }: Meant): ForbiddenError {
  const { sentence } = describeReason(mirror.reason ?? 'ScopeFilterFalse');
  return new ForbiddenError(`It is not in the scope of this gateway: ${sentence}`, {
    reason: 'out-of-scope',
    remedy: 'Change the scope in the settings of the provider "scim", or do not assign it there.',
  });
}

/** A resource of the provider's as the client wants it. */
export async function settle(writing: Writing, present: Pushed, wish: Wish): Promise<Outcome<Edited>> {
  const { tx, type, source, parts } = writing;
  const { record, managerId } = await recordOf(writing, present.id, wish.document);
  const meant = meaningOf(source, parts, type, record);
  const again = present.record === meant.sent.text;
  await followAnchor(writing, present, meant);
  const held = pinnedChange(writing, present, meant) ?? (await holdLoss(writing, present, meant, again));
  if (!again || present.gone) await upsertRecords(tx, 'scim', type, [meant.mirror]);
  if (held !== undefined) {
    await changeGroup(
      writing,
      { id: present.id, anchor: meant.mirror.external_id },
      type === 'Group' ? wish.members : [],
    );
    return { refused: held };
  }
  if (!present.settled && !takesAway(writing, present, meant)) await takeBack(tx, present.id);
  if (meant.body === undefined) return leaveScope(writing, present, meant);
  const version = await writeChanged(
    writing,
    present,
    meant.body,
    toWrite(present.id, type, meant, meant.body, managerId),
  );
  if (type === 'User') return answerOf(version ?? present.version, version !== undefined);
  const group = await changeGroup(writing, { id: present.id, anchor: meant.mirror.external_id }, wish.members);
  if (group.held !== undefined) return { refused: group.held };
  const newest = group.version ?? version;
  return answerOf(newest ?? present.version, newest !== undefined);
}

/** What to answer when pins forbid what the client wants of the resource itself. */
function pinnedChange(writing: Writing, present: Pushed, meant: Meant): GatewayError | undefined {
  if (present.pinned.length === 0) return undefined;
  if (takesAway(writing, present, meant)) return pinnedAgainst(present, 'remove');
  const isSame = meant.body === undefined || changedAttributes(JSON.parse(present.body), meant.body).length === 0;
  return isSame ? undefined : pinnedAgainst(present, 'update');
}

function answerOf(version: string, changed: boolean): Outcome<Edited> {
  return { answer: { version, changed } };
}

/** The client has deleted it. */
export async function remove(writing: Writing, present: Pushed): Promise<Outcome<undefined>> {
  const { tx, type, source, parts, actor } = writing;
  const anchor = present.externalId ?? present.id;
  const policy = source.policy.onSourceHardDelete;
  const loses = policy !== 'keep' && !(policy === 'deactivate' && present.left);
  const removal = { class: 'remove', type, id: present.id, count: takenBy(present) } as const;
  const held = loses
    ? (pinnedAgainst(present, 'remove') ??
      (await holdRemoval(parts, tx, source, { removal, again: present.gone, actor })))
    : undefined;
  await forgetRecord(tx, type, anchor);
  if (held !== undefined) return { refused: held };
  if (policy === 'delete' || (policy === 'deactivate' && type === 'Group')) await erase(writing, present);
  else if (policy === 'deactivate') await deactivate(writing, present);
  return { answer: undefined };
}

/** Whether what the client wants takes somebody's access, or a group, away. */
function takesAway({ type, source }: Writing, present: Pushed, { body }: Meant): boolean {
  if (body === undefined) return source.policy.onLeaveScope !== 'keep' && !present.left;
  return type === 'User' && present.active && body['active'] === false;
}

async function holdLoss(
  writing: Writing,
  present: Pushed,
  meant: Meant,
  again: boolean,
): Promise<GatewayError | undefined> {
  if (!takesAway(writing, present, meant)) return undefined;
  const { parts, tx, source, type, actor } = writing;
  const removal = { class: 'remove', type, id: present.id, count: takenBy(present) } as const;
  return holdRemoval(parts, tx, source, { removal, again, actor });
}

async function followAnchor(writing: Writing, { externalId }: Pushed, { mirror }: Meant): Promise<void> {
  if (externalId === null || externalId === mirror.external_id) return;
  await moveAnchor(writing.tx, writing.type, externalId, mirror.external_id);
  if (writing.type === 'User') await respellReports(writing, externalId, mirror.external_id);
}

/** Undefined when the directory has it just so. Somebody who is back joins the groups that the records name. */
async function writeChanged(
  writing: Writing,
  present: Pushed,
  body: Document,
  row: ReturnType<typeof toWrite>,
): Promise<string | undefined> {
  const before: Document = JSON.parse(present.body);
  const attributes = changedAttributes(before, body);
  if (attributes.length === 0 && present.settled && present.externalId === row.external_id) return undefined;
  const disables = before['active'] !== false && body['active'] === false;
  const version = await write(writing, row, { operation: disables ? 'deactivate' : 'update', attributes });
  if (present.left && writing.type === 'User') await rejoin(writing, present.id);
  return version;
}

/** Into the groups that the records name. */
async function rejoin({ tx, actor }: Writing, id: string): Promise<void> {
  const groups = await rejoinGroups(tx, id);
  const changes = groups.map((group) => membership(group.id, group.version, { added: 1 }));
  await appendChanges(tx, changes, { actor, runId: null });
}

interface Written {
  readonly operation: NewChange['operation'];
  readonly attributes?: readonly string[];
  /** It goes out of its groups with this. */
  readonly leaves?: true;
}

async function write(
  { tx, type, actor }: Writing,
  row: ReturnType<typeof toWrite>,
  { operation, attributes, leaves }: Written,
): Promise<string> {
  if (operation !== 'create') await keepImage(tx, { id: row.id, operation, actor, after: row.body, leaves });
  const version = (await writeResources(tx, [row])).get(row.id) ?? '1';
  const detail = attributes === undefined ? undefined : { attributes };
  await appendChanges(tx, [{ resource_type: type, resource_id: row.id, version, operation, detail }], {
    actor,
    runId: null,
  });
  return version;
}

/** Out of the scope now: what the settings say of that. A group cannot be inactive. */
async function leaveScope(writing: Writing, present: Pushed, meant: Meant): Promise<Outcome<Edited>> {
  const { type, source } = writing;
  const policy = source.policy.onLeaveScope;
  if (policy === 'keep' || (present.left && policy === 'deactivate')) return answerOf(present.version, false);
  if (policy === 'delete' || type === 'Group') {
    await erase(writing, present);
    return { answer: { version: present.version, changed: true, gone: true } };
  }
  return answerOf(await deactivate(writing, present, meant.mirror.external_id), true);
}

/** Whoever left before loses nothing by going for good. */
function takenBy({ left }: Pushed): 0 | 1 {
  return left ? 0 : 1;
}

async function erase({ tx, type, actor }: Writing, { id }: Pushed): Promise<void> {
  await keepImage(tx, { id, operation: 'delete', actor, after: null, leaves: true });
  await deleteManual(tx, id, type, actor);
}

/** An account that left: inactive, out of the provider's groups, and remembered as somebody who may be deleted in time. */
async function deactivate(writing: Writing, present: Pushed, anchor = present.externalId): Promise<string> {
  const { tx, actor, type } = writing;
  const body: Document = { ...JSON.parse(present.body), active: false };
  const row = { ...rowOf(present.id, type, anchor ?? present.id, body), left: true };
  const version = await write(writing, row, { operation: 'deactivate', attributes: ['active'], leaves: true });
  const groups = await leaveGroups(tx, null, [{ seq: '0', id: present.id }], 'scim');
  const changes = groups.map(({ id, version: newest, removed }) => membership(id, newest, { removed }));
  await appendChanges(tx, changes, { actor, runId: null });
  return version;
}

function membership(id: string, version: string, detail: Record<string, number>): NewChange {
  return { resource_type: 'Group', resource_id: id, version, operation: 'membership', detail };
}
