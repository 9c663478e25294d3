// Sends again what has arrived already, because somebody asks for it: today's state, whatever was sent then.
import { randomUUID } from 'node:crypto';
import type { EventAction, ResourceEvent } from '#core/events.ts';
import type { Db } from '#store/database.ts';
import { insertDeliveries } from '#store/event/event-deliveries.ts';
import { noteKnown, readSubjects, type SubjectRow } from '#store/event/event-scope.ts';
import { askForChanges, type ScopeOf } from '#store/target/deliveries.ts';
import { doubt, forgetDead } from '#store/target/resend.ts';
import { messagesOf, type Telling, turnOf } from '../event/event-messages.ts';
import { BATCH } from '../event/fill-stream.ts';

/** Resources at once: more is what a comparison, or a snapshot, is for. */
export const RESEND_MAX = 10_000;

/**
 * Asks a push target for these once more. What it has of each is read back first, so that also what was lost or changed
 * there is put right. Answers how many it gets.
 */
export async function resendPush(
  tx: Db,
  appId: string,
  scope: ScopeOf,
  { ids, now }: { readonly ids: readonly string[]; readonly now: Date },
): Promise<number> {
  await askForChanges(tx, appId, scope, { ids, at: ids.map(() => now), now });
  return doubt(tx, appId, ids);
}

/**
 * Tells a stream of these once more, one message each: what is there, with all its attributes, and who is gone. Answers
 * how many it is told of.
 * @param made those that the receiver is told of as new
 */
export async function resendStream(
  tx: Db,
  telling: Telling,
  { ids, made, now }: { readonly ids: readonly string[]; readonly made: ReadonlySet<string>; readonly now: Date },
): Promise<number> {
  const transaction = randomUUID();
  let count = 0;
  for (let from = 0; from < ids.length; from += BATCH) {
    const asked = { streamId: telling.stream.id, visible: telling.view.visible };
    const subjects = await readSubjects(tx, asked, ids.slice(from, from + BATCH));
    const told = [...subjects.values()].flatMap((subject) => {
      const action = actionOf(telling, subject, made);
      return action === undefined ? [] : [{ subject, event: eventOf(telling, subject, action, { transaction, now }) }];
    });
    const messages = await messagesOf(
      tx,
      telling,
      told.map(({ event }) => event),
      now,
    );
    await forgetDead(
      tx,
      telling.stream.id,
      messages.flatMap(({ resourceId }) => resourceId ?? []),
    );
    await insertDeliveries(tx, telling.stream.id, messages, now);
    if (telling.stream.ledger)
      await noteKnown(tx, telling.stream.id, {
        known: told
          .filter(({ subject }) => subject.seen)
          .map(({ subject: { id, resource_type, version } }) => ({ id, resource_type, version })),
        forgotten: told.filter(({ subject }) => !subject.seen).map(({ subject }) => subject.id),
      });
    count += messages.length;
  }
  return count;
}

/** Undefined for those whom the receiver never knew and does not see. */
function actionOf({ stream }: Telling, subject: SubjectRow, made: ReadonlySet<string>): EventAction | undefined {
  const isKnown = !stream.ledger || subject.known !== null;
  if (!subject.seen) return !isKnown ? undefined : subject.body === null ? 'deleted' : 'left';
  if (!isKnown || made.has(subject.id)) return 'entered';
  return subject.active ? 'updated' : 'deactivated';
}

function eventOf(
  { view }: Telling,
  subject: SubjectRow,
  action: EventAction,
  { transaction, now }: { readonly transaction: string; readonly now: Date },
): ResourceEvent {
  const { id, resource_type: type, external_id, version, body, seen } = subject;
  const names = seen && body !== null ? Object.keys(JSON.parse(body)).filter((name) => name !== 'schemas') : [];
  return {
    messageId: randomUUID(),
    action: action === 'deactivated' && !view.sees(type, 'active') ? 'updated' : action,
    // Whatever it was that they left by: whoever is out of scope and inactive is told of as both.
    turn: action === 'left' ? turnOf(view, action, { ...subject, turned: true }) : undefined,
    resourceType: type,
    id,
    externalId: view.sees(type, 'externalId') ? (external_id ?? undefined) : undefined,
    version: seen ? version : undefined,
    attributes: names.filter((name) => view.sees(type, name)),
    at: now,
    transaction,
  };
}
