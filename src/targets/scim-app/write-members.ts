// Members of a group by PATCH: those who come and go, or all of them where a target takes nothing less.
import { type Learned, type MemberBatch, TargetError } from '#core/target.ts';
import type { ScimClient } from './client.ts';
import { memberOperations, type Operation, patchBody, wholeMembers } from './patch.ts';
import { pathOf } from './remote.ts';
import type { ScimSettings } from './settings.ts';
import type { Match, Ways } from './ways.ts';

export interface MemberParts {
  readonly client: ScimClient;
  readonly settings: ScimSettings;
  readonly ways: Ways;
  learned(): Learned;
  learn(news: Learned): void;
}

/** @param all reads who is to be a member */
export type PatchMembers = (
  group: string,
  batch: MemberBatch,
  all: () => Promise<readonly string[]>,
  signal: AbortSignal,
) => Promise<void>;

export function makePatchMembers({ client, settings, ways, learned, learn }: MemberParts): PatchMembers {
  const { dialect } = settings;
  /** Members were taken in one of the two ways since it was opened. */
  let isWayKnown = false;

  function isWhole(): boolean {
    return dialect.changeMembers === 'whole' || (dialect.changeMembers === 'auto' && learned().members === 'whole');
  }

  async function patch(group: string, operations: readonly Operation[], signal: AbortSignal): Promise<void> {
    const path = pathOf('Group', group);
    const body = patchBody(operations);
    const send = (match: Match): Promise<unknown> => client.send({ method: 'PATCH', path, body, ...match }, signal);
    await ways.fresh({ type: 'Group', id: group }, undefined, send, signal);
  }

  return async (group, batch, all, signal) => {
    const replace = async (most = Infinity): Promise<void> => {
      const value = (await all()).map((id) => ({ value: id }));
      const { perRequest } = settings.members;
      if (value.length > most) throw listRefused(value.length, perRequest);
      await asWhole(value.length, perRequest, () => patch(group, [wholeMembers(value, dialect)], signal));
    };
    if (isWhole()) return replace();
    try {
      await patch(group, memberOperations(batchOf(batch), dialect), signal);
    } catch (error) {
      const mayBeAboutTheWay = error instanceof TargetError && error.kind === 'refused' && error.status === 400;
      if (!mayBeAboutTheWay || dialect.changeMembers !== 'auto' || isWayKnown) throw error;
      try {
        await replace(settings.members.perRequest);
      } catch (other) {
        if (!(other instanceof TargetError)) throw other;
        // Nor so: it is about the members.
        throw error;
      }
      learn({ members: 'whole' });
    }
    isWayKnown = true;
  };
}

/** A 404 to a list: one of the members is not there, or the group, or the way to write it. */
class ListGone extends TargetError {
  readonly refused: TargetError;

  constructor(refused: TargetError, cause: TargetError) {
    const { message, reason, status, exchange } = cause;
    super(message, { kind: 'gone', reason, status, exchange, cause });
    this.refused = refused;
  }
}

/**
 * A list that is refused is refused whole: with fewer of those who come or go it would be the same one.
 * @throws {TargetError} `too-many-members`, `member-list-refused`; after a 404 one that `orListRefused` is to look at
 */
export async function asWhole<Answer>(count: number, most: number, send: () => Promise<Answer>): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    if (error.kind === 'gone') throw new ListGone(listRefused(count, most, error), error);
    throw error.kind === 'refused' || error.kind === 'conflict' ? listRefused(count, most, error) : error;
  }
}

/** After every way was tried: a list that was answered 404 was refused when its group is there. */
export async function orListRefused(send: () => Promise<void>, isThere: () => Promise<boolean>): Promise<void> {
  try {
    await send();
  } catch (error) {
    throw error instanceof ListGone && (await isThere()) ? error.refused : error;
  }
}

export function listRefused(count: number, most: number, cause?: TargetError): TargetError {
  const facts = { kind: 'refused', status: cause?.status, exchange: cause?.exchange, cause } as const;
  if (count > most)
    return new TargetError(`${count} members are more than one request may hold${cause ? `: ${cause.message}` : '.'}`, {
      ...facts,
      reason: 'too-many-members',
      remedy:
        'The target takes members as a whole list only, and not so many: leave the group out of the scope, or part it.',
    });
  return new TargetError(`The target refuses the list of ${count} members: ${cause?.message ?? ''}`, {
    ...facts,
    reason: 'member-list-refused',
    remedy: 'Look at the answer of the target, and replay it when the target has all members.',
  });
}

function batchOf({ add, remove, types }: MemberBatch) {
  const typed = (value: string) => ({ value, ...(types?.get(value) === 'Group' ? { type: 'Group' } : {}) });
  return { add: add.map(typed), remove };
}
