import { useList } from '../api/queries.ts';

/** A group of the source by its name, where the directory has it; else by its id. */
export function GroupName({ id }: { readonly id: string }) {
  const found = useList('GET /groups', { query: { search: id, limit: 5 } as never });
  return <>{found.items.find(({ externalId }) => externalId === id)?.displayName ?? id}</>;
}
