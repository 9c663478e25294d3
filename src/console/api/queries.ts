// Reading and writing through one cache. Keys begin with the first noun of the path, which is what the live stream names.
import { QueryClient, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { type Answer, ApiError, type CallOptions, call, callTagged, type Operation } from './client.ts';

type Reading = Extract<Operation, `GET ${string}`>;
type PageAnswer = { readonly items: readonly unknown[]; readonly nextCursor: string | null };
type Listing = { [O in Reading]: Answer<O> extends PageAnswer ? O : never }[Reading];
export type ItemOf<O extends Listing> = Answer<O> extends { readonly items: readonly (infer Item)[] } ? Item : never;

const STALE_MS = 30_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: STALE_MS,
      retry: (failures, error) =>
        failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
      refetchOnWindowFocus: false,
      placeholderData: (previous: unknown) => previous,
    },
  },
});

function keyOf<O extends Operation>(operation: O, options: Pick<CallOptions<O>, 'path' | 'query'>, kind: string) {
  const noun = operation.split('/')[1] ?? '';
  return [noun, kind, operation, options.path ?? {}, options.query ?? {}];
}

/** One thing. Old data stays while new data comes. */
export function useGet<O extends Reading>(operation: O, options: CallOptions<O> & { enabled?: boolean } = {}) {
  const { enabled, ...rest } = options;
  return useQuery({
    queryKey: keyOf(operation, options, 'one'),
    queryFn: ({ signal }) => call(operation, { ...rest, signal }),
    ...(enabled === undefined ? {} : { enabled }),
  });
}

/** Settings with their version, for a form that overwrites nobody. */
export function useDocument<O extends Reading>(operation: O, options: CallOptions<O> = {}) {
  return useQuery({
    queryKey: keyOf(operation, options, 'document'),
    queryFn: ({ signal }) => callTagged(operation, { ...options, signal }),
  });
}

const PAGE_SIZE = 50;

/** A list, page by page. */
export function useList<O extends Listing>(operation: O, options: CallOptions<O> & { enabled?: boolean } = {}) {
  const { enabled, ...rest } = options;
  const result = useInfiniteQuery({
    queryKey: keyOf(operation, options, 'list'),
    initialPageParam: undefined as string | undefined,
    queryFn: ({ signal, pageParam }) => {
      const query = { limit: PAGE_SIZE, ...rest.query, ...(pageParam === undefined ? {} : { cursor: pageParam }) };
      return call(operation, { ...rest, query: query as CallOptions<O>['query'], signal }) as Promise<
        Answer<O> & PageAnswer
      >;
    },
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    ...(enabled === undefined ? {} : { enabled }),
  });
  const items = (result.data?.pages.flatMap((page) => page.items) ?? []) as readonly ItemOf<O>[];
  return { ...result, items };
}

/** A change. What it touched is read again, and so is what was changed meanwhile by somebody else. */
export function useCall<O extends Exclude<Operation, Reading | Asking>>(operation: O) {
  const client = useQueryClient();
  const readAgain = (): void => refresh(client, [operation.split('/')[1] ?? '']);
  return useMutation<Answer<O>, ApiError, CallOptions<O>>({
    mutationFn: (options) => call(operation, options),
    onSuccess: readAgain,
    onError: ({ status }) => (status === 412 ? readAgain() : undefined),
  });
}

/** Operations that need a body and change nothing. */
type Asking =
  | 'POST /apps/scope/count'
  | 'POST /apps/{id}/push/dry-run'
  | 'POST /apps/{id}/push/test'
  | 'POST /providers/{kind}/mapping/try'
  | 'POST /providers/{kind}/preview'
  | 'POST /providers/{kind}/scope/try'
  | 'POST /providers/{kind}/test';

/**
 * A question. Nothing is read again for its answer, least of all from a source. One that nobody waits for any more, since
 * another was asked or the page was left, is given up.
 */
export function useAsk<O extends Asking>(operation: O) {
  const asking = useRef<AbortController>(undefined);
  useEffect(() => () => asking.current?.abort(), []);
  return useMutation<Answer<O>, ApiError, CallOptions<O>>({
    mutationFn: (options) => {
      asking.current?.abort();
      asking.current = new AbortController();
      return call(operation, { ...options, signal: asking.current.signal });
    },
  });
}

/** What else shows a change of a noun. */
const SHOWN_IN: Readonly<Record<string, readonly string[]>> = {
  provider: ['providers', 'overview', 'settings-changes'],
  providers: ['providers', 'overview', 'schedule', 'settings-changes'],
  run: ['sync-runs', 'overview', 'providers', 'tasks'],
  'sync-runs': ['sync-runs', 'overview', 'providers', 'tasks'],
  plan: ['plans', 'sync-runs', 'overview'],
  plans: ['plans', 'sync-runs', 'overview'],
  schedule: ['schedule', 'providers', 'settings-changes'],
  guard: ['guard', 'settings-changes'],
  app: ['apps', 'overview', 'targets', 'deliveries'],
  apps: ['targets', 'deliveries', 'overview', 'tokens'],
  token: ['apps', 'tokens'],
  tokens: ['apps'],
  dispute: ['disputes', 'overview'],
  directory: ['users', 'groups', 'overview', 'directory', 'providers'],
  user: ['users', 'overview'],
  group: ['groups', 'overview'],
  target: ['apps', 'deliveries', 'targets'],
  delivery: ['deliveries', 'apps', 'targets'],
  deliveries: ['apps', 'targets'],
  webhook: ['apps', 'deliveries', 'targets'],
  events: ['apps', 'deliveries', 'targets'],
};

export function refresh(client: QueryClient, topics: readonly string[]): void {
  const nouns = new Set(['audit', ...topics.flatMap((topic) => [topic, `${topic}s`, ...(SHOWN_IN[topic] ?? [])])]);
  void client.invalidateQueries({ predicate: ({ queryKey }) => nouns.has(String(queryKey[0])) });
}
