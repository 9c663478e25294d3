// Asking for single objects, where a list of Graph may lag or be short. By `$batch`, and where that is closed by single
// requests. `POST /directoryObjects/getByIds` would take a thousand ids at once, but needs Directory.Read.All.
// Sources: learn.microsoft.com/graph/json-batching, api/user-get, api/group-get, api/directory-deleteditems-get,
// api/directoryobject-getbyids and aad-advanced-queries, checked 2026-11.
import { GatewayError, NotFoundError, UpstreamError } from '#core/errors.ts';
import type { SecondLook } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';
import { batchGet, STEPS_MAX } from '../graph/batch.ts';
import type { Graph } from '../graph/client.ts';
import { isNotGiven } from '../graph/failures.ts';
import { groupsOf } from '../graph/links.ts';
import { membersOfAll } from './members.ts';

/** Requests that are under way together, batches or single ones. */
const AT_ONCE = 4;

/**
 * @param showsAll whether the read that it goes with lists every user and group
 * @param read how that read would have shown single ones
 */
export function secondLook(graph: Graph, showsAll: boolean, read?: SecondLook['read']): SecondLook {
  const ask = makeAsker(graph);
  return {
    showsAll,
    ...(read && { read }),
    isThere: (type, ids, signal) => ask(ids, (id) => `${listOf(type)}/${encodeURIComponent(id)}?$select=id`, signal),
    isRestorable: (ids, signal) =>
      ask(ids, (id) => `/directory/deletedItems/${encodeURIComponent(id)}?$select=id`, signal),
    count: (type, signal) => countObjects(graph, type, signal),
    members: (groups, signal) => membersOfAll(graph, new Map(groups.map((group) => [group, false])), signal),
    groupsOf: (type, ids, signal) =>
      groupsOf(graph, { type, ids }, signal).catch((error: unknown) => {
        if (isNotGiven(error)) return new Map();
        throw error;
      }),
  };
}

function listOf(type: ResourceType): '/users' | '/groups' {
  return type === 'User' ? '/users' : '/groups';
}

interface Question {
  readonly id: string;
  readonly url: string;
}

/** Undefined: nothing. */
type Told = boolean | undefined;

type Asker = (
  ids: readonly string[],
  urlOf: (id: string) => string,
  signal: AbortSignal,
) => Promise<ReadonlyMap<string, boolean>>;

/** 200 with the object says that it is there, 404 that it is not; any other answer says nothing. */
function makeAsker(graph: Graph): Asker {
  let isBatchClosed = false;

  async function askSome(questions: readonly Question[], signal: AbortSignal): Promise<readonly Told[]> {
    if (!isBatchClosed)
      try {
        const urls = questions.map(({ url }) => url);
        const answers = await batchGet(graph, urls, { signal });
        return answers.map(({ status, body }, index) => {
          if (status === 404) return false;
          return status === 200 ? isObject(questions[index], body) : undefined;
        });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof GatewayError)) throw error;
        // Twenty requests in the place of one are nothing for somebody who is asked to wait.
        if (error instanceof UpstreamError && error.failure === 'throttled') throw error;
        isBatchClosed = isNotGiven(error);
      }
    return Promise.all(questions.map((question) => askOne(question, signal)));
  }

  async function askOne(question: Question, signal: AbortSignal): Promise<Told> {
    try {
      return await graph.get(question.url, (body) => isObject(question, body), { signal });
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      if (isNotGiven(error)) return undefined;
      throw error;
    }
  }

  return async (ids, urlOf, signal) => {
    const told = new Map<string, boolean>();
    const stop = new AbortController();
    const bounded = AbortSignal.any([signal, stop.signal]);
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < ids.length) {
        const some = ids.slice(next, next + STEPS_MAX);
        next += some.length;
        const questions = some.map((id) => ({ id, url: urlOf(id) }));
        const answers = await askSome(questions, bounded);
        for (const [index, id] of some.entries()) {
          const answer = answers[index];
          if (answer !== undefined) told.set(id, answer);
        }
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } finally {
      stop.abort();
    }
    return told;
  };
}

function isObject(question: Question | undefined, body: unknown): Told {
  const { id } = (body ?? {}) as { readonly id?: unknown };
  return typeof id === 'string' && id.toLowerCase() === question?.id.toLowerCase() ? true : undefined;
}

/** Good to know and not worth an error. */
export async function countObjects(graph: Graph, type: ResourceType, signal: AbortSignal): Promise<number | undefined> {
  try {
    const total = await graph.get(`${listOf(type)}/$count`, Number, { signal, advanced: true });
    return Number.isInteger(total) ? total : undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}
