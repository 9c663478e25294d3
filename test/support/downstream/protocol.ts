// What the requests to a downstream service mean, and what they come to (RFC 7644 sections 3 and 4).
import type { Books } from './books.ts';
import { configurationOf } from './configuration.ts';
import type { Manners } from './manners.ts';
import { applyPatch, type Operation, operationsOf, Refusal } from './patch.ts';
import { parseFilter } from './paths.ts';
import { coreOf, type Doc, ENTERPRISE, type Kind, problemOf, SCHEMAS, type SchemaTable, USER } from './schema.ts';
import { makeShelf, type Shelf } from './shelf.ts';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Doc;
  readonly match: string | undefined;
  readonly size: number;
}

export interface Answer {
  readonly status: number;
  readonly body?: Doc;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Protocol {
  readonly schemas: SchemaTable;
  /** @throws {Refusal} */
  carryOut(request: Request): Answer;
  /** A write arrives; what is answered is called when it is over. */
  begin(method: string, path: string, text: string): () => void;
  leaveUnknown(method: string, path: string, text: string): void;
  resources(kind: Kind): readonly Doc[];
  seed(kind: Kind, doc: Doc): string;
}

const PLACES: Readonly<Record<string, Kind>> = { Users: 'User', Groups: 'Group' };

export function makeProtocol(manners: Manners, books: Books): Protocol {
  const schemas = schemasOf(manners);
  const shelves: Readonly<Record<Kind, Shelf>> = {
    User: makeShelf('User', manners),
    Group: makeShelf('Group', manners),
  };
  const versions = new Map<string, number>();
  let count = 0;

  function carryOut(request: Request): Answer {
    const [, place = '', id, more] = request.path.split('/');
    if (place === 'Bulk' && request.method === 'POST') return bulk(request);
    const about = configurationOf(place, manners, schemas);
    if (about !== undefined && request.method === 'GET') return { status: 200, body: about };
    const kind = PLACES[place];
    if (kind === undefined || more !== undefined) throw new Refusal(404, `There is no ${request.path}.`);
    if (id === undefined) return request.method === 'GET' ? list(kind, request.query) : create(kind, request);
    return single(kind, decodeURIComponent(id), request);
  }

  function single(kind: Kind, id: string, request: Request): Answer {
    const shelf = shelves[kind];
    if (request.method === 'GET') {
      const doc = shelf.seen(id);
      if (doc === undefined) throw new Refusal(404, `There is no ${kind} ${id}.`);
      if (manners.etags === 'changing') versions.set(id, (versions.get(id) ?? 0) + 1);
      return { status: 200, body: shown(doc), headers: etagOf(id) };
    }
    refuseWay(request.method);
    const doc = shelf.now.get(id);
    if (doc === undefined) throw new Refusal(404, `There is no ${kind} ${id}.`);
    checkMatch(id, request.match);
    books.wrote(`${request.method} ${request.path}`);
    if (request.method === 'DELETE') return remove(kind, doc);
    const after = request.method === 'PUT' ? replaced(kind, doc, request.body) : patched(kind, doc, request.body);
    return change(kind, doc, after, request.method);
  }

  function refuseWay(method: string): void {
    const { noPatch, noPut } = manners;
    if (method === 'PATCH' && noPatch) throw new Refusal(noPatch === 'hidden' ? 405 : 501, 'There is no PATCH.');
    if (method === 'PUT' && noPut) throw new Refusal(405, 'There is no PUT.');
    if (!['PATCH', 'PUT', 'DELETE'].includes(method)) throw new Refusal(405, `There is no ${method} here.`);
  }

  function checkMatch(id: string, match: string | undefined): void {
    if (match === undefined && manners.needsMatch) throw new Refusal(428, 'If-Match is needed.');
    if (match === undefined) return;
    if (manners.etags === undefined) books.violation('If-Match, and this service has no ETags');
    else if (match !== '*' && match !== etagOf(id)['etag']) throw new Refusal(412, 'It has changed meanwhile.');
  }

  function create(kind: Kind, { method, body }: Request): Answer {
    if (method !== 'POST') throw new Refusal(405, `There is no ${method} here.`);
    books.wrote(`POST ${String(body['userName'] ?? body['displayName'])}`);
    const doc = accepted(kind, body);
    if (shelves[kind].holderOf(doc, undefined) !== undefined)
      throw new Refusal(409, 'That name is taken.', 'uniqueness');
    const id = seed(kind, doc);
    const location = `/scim/v2/${kind}s/${encodeURIComponent(id)}`;
    return { status: 201, body: shown(shelves[kind].now.get(id) ?? {}), headers: { location, ...etagOf(id) } };
  }

  /** What a client may write of it. @throws {Refusal} the schema does not have it so */
  function accepted(kind: Kind, body: Doc): Doc {
    const wrong = problemOf(schemas, kind, body);
    if (wrong !== undefined) throw new Refusal(400, wrong, 'invalidValue');
    const { id: _id, meta: _meta, groups: _groups, ...doc } = body;
    checkMembers(doc, Array.isArray(doc['members']) ? doc['members'].length : 0);
    if (manners.lowerCases && kind === 'User') doc['userName'] = String(doc['userName']).toLowerCase();
    return doc;
  }

  function replaced(kind: Kind, before: Doc, body: Doc): Doc {
    return { ...accepted(kind, body), id: before['id'] };
  }

  function patched(kind: Kind, before: Doc, body: Doc): Doc {
    const operations = operationsOf(body);
    if (kind === 'Group') checkMemberOperations(operations);
    const after = applyPatch(schemas, kind, before, operations);
    const wrong = problemOf(schemas, kind, after);
    if (wrong !== undefined) throw new Refusal(400, wrong, 'invalidValue');
    checkMembers(after, 0);
    if (manners.lowerCases && kind === 'User') after['userName'] = String(after['userName']).toLowerCase();
    return after;
  }

  function checkMemberOperations(operations: readonly Operation[]): void {
    const about = operations.filter(({ path = '' }) => path.startsWith('members'));
    if (manners.wholeMembers && about.some(({ op }) => op !== 'replace'))
      throw new Refusal(400, 'members can only be replaced', 'mutability');
    const named = about.reduce((sum, { value }) => sum + (Array.isArray(value) ? value.length : 1), 0);
    if (named > (manners.membersMax ?? Infinity))
      throw new Refusal(400, `more than ${manners.membersMax} members`, 'tooMany');
  }

  function checkMembers(doc: Doc, named: number): void {
    if (named > (manners.membersMax ?? Infinity))
      throw new Refusal(400, `more than ${manners.membersMax} members`, 'tooMany');
    for (const { value } of (doc['members'] ?? []) as Doc[])
      if (!shelves.User.now.has(String(value)) && !shelves.Group.now.has(String(value)))
        throw new Refusal(400, `There is no member ${value}.`, 'invalidValue');
  }

  function change(kind: Kind, before: Doc, after: Doc, how: string): Answer {
    const id = String(before['id']);
    books.changed(`/${kind}s/${id}`, before, after, how);
    if (shelves[kind].holderOf(after, id) !== undefined) throw new Refusal(409, 'That name is taken.', 'uniqueness');
    shelves[kind].write(id, after);
    versions.set(id, (versions.get(id) ?? 0) + 1);
    const now = manners.idOfName && kind === 'User' ? renamed(id, after) : id;
    if (manners.silent) return { status: 200 };
    return { status: 200, body: shown(shelves[kind].now.get(now) ?? {}), headers: etagOf(now) };
  }

  /** The id follows the name, and groups follow the id. */
  function renamed(id: string, { userName }: Doc): string {
    const to = `~${String(userName)}`;
    shelves.User.rename(id, to);
    for (const [group, doc] of shelves.Group.now) {
      const members = (doc['members'] ?? []) as Doc[];
      if (!members.some(({ value }) => value === id)) continue;
      const moved = members.map((one) => (one['value'] === id ? { ...one, value: to } : one));
      shelves.Group.write(group, { ...doc, members: moved });
    }
    return to;
  }

  function remove(kind: Kind, doc: Doc): Answer {
    const id = String(doc['id']);
    if (manners.softDelete && kind === 'User') {
      shelves.User.write(id, { ...doc, active: false });
      return { status: 204 };
    }
    shelves[kind].write(id, undefined);
    for (const [group, other] of shelves.Group.now) {
      const members = (other['members'] ?? []) as Doc[];
      if (!members.some(({ value }) => value === id)) continue;
      shelves.Group.write(group, { ...other, members: members.filter(({ value }) => value !== id) });
    }
    return { status: 204 };
  }

  function list(kind: Kind, query: URLSearchParams): Answer {
    const text = query.get('filter');
    const filter = text === null ? undefined : parseFilter(text);
    if (text !== null && filter === undefined) books.violation(`filter ${text} is no filter`);
    if (text !== null && (manners.filters === 'refused' || filter === undefined))
      throw new Refusal(400, 'This service does not filter so.', 'invalidFilter');
    const all = shelves[kind].list(filter);
    const [start, count] = [query.get('startIndex'), query.get('count')].map((value) => Number(value ?? Number.NaN));
    const size = Math.max(0, Math.min(Number.isNaN(count) ? 100 : (count ?? 0), manners.pageMax ?? 1_000));
    const first = Math.max(1, Number.isNaN(start) ? 1 : (start ?? 1));
    const from = { zero: Number.isNaN(start) ? 0 : Math.max(0, start ?? 0), page: (first - 1) * size, none: first - 1 }[
      manners.startIndex ?? 'none'
    ];
    const page = all.slice(from, from + size);
    books.lookedFor(filter === undefined || manners.filters === 'ignored' ? undefined : String(filter.value));
    const cut = query.get('excludedAttributes')?.split(',') ?? [];
    const Resources = page.map((doc) =>
      Object.fromEntries(Object.entries(shown(doc)).filter(([name]) => !cut.includes(name))),
    );
    return {
      status: 200,
      body: {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
        totalResults: all.length,
        startIndex: first,
        itemsPerPage: page.length,
        Resources,
      },
    };
  }

  function bulk({ body, size, query }: Request): Answer {
    const operations = body['Operations'];
    if (manners.bulk === undefined || !Array.isArray(operations)) throw new Refusal(501, 'There is no Bulk.');
    const { maxOperations, maxPayloadSize } = manners.bulk;
    if (operations.length > maxOperations) books.violation(`${operations.length} operations in one Bulk request`);
    if (size > maxPayloadSize) books.violation(`a Bulk request of ${size} bytes`);
    if (operations.length > maxOperations || size > maxPayloadSize) throw new Refusal(413, 'Too large.', 'tooMany');
    const results = operations.map(({ method, path, bulkId, data }: Doc) => {
      try {
        const request = {
          method: String(method),
          path: String(path),
          query,
          body: data as Doc,
          match: undefined,
          size: 0,
        };
        if (method === 'POST') books.creating(keysOf(data as Doc));
        const { status, headers = {} } = carryOut(request);
        return { method, bulkId, location: headers['location'], status: String(status) };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return {
          method,
          bulkId,
          status: String(error.status),
          response: { detail: error.message, scimType: error.scimType },
        };
      }
    });
    return {
      status: 200,
      body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkResponse'], Operations: results },
    };
  }

  function shown(doc: Doc): Doc {
    const { password: _password, ...rest } = doc;
    return { ...rest, meta: { resourceType: (doc['schemas'] as string[])[0] === USER ? 'User' : 'Group' } };
  }

  function etagOf(id: string): Record<string, string> {
    const version = versions.get(id) ?? 0;
    if (manners.etags === undefined) return {};
    return { etag: manners.etags === 'odd' ? `v${version}/{odd},"` : `W/"${version}"` };
  }

  function seed(kind: Kind, doc: Doc): string {
    count += 1;
    const id =
      manners.idOfName && kind === 'User' ? `~${String(doc['userName'])}` : `${kind === 'User' ? 'u' : 'g'}/${count}`;
    shelves[kind].write(id, { ...doc, id });
    versions.set(id, 1);
    return id;
  }

  return {
    schemas,
    carryOut,
    begin(method, path, text) {
      if (method !== 'POST') return books.writing(path);
      const body = docOf(text);
      const keys = keysOf(body);
      if (keys.length === 0) return () => undefined;
      books.creating(keys);
      return books.writing(`creation of ${keys[0]}`);
    },
    leaveUnknown(method, path, text) {
      books.unknown(decodeURIComponent(path), method === 'POST' ? keysOf(docOf(text)) : []);
    },
    resources: (kind) => [...shelves[kind].now.values()],
    seed,
  };
}

function docOf(text: string): Doc {
  try {
    return JSON.parse(text || '{}') as Doc;
  } catch {
    return {};
  }
}

/** What a new resource can be looked for by. */
function keysOf(body: Doc): string[] {
  return ['externalId', 'userName', 'displayName'].flatMap((name) =>
    typeof body[name] === 'string' ? [String(body[name]).toLowerCase()] : [],
  );
}

function schemasOf({ lacks }: Manners): SchemaTable {
  if (lacks === undefined) return SCHEMAS;
  const { [ENTERPRISE]: _enterprise, ...rest } = SCHEMAS;
  const user = Object.fromEntries(
    Object.entries(SCHEMAS[coreOf('User')] ?? {}).filter(([name]) => !lacks.includes(name)),
  );
  return { ...rest, [coreOf('User')]: user };
}
