import type { ReactNode } from 'react';
import { Skeleton } from './banner.tsx';
import { Failure } from './loaded.tsx';
import { More } from './table.tsx';

/** A list that comes page by page: while it loads, when it failed, when it has nothing, and what it has. */
export function Listed<Item>({
  list,
  lines,
  empty,
  children,
}: {
  readonly list: {
    readonly items: readonly Item[];
    readonly error: unknown;
    readonly isLoading: boolean;
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    refetch(): unknown;
    fetchNextPage(): unknown;
  };
  readonly lines?: number;
  readonly empty: ReactNode;
  readonly children: ReactNode;
}) {
  if (list.items.length === 0) {
    if (list.error !== null) return <Failure error={list.error} onRetry={() => void list.refetch()} />;
    if (list.isLoading) return <Skeleton {...(lines === undefined ? {} : { lines })} />;
    return empty;
  }
  return (
    <>
      {children}
      <More list={list} />
    </>
  );
}
