// Creates that come together go out together, where the target takes Bulk and it is asked for (RFC 7644 section 3.7).
import type { ResourceType } from '#core/resource.ts';
import {
  type Capabilities,
  type Payload,
  type Remote,
  type Target,
  TargetError,
  type TargetFailure,
} from '#core/target.ts';
import type { Mask } from '#platform/mask.ts';
import { type ScimClient, TAKEN } from './client.ts';
import { idInLocation, placeOf } from './remote.ts';

export interface BulkParts {
  readonly client: ScimClient;
  readonly createOne: Target['create'];
  readonly isOn: boolean;
  capabilities(): Capabilities | undefined;
  /** What is exchanged under a signal belongs to all of these. */
  share(signal: AbortSignal, among: readonly AbortSignal[]): void;
}

interface Waiting {
  readonly type: ResourceType;
  readonly payload: Payload;
  readonly signal: AbortSignal;
  resolve(remote: Remote): void;
  reject(error: unknown): void;
}

const BULK_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
/** How long the first waits for others. */
const GATHER_MS = 5;
const PAYLOAD_MARGIN = 0.9;
/** There is no Bulk, whatever ServiceProviderConfig says, or the request was refused as a whole: nothing was done. */
const NOT_DONE: ReadonlySet<TargetFailure> = new Set(['gone', 'unsupported', 'refused', 'conflict']);

/** A create that may wait a moment for others; alone, or without Bulk, it is a request of its own. */
export function makeBulkCreator({ client, createOne, isOn, capabilities, share }: BulkParts): Target['create'] {
  let waiting: Waiting[] = [];
  let isGathering = false;

  function flush(): void {
    isGathering = false;
    const all = waiting.filter(({ signal }) => !signal.aborted);
    waiting = [];
    const limits = capabilities()?.bulk;
    for (const chunk of chunksOf(all, limits?.maxOperations ?? 1, (limits?.maxPayloadSize ?? 0) * PAYLOAD_MARGIN))
      void send(chunk);
  }

  async function send(chunk: readonly Waiting[]): Promise<void> {
    const [first] = chunk;
    if (first === undefined) return;
    if (chunk.length === 1) {
      await sendAlone(first);
      return;
    }
    const common = untilAllGaveUp(chunk);
    share(
      common.signal,
      chunk.map(({ signal }) => signal),
    );
    try {
      const operations = chunk.map(({ type, payload }, index) => ({
        method: 'POST',
        path: placeOf(type),
        bulkId: String(index),
        data: payload,
      }));
      const { body } = await client.send(
        { method: 'POST', path: '/Bulk', body: { schemas: [BULK_SCHEMA], Operations: operations } },
        common.signal,
      );
      answer(chunk, body, client.mask);
    } catch (error) {
      await sendOtherwise(chunk, error);
    } finally {
      common.end();
    }
  }

  /** In halves where it was too much, one by one where nothing of it was done. Else each is to be looked for. */
  async function sendOtherwise(chunk: readonly Waiting[], error: unknown): Promise<void> {
    const failure = error instanceof TargetError ? error : undefined;
    const half = Math.ceil(chunk.length / 2);
    if (failure?.status === 413) await Promise.all([send(chunk.slice(0, half)), send(chunk.slice(half))]);
    else if (failure !== undefined && NOT_DONE.has(failure.kind)) await Promise.all(chunk.map(sendAlone));
    else for (const { reject } of chunk) reject(error);
  }

  function sendAlone({ type, payload, signal, resolve, reject }: Waiting): Promise<void> {
    return createOne(type, payload, signal).then(resolve, reject);
  }

  return (type, payload, signal) => {
    if (!isOn || capabilities()?.bulk === undefined) return createOne(type, payload, signal);
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise<Remote>((resolve, reject) => {
      // Whoever may not wait any longer gives up alone.
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      waiting.push({ type, payload, signal, resolve, reject });
      if (!isGathering) setTimeout(flush, GATHER_MS);
      isGathering = true;
    });
  };
}

/** The deadline of one is not that of the others: their request goes on until nobody waits for it. */
function untilAllGaveUp(chunk: readonly Waiting[]): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const look = (): void => {
    const left = chunk.find(({ signal }) => !signal.aborted);
    if (left === undefined) controller.abort(chunk[0]?.signal.reason);
  };
  for (const { signal } of chunk) signal.addEventListener('abort', look, { once: true });
  look();
  return {
    signal: controller.signal,
    end() {
      for (const { signal } of chunk) signal.removeEventListener('abort', look);
    },
  };
}

function chunksOf(all: readonly Waiting[], operationsMax: number, bytesMax: number): Waiting[][] {
  const chunks: Waiting[][] = [];
  let current: Waiting[] = [];
  let bytes = 0;
  for (const one of all) {
    const size = Buffer.byteLength(JSON.stringify(one.payload)) + 100;
    if (current.length > 0 && (current.length >= operationsMax || bytes + size > bytesMax)) {
      chunks.push(current);
      current = [];
      bytes = 0;
    }
    current.push(one);
    bytes += size;
  }
  return current.length === 0 ? chunks : [...chunks, current];
}

/** What it says it made, else what its place is called. */
function idOf(result: Payload | undefined): string {
  const { id } = (result?.['response'] ?? {}) as { readonly id?: unknown };
  return typeof id === 'string' ? id : idInLocation(String(result?.['location'] ?? ''));
}

/** Each operation as if it had been a request of its own. One without an answer may have been carried out. */
function answer(chunk: readonly Waiting[], body: Payload | undefined, mask: Mask): void {
  const given = body?.['Operations'];
  const results = new Map(
    (Array.isArray(given) ? given : []).map((result) => [String(result?.bulkId), result as Payload]),
  );
  for (const [index, { resolve, reject }] of chunk.entries()) {
    const result = results.get(String(index));
    const status = Number(
      typeof result?.['status'] === 'object' ? (result['status'] as Payload)['code'] : result?.['status'],
    );
    const id = idOf(result);
    if (status >= 200 && status < 300 && id !== '')
      resolve({ id, document: undefined, etag: result?.['version'] as string | undefined });
    else reject(failureOf(status, result, mask));
  }
}

function failureOf(status: number, result: Payload | undefined, mask: Mask): TargetError {
  const response = result?.['response'];
  const detail =
    typeof response === 'object' && response !== null && 'detail' in response
      ? `: ${mask(String(response.detail)).slice(0, 300)}`
      : '.';
  const isUnknown = result === undefined || (status >= 200 && status < 300);
  const isTaken = status === 409 || (status === 400 && TAKEN.test(JSON.stringify(response ?? '')));
  const kind: TargetFailure =
    isUnknown || status >= 500 ? 'server' : isTaken ? 'conflict' : status === 429 ? 'throttled' : 'refused';
  return new TargetError(
    `The target answered ${Number.isFinite(status) ? status : 'nothing'} to an operation of a Bulk request${detail}`,
    {
      kind,
      reason: `bulk-${kind}`,
      status: Number.isFinite(status) ? status : undefined,
      unknown: kind === 'server',
    },
  );
}
