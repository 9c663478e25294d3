import type { Check } from '#core/check.ts';
import { type BatchAnswer, batchGet } from '../graph/batch.ts';
import type { Graph } from '../graph/client.ts';
import { GROUP_SELECT, type GraphGroup, hidesMembers } from '../map/records.ts';
import { makeScope } from '../scope/scope.ts';
import type { Microsoft365Settings } from '../settings.ts';
import { countIn } from './members.ts';

/**
 * One check for each group that the settings name by its id: whether it is there, is of a type in scope, and has
 * anybody in it. None when the settings name no group.
 * @throws {GatewayError} what `batchGet` throws
 */
export async function checkSelectedGroups(
  settings: Microsoft365Settings,
  graph: Graph,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { scope, pathDisplay } = settings;
  const root = pathDisplay.rootGroupId;
  const ids = root === null ? scope.groupIds : [...scope.groupIds, root];
  const answers = await batchGet(
    graph,
    ids.map((id) => `${pathOf(id)}?$select=${GROUP_SELECT.join(',')}`),
    { signal },
  );
  const counts = await batchGet(
    graph,
    ids.map((id) => `${pathOf(id)}/members/$count`),
    { signal, advanced: true },
  );
  const deleted = await batchGet(
    graph,
    ids.map((id) => `/directory/deletedItems/${encodeURIComponent(id)}?$select=id,displayName`),
    { signal },
  );
  return ids.map((id, index) =>
    checkOf(settings, id, { group: answers[index], count: counts[index], deleted: deleted[index] }),
  );
}

const pathOf = (id: string): string => `/groups/${encodeURIComponent(id)}`;

interface Answers {
  readonly group: BatchAnswer | undefined;
  readonly count: BatchAnswer | undefined;
  readonly deleted: BatchAnswer | undefined;
}

function checkOf(settings: Microsoft365Settings, id: string, { group, count, deleted }: Answers): Check {
  const isPathRoot = id === settings.pathDisplay.rootGroupId;
  const name = isPathRoot ? 'path-display-group' : 'selected-group';
  const fail = (detail: string, remedy: string): Check => ({ name, ok: false, detail, remedy });
  if (group?.status === 404 && deleted?.status === 200)
    return fail(`The group "${nameIn(deleted, id)}" is in the recycle bin.`, 'Restore it in Entra, or select another.');
  if (group?.status === 404)
    return fail(`There is no group ${id} in the tenant.`, 'Select a group that is there; it may have been deleted.');
  if (group?.status !== 200)
    return fail(`The group ${id} cannot be read (${group?.status}).`, 'Grant GroupMember.Read.All, and try again.');
  const label = nameIn(group, id);
  const found = group.body as GraphGroup;
  const out = isPathRoot ? undefined : makeScope(settings).group(found);
  if (out !== undefined)
    return fail(
      `The group "${label}" is of a kind that the scope leaves out (${out.detail ?? 'dynamic membership'}).`,
      'Add its type to scope.groupTypes, or include dynamic membership, or select another group.',
    );
  const members = countIn(found, count);
  const size = hidesMembers(found)
    ? 'hides its members, who come in with Member.Read.Hidden only'
    : members === 0
      ? 'is empty, so nobody comes in by it'
      : `has ${members ?? 'an unknown number of'} members`;
  return { name, ok: true, detail: `The group "${label}" ${size}.`, remedy: null };
}

function nameIn({ body }: BatchAnswer, id: string): string {
  const { displayName } = (body ?? {}) as { displayName?: unknown };
  return typeof displayName === 'string' && displayName !== '' ? displayName : id;
}
