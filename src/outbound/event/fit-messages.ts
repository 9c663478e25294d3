// Messages as they may be sent at this moment: what was written while the app saw more is told without the resource.
import { type Sees, thinClaims, thinWebhook } from '#core/event-thin.ts';
import type { Db } from '#store/database.ts';
import type { WaitingDelivery } from '#store/event/event-deliveries.ts';
import { readSubjects } from '#store/event/event-scope.ts';
import type { StreamRow } from '#store/event/event-streams.ts';
import type { EventView } from './event-view.ts';

/** Whether the stream has not begun with the scope that its app has now: nothing is sent until it has. */
export function isOutdated({ scope, app_scope }: Pick<StreamRow, 'scope' | 'app_scope'>): boolean {
  return JSON.stringify(scope) !== JSON.stringify(app_scope);
}

/** The same messages, in the same order, with no resource of an earlier scope and of nobody who is not seen now. */
export async function fitMessages<T extends WaitingDelivery>(
  db: Db,
  { stream, view }: { readonly stream: StreamRow; readonly view: EventView },
  messages: readonly T[],
): Promise<readonly T[]> {
  const isOld = ({ seq }: T): boolean => BigInt(seq) <= BigInt(stream.scope_seq);
  const whole = view.visible === undefined ? [] : messages.filter((message) => !isOld(message) && isWhole(message));
  const ids = [...new Set(whole.flatMap(({ resource_id }) => resource_id ?? []))];
  const asked = { streamId: stream.id, visible: view.visible };
  const subjects = ids.length === 0 ? undefined : await readSubjects(db, asked, ids);
  const isHidden = ({ resource_id }: T): boolean =>
    subjects !== undefined &&
    resource_id !== null &&
    ids.includes(resource_id) &&
    subjects.get(resource_id)?.seen !== true;
  return messages.map((message) => {
    const { resource_type: type, payload } = message;
    if (type === null || !(isOld(message) || isHidden(message))) return message;
    const sees: Sees = (name) => view.sees(type, name);
    return { ...message, payload: stream.kind === 'webhook' ? thinWebhook(payload, sees) : thinClaims(payload, sees) };
  });
}

/** Whether it may carry a resource. */
function isWhole({ payload }: WaitingDelivery): boolean {
  return payload.includes('"resource":') || payload.includes(':full"');
}
