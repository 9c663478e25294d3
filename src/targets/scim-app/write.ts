// Changing a resource at the target: PATCH where it takes it, PUT where it does not, whatever it says of itself.
import type { ResourceType } from '#core/resource.ts';
import {
  type Capabilities,
  type Learned,
  type MemberBatch,
  type Payload,
  type Remote,
  TargetError,
} from '#core/target.ts';
import type { ScimClient } from './client.ts';
import { memberOperations, patchBody, patchRequests } from './patch.ts';
import { pathOf } from './remote.ts';
import type { ScimSettings } from './settings.ts';

export interface Writer {
  update(
    type: ResourceType,
    id: string,
    change: { readonly before: Payload; readonly after: Payload; readonly etag: string | undefined },
    signal: AbortSignal,
  ): Promise<{ readonly etag: string | undefined }>;
  changeMembers(
    group: string,
    batch: MemberBatch,
    all: () => Promise<readonly string[]>,
    signal: AbortSignal,
  ): Promise<void>;
}

export interface WriterParts {
  readonly client: ScimClient;
  readonly settings: ScimSettings;
  capabilities(): Capabilities | undefined;
  learned(): Learned;
  learn(type: ResourceType, way: 'patch' | 'put'): void;
  read(type: ResourceType, id: string, signal: AbortSignal): Promise<Remote | undefined>;
}

export function makeWriter({ client, settings, capabilities, learned, learn, read }: WriterParts): Writer {
  const { dialect } = settings;

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
    type: ResourceType,
    id: string,
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
      learn(type, other);
      return answer;
    }
  }

  /** Read again and tried once more when it changed meanwhile. */
  async function fresh<Answer>(
    type: ResourceType,
    id: string,
    etag: string | undefined,
    work: (etag: string | undefined) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    try {
      return await work(etag);
    } catch (error) {
      if (!(error instanceof TargetError) || error.kind !== 'stale') throw error;
      return work((await read(type, id, signal))?.etag);
    }
  }

  const matchOf = (etag: string | undefined): { etag?: string } =>
    etag !== undefined && capabilities()?.etag === true ? { etag } : {};

  async function patch(
    type: ResourceType,
    id: string,
    { before, after, etag }: { before: Payload; after: Payload; etag: string | undefined },
    signal: AbortSignal,
  ): Promise<{ etag: string | undefined }> {
    let newest = etag;
    for (const body of patchRequests(before, after, dialect))
      newest = await fresh(
        type,
        id,
        newest,
        async (at) =>
          (await client.send({ method: 'PATCH', path: pathOf(type, id), body, ...matchOf(at) }, signal)).etag,
        signal,
      );
    return { etag: newest };
  }

  /** What is there with what we manage put over it: what others manage survives. */
  async function put(
    type: ResourceType,
    id: string,
    merge: (remote: Payload) => Promise<Payload>,
    signal: AbortSignal,
  ): Promise<{ etag: string | undefined }> {
    for (let tries = 1; ; tries += 1) {
      const remote = await read(type, id, signal);
      if (remote === undefined) throw gone(type, id);
      const { meta: _meta, groups: _groups, ...theirs } = remote.document ?? {};
      try {
        const body = { ...(await merge(theirs)), id };
        const { etag } = await client.send(
          { method: 'PUT', path: pathOf(type, id), body, ...matchOf(remote.etag) },
          signal,
        );
        return { etag };
      } catch (error) {
        if (tries > 1 || !(error instanceof TargetError) || error.kind !== 'stale') throw error;
      }
    }
  }

  return {
    async update(type, id, change, signal) {
      const { before, after } = change;
      return tryBoth(
        type,
        id,
        {
          patch: () => patch(type, id, change, signal),
          put: () => put(type, id, async (theirs) => merged(theirs, before, after), signal),
        },
        signal,
      );
    },
    async changeMembers(group, batch, all, signal) {
      const add = batch.add.map((value) => ({
        value,
        ...(batch.types?.get(value) === 'Group' ? { type: 'Group' } : {}),
      }));
      const body = patchBody(memberOperations({ add, remove: batch.remove }, dialect));
      await tryBoth(
        'Group',
        group,
        {
          patch: async () => {
            await client.send({ method: 'PATCH', path: pathOf('Group', group), body }, signal);
          },
          put: async () => {
            const members = (await all()).map((value) => ({ value }));
            await put('Group', group, async (theirs) => ({ ...theirs, members }), signal);
          },
        },
        signal,
      );
    },
  };
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
