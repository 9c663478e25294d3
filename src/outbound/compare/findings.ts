// What a comparison tells of, and what is told of resources there that are linked to nobody here.
import { nameKey } from '#core/names.ts';
import type { ResourceType } from '#core/resource.ts';
import type { PushPolicy, Remote } from '#core/target.ts';
import type { Db } from '#store/database.ts';
import { readTwins } from '#store/target/reconciliations.ts';

/**
 * `missing` ours, and not there any more · `changed` an attribute of ours has another value · `member-added` and
 * `member-missing` in a group of ours · `duplicate` of one that is linked to somebody here · `orphan` made by us, and
 * nobody here any more · `unmanaged` theirs, and none of our business.
 */
export type DriftClass =
  | 'missing'
  | 'changed'
  | 'member-added'
  | 'member-missing'
  | 'duplicate'
  | 'orphan'
  | 'unmanaged';

export interface Finding {
  readonly class: DriftClass;
  readonly resourceType: ResourceType;
  readonly resourceId: string | null;
  readonly remoteId: string;
  readonly detail: string;
  /** `not-kept`: it was written once, and was as before right after that. */
  readonly repair: 'queued' | 'reported' | 'not-kept';
}

type Twin = Awaited<ReturnType<typeof readTwins>>[number];

const OUR_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Our id, where it is what they know ours by. */
function ourIdOf({ document }: Remote, { externalId }: Pick<PushPolicy, 'externalId'>): string | undefined {
  const given = String(document?.['externalId'] ?? '');
  return externalId === 'id' && OUR_ID.test(given) ? given : undefined;
}

/** Tells what is orphaned from what is there twice. */
export async function twinsOf(
  { db, appId, policy }: { readonly db: Db; readonly appId: string; readonly policy: Pick<PushPolicy, 'externalId'> },
  type: ResourceType,
  strangers: readonly Remote[],
): Promise<(remote: Remote) => { readonly ourId: string | undefined; readonly twin: Twin | undefined }> {
  const nameOf = ({ document }: Remote): string =>
    nameKey(String(document?.[type === 'User' ? 'userName' : 'displayName'] ?? ''));
  const ids = strangers.map((remote) => ourIdOf(remote, policy)).filter((id) => id !== undefined);
  const twins = strangers.length === 0 ? [] : await readTwins(db, appId, type, { ids, names: strangers.map(nameOf) });
  const [byId, byName] = [new Map(twins.map((one) => [one.id, one])), new Map(twins.map((one) => [one.name, one]))];
  return (remote) => {
    const ourId = ourIdOf(remote, policy);
    return { ourId, twin: byId.get(ourId ?? '') ?? byName.get(nameOf(remote)) };
  };
}

export function unlinkedFinding(
  type: ResourceType,
  { id: remoteId }: Remote,
  { ourId, twin }: { readonly ourId: string | undefined; readonly twin: Twin | undefined },
): Finding {
  const found = { resourceType: type, remoteId, repair: 'reported' } as const;
  if (twin !== undefined) {
    const detail = `It has the id or the name of one that is linked to "${twin.remoteId}" there.`;
    return { ...found, class: 'duplicate', resourceId: twin.id, detail };
  }
  if (ourId === undefined)
    return { ...found, class: 'unmanaged', resourceId: null, detail: 'Nobody here is linked to it.' };
  const detail = 'It carries one of our ids, and is linked to nothing here.';
  return { ...found, class: 'orphan', resourceId: null, detail };
}
