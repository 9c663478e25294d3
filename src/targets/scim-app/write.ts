// Changing a resource at the target: PATCH where it takes it, PUT where it does not, whatever it says of itself.
import type { ResourceType } from '#core/resource.ts';
import type { Payload, Target } from '#core/target.ts';
import type { ScimAnswer, ScimClient } from './client.ts';
import { patchRequests } from './patch.ts';
import { pathOf, remoteOf } from './remote.ts';
import type { ScimSettings } from './settings.ts';
import { writablePart } from './shape.ts';
import { gone, makeWays, type Place, type WayParts } from './ways.ts';
import { asWhole, listRefused, makePatchMembers, orListRefused } from './write-members.ts';

export type Writer = Pick<Target, 'update' | 'remove' | 'changeMembers'>;

export interface WriterParts extends WayParts {
  readonly client: ScimClient;
  readonly settings: ScimSettings;
}

export function makeWriter(parts: WriterParts): Writer {
  const { client, settings, read } = parts;
  const ways = makeWays(parts);
  const patchMembers = makePatchMembers({ ...parts, ways });

  async function patch(
    place: Place,
    { before, after, etag }: Change,
    signal: AbortSignal,
  ): Promise<{ etag: string | undefined; id: string }> {
    let at = { ...place, etag };
    for (const body of patchRequests(before, after, settings.dialect)) {
      const path = pathOf(at.type, at.id);
      const answer = await ways.fresh(
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
    return ways.insist(async (match) => {
      const remote = await read(type, id, signal);
      if (remote === undefined) throw gone(type, id);
      const theirs = writablePart(remote.document ?? {}, type, parts.capabilities()?.readOnly);
      const body = { ...(await merge(theirs)), id };
      const answer = await client.send({ method: 'PUT', path: pathOf(type, id), body, ...match(remote.etag) }, signal);
      return { etag: answer.etag, id: idOf(answer, id) };
    });
  }

  return {
    async update(type, id, change, signal) {
      const { before, after, members } = change;
      const place = { type, id };
      const tries = {
        patch: () => patch(place, change, signal),
        put: () =>
          put(place, async (theirs) => merged(await withMembers(type, theirs, members), before, after), signal),
      };
      return ways.either(place, tries, signal);
    },
    async remove(type, id, signal) {
      const path = pathOf(type, id);
      await ways.fresh(
        { type, id },
        undefined,
        (match) => client.send({ method: 'DELETE', path, ...match }, signal),
        signal,
      );
      return true;
    },
    async changeMembers(group, batch, all, signal) {
      const place = { type: 'Group', id: group } as const;
      const putAll = async (isGuess: boolean): Promise<void> => {
        const members = (await all()).map((value) => ({ value }));
        const { perRequest } = settings.members;
        if (isGuess && members.length > perRequest) throw listRefused(members.length, perRequest);
        await asWhole(members.length, perRequest, () => put(place, async (theirs) => ({ ...theirs, members }), signal));
      };
      const tries = { patch: () => patchMembers(group, batch, all, signal), put: putAll };
      await orListRefused(
        () => ways.either(place, tries, signal),
        async () => (await read('Group', group, signal)) !== undefined,
      );
    },
  };
}

interface Change {
  readonly before: Payload;
  readonly after: Payload;
  readonly etag: string | undefined;
  members?(): Promise<readonly string[]>;
}

/** Members whom a target does not show it would take for none. */
async function withMembers(type: ResourceType, theirs: Payload, members: Change['members']): Promise<Payload> {
  if (type === 'User' || Array.isArray(theirs['members'])) return theirs;
  const known = (await members?.()) ?? [];
  return known.length === 0 ? theirs : { ...theirs, members: known.map((value) => ({ value })) };
}

/** Some make the id of an attribute that changes. */
function idOf({ body }: ScimAnswer, id: string): string {
  return remoteOf(body)?.id ?? id;
}

/** Extensions and complex attributes are merged, too: what was ours and is not sent any more goes, and what never was stays. */
export function merged(theirs: Payload, before: Payload, after: Payload): Payload {
  const result = mergedFields(theirs, before, after);
  for (const [name, was] of Object.entries(before)) {
    const left = after[name] === undefined ? notOf(was, theirs[name]) : [];
    if (left.length > 0) result[name] = Object.fromEntries(left);
  }
  return result;
}

/** Of a complex value there, the parts that were never ours. */
function notOf(was: unknown, there: unknown): readonly (readonly [string, unknown])[] {
  if (!isFields(was) || !isFields(there)) return [];
  return Object.entries(there).filter(([name]) => was[name] === undefined);
}

function mergedFields(theirs: Payload, before: Payload, after: Payload): Record<string, unknown> {
  const result: Record<string, unknown> = { ...theirs };
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is, there] = [before[name], after[name], theirs[name]];
    if (name === 'schemas') result[name] = [...new Set([...listOf(there), ...listOf(is)])];
    else if (is === undefined) delete result[name];
    else if (isInDoubt(was) && isInDoubt(is)) continue;
    else if (isFields(is)) {
      const part = mergedFields(isFields(there) && !isOther(is, there) ? there : {}, fieldsOf(was), is);
      if (there !== undefined || Object.keys(part).length > 0) result[name] = part;
    } else result[name] = is;
  }
  return result;
}

/** Nobody knows what stands there, and it is not to be changed now: `inDoubt` of core/outgoing. */
function isInDoubt(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Refers to somebody else: what is said of the one before goes with them, such as a manager's name. */
function isOther(is: Payload, there: Payload): boolean {
  return is['value'] !== undefined && is['value'] !== there['value'];
}

function fieldsOf(value: unknown): Payload {
  return isFields(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isFields(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
