// Sending resources: their stored text as it is, or cut down; members of groups joined in a bounded number at a time, so
// that neither a group of 100,000 nor a page of large groups is in memory at once.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Document } from '#core/coerce.ts';
import { jsonText } from '#core/json.ts';
import type { ResourceType } from '#core/resource.ts';
import { MEMBER_SLICE, readMemberSlices, readMembers } from '#store/directory/resource-reader.ts';
import { INLINE_MEMBERS, type Served } from '#store/directory/served.ts';
import { send, stream } from './answers.ts';
import type { ScimParts } from './parts.ts';
import type { Projection } from './projection.ts';
import type { View } from './view.ts';

export type Projections = Readonly<Record<ResourceType, Projection>>;

export interface RowsAnswer {
  readonly head: string;
  readonly rows: readonly Served[];
  readonly projections: Projections;
  readonly view: View;
}

/** At once when it is small; members of many groups are read and written some groups at a time. */
export async function sendRows(
  parts: ScimParts,
  answer: RowsAnswer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { head, rows, projections } = answer;
  const members = projections.Group.related ? membersOf(rows) : 0;
  if (members === 0) {
    const resources = rows.map(({ text, resource_type }) => projected(text, projections[resource_type]));
    send(request, response, 200, `${head}${resources.join(',')}]}`);
    return;
  }
  const pieces = listPieces(parts, answer);
  if (members <= MEMBERS_TOGETHER) {
    send(request, response, 200, (await Array.fromAsync(pieces)).join(''));
    return;
  }
  await stream(request, response, pieces);
}

/** Members that are in memory together: about 3 MB of text. */
const MEMBERS_TOGETHER = 20_000;

function membersOf(rows: readonly Served[]): number {
  return rows.reduce((sum, row) => sum + row.member_count, 0);
}

async function* listPieces(parts: ScimParts, { head, rows, projections, view }: RowsAnswer): AsyncGenerator<string> {
  yield head;
  let separator = '';
  for (const chunk of chunksOf(rows)) {
    const groups = chunk.filter(({ member_count }) => member_count > 0);
    const isLarge = groups.some(({ member_count }) => member_count > MEMBER_SLICE);
    const members =
      groups.length === 0 || isLarge ? new Map<string, string>() : await membersOfGroups(parts, groups, view);
    for (const row of chunk) {
      yield separator;
      separator = ',';
      const projection = projections[row.resource_type];
      if (isLarge) yield* largeGroup(parts, row, { projection, view });
      else yield projected(withMembers(row.text, members.get(row.id)), projection);
    }
  }
  yield ']}';
}

/** Rows in groups that have no more than so many members together; a large one stands alone. */
function chunksOf(rows: readonly Served[]): readonly (readonly Served[])[] {
  const chunks: Served[][] = [];
  let room = 0;
  for (const row of rows) {
    room -= row.member_count;
    const chunk = chunks.at(-1);
    if (chunk !== undefined && room >= 0) chunk.push(row);
    else {
      chunks.push([row]);
      room = row.member_count > MEMBER_SLICE ? -1 : MEMBERS_TOGETHER - row.member_count;
    }
  }
  return chunks;
}

function membersOfGroups(
  { database, publicUrl }: ScimParts,
  groups: readonly Served[],
  { visible }: View,
): Promise<ReadonlyMap<string, string>> {
  const base = jsonText(`${publicUrl()}/scim/v2`);
  return readMembers(
    database,
    groups.map(({ id }) => id),
    { base, visible },
  );
}

/** Members go last: what comes before is text that ends a JSON object. */
function withMembers(text: string, members: string | undefined): string {
  return members === undefined ? text : `${text.slice(0, -1)},"members":[${members}]}`;
}

/** One resource; of a large group the members are written as they are read. */
export async function sendOne(
  parts: ScimParts,
  { row, projection, view }: { row: Served; projection: Projection; view: View },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const isApart = row.resource_type === 'Group' && projection.related && row.member_count > INLINE_MEMBERS;
  if (!isApart) {
    send(request, response, response.statusCode, projected(row.text, projection));
    return;
  }
  await stream(request, response, largeGroup(parts, row, { projection, view }));
}

/** A group as text in pieces, its members slice by slice. */
async function* largeGroup(
  { database, publicUrl }: Pick<ScimParts, 'database' | 'publicUrl'>,
  row: Served,
  { projection, view }: { projection: Projection; view: View },
): AsyncGenerator<string> {
  const base = jsonText(`${publicUrl()}/scim/v2`);
  const slices = await readMemberSlices(database, row.id, { base, visible: view.visible });
  yield projected(row.text, projection).slice(0, -1);
  let opening = ',"members":[';
  for (const slice of slices) {
    const members = cutMembers(slice, projection);
    if (members === '') continue;
    yield `${opening}${members}`;
    opening = ',';
  }
  yield opening === ',' ? ']}' : '}';
}

/** A slice of members, cut down when only some of what there is to a member was asked for. */
function cutMembers(slice: string, projection: Projection): string {
  if (projection.whole) return slice;
  const { members = [] } = projection.apply({ members: JSON.parse(`[${slice}]`) });
  return JSON.stringify(members).slice(1, -1);
}

function projected(text: string, projection: Projection): string {
  return projection.whole ? text : JSON.stringify(projection.apply(JSON.parse(text) as Document));
}
