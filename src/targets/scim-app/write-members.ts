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
      if (value.length > most) throw tooMany(value.length);
      await patch(group, [wholeMembers(value, dialect)], signal);
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

function tooMany(count: number): TargetError {
  return new TargetError(`${count} members are more than one request may hold.`, {
    kind: 'refused',
    reason: 'too-many-members',
  });
}

function batchOf({ add, remove, types }: MemberBatch) {
  const typed = (value: string) => ({ value, ...(types?.get(value) === 'Group' ? { type: 'Group' } : {}) });
  return { add: add.map(typed), remove };
}
