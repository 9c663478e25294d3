// Changing a resource at the target: PATCH where it takes it, PUT where it does not, whatever it says of itself.
import type { ResourceType } from '#core/resource.ts';
import {
  type Capabilities,
  type Learned,
  type MemberBatch,
  type Payload,
  type Remote,
  type Target,
  TargetError,
} from '#core/target.ts';
import { PRECONDITION_NEEDED, type ScimAnswer, type ScimClient } from './client.ts';
import { memberOperations, type Operation, patchBody, patchRequests, wholeMembers } from './patch.ts';
import { pathOf, remoteOf } from './remote.ts';
import type { ScimSettings } from './settings.ts';

export type Writer = Pick<Target, 'update' | 'remove' | 'changeMembers'>;

export interface WriterParts {
  readonly client: ScimClient;
  readonly settings: ScimSettings;
  capabilities(): Capabilities | undefined;
  learned(): Learned;
  learn(news: Learned): void;
  read(type: ResourceType, id: string, signal: AbortSignal): Promise<Remote | undefined>;
}

/** One resource at the target. */
interface Place {
  readonly type: ResourceType;
  readonly id: string;
}

export function makeWriter({ client, settings, capabilities, learned, learn, read }: WriterParts): Writer {
  const { dialect } = settings;
  /** Members were taken in one of the two ways since it was opened. */
  let isWayKnown = false;

  /** What an administrator says counts, then what was learned, then what the target says of itself. */
  function wayOf(type: ResourceType): 'patch' | 'put' {
    const chosen = type === 'User' ? dialect.users : dialect.groups;
    if (chosen !== 'auto') return chosen;
    return learned().write?.[type] ?? (capabilities()?.patch === false ? 'put' : 'patch');
  }

  function mayLearn(type: ResourceType): boolean {
    return (type === 'User' ? dialect.users : dialect.groups) === 'auto';
  }

  /** Tries the way that is known, and the other one when the target does not know it. */
  async function tryBoth<Answer>(
    { type, id }: Place,
    ways: Readonly<Record<'patch' | 'put', () => Promise<Answer>>>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const way = wayOf(type);
    try {
      return await ways[way]();
    } catch (error) {
      const isUnknownWay = error instanceof TargetError && (error.kind === 'unsupported' || error.kind === 'gone');
      if (!isUnknownWay || !mayLearn(type)) throw error;
      // A target without PATCH may answer 404 to it, like to what is gone.
      if (error.kind === 'gone' && (await read(type, id, signal)) === undefined) throw error;
      const other = way === 'patch' ? 'put' : 'patch';
      const answer = await ways[other]();
      learn({ write: { ...learned().write, [type]: other } });
      return answer;
    }
  }

  function matchOf(etag: string | undefined): { etag?: string } {
    const isWanted =
      dialect.ifMatch === 'auto'
        ? learned().match === true || capabilities()?.etag === true
        : dialect.ifMatch === 'always';
    return isWanted && etag !== undefined ? { etag } : {};
  }

  /** A write that is tried once more, with what was read then, when it was refused as stale. */
  async function fresh<Answer>(
    { type, id }: Place,
    etag: string | undefined,
    work: (match: { etag?: string }) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    try {
      return await work(matchOf(etag));
    } catch (error) {
      if (!(error instanceof TargetError) || error.kind !== 'stale') throw error;
      if (error.status === PRECONDITION_NEEDED && dialect.ifMatch === 'auto') learn({ match: true });
      const remote = await read(type, id, signal);
      if (remote === undefined) throw gone(type, id);
      return work(matchOf(remote.etag));
    }
  }

  async function patch(
    place: Place,
    { before, after, etag }: Change,
    signal: AbortSignal,
  ): Promise<{ etag: string | undefined; id: string }> {
    let at = { ...place, etag };
    for (const body of patchRequests(before, after, dialect)) {
      const path = pathOf(at.type, at.id);
      const answer = await fresh(
        at,
        at.etag,
        (match) => client.send({ method: 'PATCH', path, body, ...match }, signal),
        signal,
      );
      at = { type: place.type, id: idOf(answer, at.id), etag: answer.etag };
    }
    return at;
  }

  /** What is there with what we manage put over it: what others manage survives. */
  async function put(
    place: Place,
    merge: (remote: Payload) => Promise<Payload>,
    signal: AbortSignal,
  ): Promise<{ etag: string | undefined; id: string }> {
    const { type, id } = place;
    const once = async (): Promise<{ etag: string | undefined; id: string }> => {
      const remote = await read(type, id, signal);
      if (remote === undefined) throw gone(type, id);
      const { meta: _meta, groups: _groups, ...theirs } = remote.document ?? {};
      const body = { ...(await merge(theirs)), id };
      const answer = await client.send(
        { method: 'PUT', path: pathOf(type, id), body, ...matchOf(remote.etag) },
        signal,
      );
      return { etag: answer.etag, id: idOf(answer, id) };
    };
    try {
      return await once();
    } catch (error) {
      if (!(error instanceof TargetError) || error.kind !== 'stale') throw error;
      if (error.status === PRECONDITION_NEEDED && dialect.ifMatch === 'auto') learn({ match: true });
      return once();
    }
  }

  const isWhole = (): boolean =>
    dialect.changeMembers === 'whole' || (dialect.changeMembers === 'auto' && learned().members === 'whole');

  async function patchMembers(group: string, operations: readonly Operation[], signal: AbortSignal): Promise<void> {
    const path = pathOf('Group', group);
    const body = patchBody(operations);
    const send = (match: { etag?: string }): Promise<unknown> =>
      client.send({ method: 'PATCH', path, body, ...match }, signal);
    await fresh({ type: 'Group', id: group }, undefined, send, signal);
  }

  /** Members by PATCH: those who come and go, or all of them where a target takes nothing less. */
  async function patchMembersEitherWay(
    group: string,
    batch: MemberBatch,
    all: () => Promise<readonly string[]>,
    signal: AbortSignal,
  ): Promise<void> {
    const replace = async (most = Infinity): Promise<void> => {
      const value = (await all()).map((id) => ({ value: id }));
      if (value.length > most) throw tooMany(value.length);
      await patchMembers(group, [wholeMembers(value, dialect)], signal);
    };
    if (isWhole()) return replace();
    try {
      await patchMembers(group, memberOperations(batchOf(batch), dialect), signal);
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
  }

  return {
    async update(type, id, change, signal) {
      const { before, after } = change;
      const place = { type, id };
      const ways = {
        patch: () => patch(place, change, signal),
        put: () => put(place, async (theirs) => merged(theirs, before, after), signal),
      };
      return tryBoth(place, ways, signal);
    },
    async remove(type, id, signal) {
      const path = pathOf(type, id);
      await fresh(
        { type, id },
        undefined,
        (match) => client.send({ method: 'DELETE', path, ...match }, signal),
        signal,
      );
    },
    async changeMembers(group, batch, all, signal) {
      const place = { type: 'Group', id: group } as const;
      const putAll = async (): Promise<void> => {
        const members = (await all()).map((value) => ({ value }));
        await put(place, async (theirs) => ({ ...theirs, members }), signal);
      };
      await tryBoth(place, { patch: () => patchMembersEitherWay(group, batch, all, signal), put: putAll }, signal);
    },
  };
}

interface Change {
  readonly before: Payload;
  readonly after: Payload;
  readonly etag: string | undefined;
}

/** Some make the id of an attribute that changes. */
function idOf({ body }: ScimAnswer, id: string): string {
  return remoteOf(body)?.id ?? id;
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

/** Extensions and complex attributes are merged, too: what was ours and is not sent any more goes. */
export function merged(theirs: Payload, before: Payload, after: Payload): Payload {
  const result: Record<string, unknown> = { ...theirs };
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is, there] = [before[name], after[name], theirs[name]];
    if (name === 'schemas') result[name] = [...new Set([...listOf(there), ...listOf(is)])];
    else if (is === undefined) delete result[name];
    else if (isFields(is) && isFields(there)) result[name] = merged(there, isFields(was) ? was : {}, is);
    else result[name] = is;
  }
  return result;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isFields(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function gone(type: ResourceType, id: string): TargetError {
  return new TargetError(`The target has no ${type} "${id}".`, { kind: 'gone', reason: 'target-gone', status: 404 });
}
