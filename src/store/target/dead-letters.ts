// What was given up: sent again, or dropped, by what is picked. The state is asked for beside what is picked, too: of a row that
// a statement waits for only that is looked at anew.
import { type Db, sql } from '../database.ts';
import { conditionsOf, type Picked } from '../views/sendings.ts';

const DEAD = { state: 'dead' } as const;

/** Sends dead letters again: of push targets today's state, of messages the same content in its order. Answers how many. */
export async function replayPicked(db: Db, picked: Picked, now: Date): Promise<number> {
  const push = conditionsOf({ ...picked, ...DEAD }, 'push');
  const messages = conditionsOf({ ...picked, ...DEAD }, 'messages');
  const { rowCount: asked } = await sql(
    db,
    `update deliveries set asks = asks + 1, attempts = 0, state = 'pending', ready_at = ? where state = 'dead' and id in (
       select d.id from deliveries d left join resources r on r.id = d.resource_id where ${push.text})`,
    [now, ...push.values],
  );
  const { rowCount: again } = await sql(
    db,
    `update event_deliveries set state = 'pending', attempts = 0, refusals = 0, next_at = ?, claimed_until = null, settled_at = null, error = null
     where state = 'dead' and id in (select d.id from event_deliveries d join event_streams s on s.id = d.stream_id
       left join resources r on r.id = d.resource_id where ${messages.text})`,
    [now, ...messages.values],
  );
  return (asked ?? 0) + (again ?? 0);
}

/** Gives dead letters up for good: a push target keeps what it has until the next change; a message is gone. Answers how many. */
export async function dropPicked(db: Db, picked: Picked, now: Date): Promise<number> {
  const push = conditionsOf({ ...picked, ...DEAD }, 'push');
  const messages = conditionsOf({ ...picked, ...DEAD }, 'messages');
  const { rowCount: left } = await sql(
    db,
    `update deliveries set state = 'idle', attempts = 0, last_action = 'dropped', settled_at = ? where state = 'dead' and id in (
       select d.id from deliveries d left join resources r on r.id = d.resource_id where ${push.text})`,
    [now, ...push.values],
  );
  const { rowCount: gone } = await sql(
    db,
    `delete from event_deliveries where state = 'dead' and id in (select d.id from event_deliveries d join event_streams s on s.id = d.stream_id
       left join resources r on r.id = d.resource_id where ${messages.text})`,
    [...messages.values],
  );
  return (left ?? 0) + (gone ?? 0);
}
