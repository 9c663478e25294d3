// PATCH as RFC 7644 section 3.5.2 has it, and no kinder than that.
import { matches, type Path, parsePath } from './paths.ts';
import { attributeOf, type Doc, type Kind, type SchemaTable, wrongValue } from './schema.ts';

/** What the client did wrong. */
export class Refusal extends Error {
  readonly status: number;
  readonly scimType: string | undefined;
  constructor(status: number, detail: string, scimType?: string) {
    super(detail);
    this.status = status;
    this.scimType = scimType;
  }
}

export interface Operation {
  readonly op: string;
  readonly path?: string;
  readonly value?: unknown;
}

const MESSAGE = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** The operations of a request. @throws {Refusal} it is no PatchOp message */
export function operationsOf(body: Doc): readonly Operation[] {
  const operations = body['Operations'];
  if (!Array.isArray(body['schemas']) || body['schemas'].join() !== MESSAGE || !Array.isArray(operations))
    throw new Refusal(400, 'this is no PatchOp message', 'invalidSyntax');
  if (operations.length === 0) throw new Refusal(400, 'there are no Operations', 'invalidSyntax');
  return operations;
}

/** A copy with the operations carried out. @throws {Refusal} one of them cannot be */
export function applyPatch(table: SchemaTable, kind: Kind, before: Doc, operations: readonly Operation[]): Doc {
  const doc = structuredClone(before);
  for (const operation of operations) applyOne(table, kind, doc, operation);
  const urns = Object.keys(doc).filter((name) => name.startsWith('urn:'));
  const [core] = doc['schemas'] as string[];
  return { ...doc, schemas: [core, ...urns] };
}

function applyOne(table: SchemaTable, kind: Kind, doc: Doc, { op, path: text, value }: Operation): void {
  if (!['add', 'remove', 'replace'].includes(op)) throw new Refusal(400, `there is no op "${op}"`, 'invalidSyntax');
  if (text === undefined) {
    if (op === 'remove') throw new Refusal(400, 'remove needs a path', 'noTarget');
    for (const [name, item] of Object.entries(value as Doc))
      applyOne(table, kind, doc, { op, path: name, value: item });
    return;
  }
  if ((op === 'remove') !== (value === undefined))
    throw new Refusal(400, `${op} of "${text}" with value ${value}`, 'invalidValue');
  const path = parsePath(text, Object.keys(table));
  if (path === undefined) throw new Refusal(400, `"${text}" is no path`, 'invalidPath');
  const { urn, attribute: name } = path;
  const attribute =
    urn === undefined
      ? attributeOf(table, kind, name ?? '')
      : name === undefined
        ? attributeOf(table, kind, urn)
        : table[urn]?.[name];
  if (attribute === undefined) throw new Refusal(400, `unknown attribute "${text}"`, 'invalidPath');
  if (attribute.readOnly === true) throw new Refusal(400, `"${text}" is read-only`, 'mutability');
  const definition = path.sub === undefined ? attribute : attribute.sub?.[path.sub];
  if (op !== 'remove') {
    const isOneOfMany = attribute.many === true && path.sub === undefined && !Array.isArray(value);
    const wrong = wrongValue(definition, isOneOfMany ? [value] : value, text);
    if (wrong !== undefined) throw new Refusal(400, wrong, 'invalidValue');
  }
  const place = placeOf(doc, path);
  write(place, path, op, value);
  if (urn !== undefined && Object.keys((doc[urn] as Doc | undefined) ?? {}).length === 0) delete doc[urn];
}

interface Place {
  readonly holder: Doc;
  readonly key: string;
}

function placeOf(doc: Doc, { urn, attribute }: Path): Place {
  if (urn === undefined || attribute === undefined) return { holder: doc, key: attribute ?? urn ?? '' };
  doc[urn] ??= {};
  return { holder: doc[urn] as Doc, key: attribute };
}

function write({ holder, key }: Place, { filter, sub }: Path, op: string, value: unknown): void {
  const there = holder[key];
  if (filter !== undefined) {
    writeFiltered({ holder, key }, filter, { op, sub, value });
    return;
  }
  if (sub !== undefined) {
    if (Array.isArray(there)) throw new Refusal(400, `"${key}" needs a filter`, 'noTarget');
    holder[key] = { ...(there as Doc | undefined) };
    const inner = holder[key] as Doc;
    if (op === 'remove') delete inner[sub];
    else inner[sub] = value;
    if (Object.keys(inner).length === 0) delete holder[key];
  } else if (op === 'remove') delete holder[key];
  else if (op === 'add' && Array.isArray(there)) {
    const more = Array.isArray(value) ? value : [value];
    const known = new Set(there.map((item) => JSON.stringify((item as Doc)['value'] ?? item)));
    holder[key] = [...there, ...more.filter((item) => !known.has(JSON.stringify((item as Doc)['value'] ?? item)))];
  } else
    holder[key] =
      typeof value === 'object' && value !== null && !Array.isArray(value) && op === 'add'
        ? { ...(there as Doc), ...value }
        : value;
  if (Array.isArray(holder[key]) && (holder[key] as unknown[]).length === 0) delete holder[key];
}

function writeFiltered(
  { holder, key }: Place,
  filter: NonNullable<Path['filter']>,
  { op, sub, value }: { op: string; sub: string | undefined; value: unknown },
): void {
  const list = (holder[key] ?? []) as Doc[];
  const hits = list.filter((item) => matches(item, filter, false));
  // Removing what is not there is a success that changes nothing; only replace answers noTarget.
  if (hits.length === 0 && op === 'replace') throw new Refusal(400, `no value of "${key}" matches`, 'noTarget');
  if (op === 'remove' && sub === undefined) holder[key] = list.filter((item) => !hits.includes(item));
  else
    for (const hit of hits) {
      if (sub === undefined) Object.assign(hit, value);
      else if (op === 'remove') delete hit[sub];
      else hit[sub] = value;
    }
  if ((holder[key] as Doc[]).length === 0) delete holder[key];
}
