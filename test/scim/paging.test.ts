import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import fc from 'fast-check';
import type { Attribute } from '#core/attributes.ts';
import { isPrimary } from '#core/coerce.ts';
import { foldCase } from '#core/search.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { eachDatabase } from '../support/database.ts';
import { writeDocuments } from '../support/directory.ts';
import { anyDocument } from '../support/documents.ts';
import { patchBody, type ScimList, type ScimResource, type ScimServer, startScim, userBody } from '../support/scim.ts';

const { User, Group } = RESOURCE_SCHEMAS;
const USERS = 60;
const uuids = fc.sample(fc.uuid({ version: 4 }), { numRuns: USERS + 12, seed: 3 });
const users = fc
  .sample(anyDocument(User, { withReadOnly: true }), { numRuns: USERS, seed: 3 })
  .map((document, place) => ({
    id: uuids[place] ?? '',
    type: 'User' as const,
    document: { ...document, userName: `${document['userName']}${place}`, active: document['active'] ?? true },
  }));
const groups = fc
  .sample(anyDocument(Group, { withReadOnly: true }), { numRuns: 12, seed: 3 })
  .map((document, place) => ({
    id: uuids[USERS + place] ?? '',
    type: 'Group' as const,
    document,
  }));

type Query = Readonly<Record<string, string | number>>;

eachDatabase('SCIM lists', (open) => {
  let scim: ScimServer;
  before(async () => {
    const database = await open();
    await writeDocuments(database, [...users, ...groups]);
    scim = await startScim(database);
  });
  after(() => scim?.close());

  /** Reads page after page, with something done between two of them. */
  async function* pages(way: 'index' | 'cursor', query: Query, endpoint = '/Users'): AsyncGenerator<ScimList> {
    let place: Query | undefined = way === 'index' ? { startIndex: 1 } : { cursor: '' };
    while (place !== undefined) {
      const page = await scim.list(endpoint, { attributes: 'id', ...query, ...place });
      yield page;
      const { startIndex, Resources, totalResults, nextCursor } = page;
      if (way === 'cursor') place = nextCursor === undefined ? undefined : { cursor: nextCursor };
      else {
        const next: number = (startIndex ?? 1) + Resources.length;
        place = Resources.length > 0 && next <= totalResults ? { startIndex: next } : undefined;
      }
    }
  }

  const idsOf = (resources: readonly ScimResource[]): string[] => resources.map(({ id }) => id);

  /** Every third user is left alone; the others, and whoever comes, are changed and deleted. */
  const kept = new Set(users.filter((_, place) => place % 3 === 0).map(({ id }) => id));
  const others = users.map(({ id }) => id).filter((id) => !kept.has(id));

  let written = 0;

  async function writeSomething(coin: number): Promise<void> {
    written += 1;
    const id = others[coin % others.length] ?? '';
    const change = async (method: string, body?: object): Promise<void> => {
      const { status } = await scim.call(method, `/Users/${id}`, body);
      assert.ok(status < 300, `${method} ${id}: ${status}`);
    };
    switch (coin % 4) {
      case 0:
        others.splice(others.indexOf(id), 1);
        await change('DELETE');
        break;
      case 1:
        await change('PATCH', patchBody({ op: 'replace', path: 'userName', value: `${coin}-${written}@example.com` }));
        break;
      case 2:
        await change('PATCH', patchBody({ op: 'replace', path: 'active', value: written % 2 === 0 }));
        break;
      default:
        others.push((await scim.create('/Users', userBody({ title: `${coin}`, active: true }))).id);
    }
  }

  for (const way of ['index', 'cursor'] as const)
    for (const query of [
      {},
      { sortBy: 'userName' },
      { sortBy: 'title', sortOrder: 'descending' },
      { sortBy: 'meta.lastModified', filter: 'userName pr' },
      { filter: 'active eq true or title pr' },
    ] as const)
      it(`by ${way} show everybody who stays once, while others write: ${JSON.stringify(query)}`, async () => {
        const filter = 'filter' in query ? { filter: query.filter } : {};
        const wanted = idsOf(
          (await scim.list('/Users', { count: 1000, attributes: 'id', ...filter })).Resources,
        ).filter((id) => kept.has(id));
        const coins = fc.sample(fc.nat(1_000_000), { numRuns: 40, seed: written });
        const seen: string[] = [];
        for await (const page of pages(way, { ...query, count: 9 })) {
          seen.push(...idsOf(page.Resources));
          await writeSomething(coins.pop() ?? 0);
          await writeSomething(coins.pop() ?? 0);
        }
        assert.deepEqual(seen.filter((id) => kept.has(id)).sort(), wanted.sort());
      });

  it('by index and by cursor are the same list, and back from its end the same again', async () => {
    const sorts: Query[] = [
      {},
      { sortBy: 'userName' },
      { sortBy: 'title' },
      { sortBy: 'title', sortOrder: 'descending' },
    ];
    for (const sort of sorts)
      for (const filter of [{}, { filter: 'active eq true' }, { filter: 'userName pr' }]) {
        const query = { ...sort, ...filter, count: 7 };
        const whole = idsOf((await scim.list('/Users', { ...query, count: 1000, attributes: 'id' })).Resources);
        const forward: ScimList[] = [];
        for await (const page of pages('cursor', query)) forward.push(page);
        assert.deepEqual(
          forward.flatMap(({ Resources }) => idsOf(Resources)),
          whole,
          JSON.stringify(query),
        );
        const byIndex: string[] = [];
        for await (const page of pages('index', query)) byIndex.push(...idsOf(page.Resources));
        assert.deepEqual(byIndex, whole);
        assert.equal(forward[0]?.previousCursor, undefined);
        let page = forward.at(-1);
        for (const earlier of forward.slice(0, -1).reverse()) {
          page = await scim.list('/Users', {
            ...query,
            attributes: 'id',
            cursor: page?.previousCursor ?? 'none',
          });
          assert.deepEqual(idsOf(page.Resources), idsOf(earlier.Resources));
          assert.equal(page.totalResults, whole.length);
        }
        assert.equal(page?.previousCursor, undefined);
      }
  });

  for (const schema of [User, Group])
    it(`come in every order that a ${schema.resourceType} can be sorted by, ties as they were made`, async () => {
      const endpoint = `/${schema.resourceType}s`;
      const { Resources } = await scim.list(endpoint, { count: 1000 });
      for (const [path, keyOf] of sortable(schema))
        for (const sortOrder of ['ascending', 'descending']) {
          const sorted = await scim.list(endpoint, { count: 1000, sortBy: path, sortOrder, attributes: 'id' });
          assert.deepEqual(
            idsOf(sorted.Resources),
            idsOf(inOrder(Resources, keyOf, sortOrder)),
            `${path} ${sortOrder}`,
          );
        }
    });

  it('by index go on where this reader was, wherever another reader of the same list is', async () => {
    const query = { attributes: 'id', count: 5, filter: 'title eq "Reader"' };
    const mine: string[] = [];
    for (let made = 0; made < 12; made += 1) mine.push((await scim.create('/Users', userBody({ title: 'Reader' }))).id);
    const page = async (startIndex: number, token: string): Promise<string[]> =>
      idsOf((await scim.list('/Users', { ...query, startIndex }, token)).Resources);
    assert.deepEqual(await page(1, scim.reader), mine.slice(0, 5));
    assert.equal((await scim.call('DELETE', `/Users/${mine[2]}`)).status, 204);
    assert.deepEqual(await page(1, scim.writer), [...mine.slice(0, 2), ...mine.slice(3, 6)]);
    assert.deepEqual(await page(6, scim.reader), mine.slice(5, 10));
    assert.deepEqual(await page(6, scim.writer), mine.slice(6, 11));
  });

  it('by index are as the reader was last told, though they were another once', async () => {
    const query = { attributes: 'id', filter: 'title eq "Ended"' };
    const mine: string[] = [];
    for (let made = 0; made < 4; made += 1) mine.push((await scim.create('/Users', userBody({ title: 'Ended' }))).id);
    const page = async (startIndex: number, count = 2): Promise<readonly [number, string[]]> => {
      const { totalResults, Resources } = await scim.list('/Users', { ...query, startIndex, count });
      return [totalResults, idsOf(Resources)];
    };
    assert.deepEqual(await page(1), [4, mine.slice(0, 2)]);
    for (const id of mine.slice(0, 2)) assert.equal((await scim.call('DELETE', `/Users/${id}`)).status, 204);
    assert.deepEqual(await page(1, 0), [2, []]);
    assert.deepEqual(await page(3), [4, mine.slice(2)]);
    assert.deepEqual(await page(1), [2, mine.slice(2)]);
    assert.deepEqual(await page(3), [2, []]);
    assert.deepEqual(await page(1, 1), [2, mine.slice(2, 3)]);
    for (let more = 0; more < 2; more += 1) mine.push((await scim.create('/Users', userBody({ title: 'Ended' }))).id);
    assert.equal((await scim.call('DELETE', `/Users/${mine[2]}`)).status, 204);
    assert.deepEqual(await page(1, 3), [3, mine.slice(3)]);
    assert.deepEqual(await page(2, 1), [3, mine.slice(4, 5)]);
  });

  it('of users and groups together come in one order', async () => {
    const keys: Readonly<Record<string, (resource: ScimResource) => Key>> = {
      displayName: (resource) => folded(resource.displayName),
      'meta.location': ({ meta }) => meta.location,
      'meta.resourceType': ({ meta }) => meta.resourceType,
    };
    const { Resources } = await scim.list('', { count: 1000 });
    for (const [sortBy, keyOf] of Object.entries(keys))
      for (const sortOrder of ['ascending', 'descending']) {
        const wanted = idsOf(inOrder(Resources, keyOf, sortOrder));
        const got: string[] = [];
        for await (const page of pages('cursor', { sortBy, sortOrder, count: 30 }, ''))
          got.push(...idsOf(page.Resources));
        assert.deepEqual(got, wanted, `${sortBy} ${sortOrder}`);
      }
  });

  it('refuse what cannot be sorted by', async () => {
    for (const sortBy of [
      'shoeSize',
      'name',
      'addresses',
      'groups',
      'groups.value',
      'meta',
      'emails[type eq "work"]x',
      'emails[type eq "work"]',
      '__proto__.x',
    ]) {
      const refused = await scim.call<{ scimType: string }>('GET', `/Users?${new URLSearchParams({ sortBy })}`);
      assert.deepEqual([refused.status, refused.body.scimType], [400, 'invalidPath'], sortBy);
    }
  });
});

type Key = string | boolean | undefined;

function folded(value: unknown, exact = false): Key {
  if (typeof value === 'string') return exact ? value : foldCase(value);
  return value as Key;
}

/** Every path that a list can be sorted by, and the key that it means. */
function sortable(schema: typeof User): [path: string, keyOf: (resource: ScimResource) => Key][] {
  const paths: [string, (resource: ScimResource) => Key][] = [];
  const add = (path: string, leaf: Attribute, read: (resource: ScimResource) => unknown) => {
    paths.push([path, (resource) => folded(read(resource), leaf.caseExact)]);
  };
  for (const part of [schema.core, ...schema.extensions])
    for (const attribute of part.attributes.values()) {
      const { name, type, multiValued, sub } = attribute;
      if (['schemas', 'groups', 'members'].includes(name)) continue;
      const holder = (resource: ScimResource) =>
        (part === schema.core ? resource : resource[part.id]) as Record<string, unknown> | undefined;
      const first = (resource: ScimResource): unknown => {
        const value = holder(resource)?.[name];
        return multiValued && Array.isArray(value) ? (value.find(isPrimary) ?? value[0]) : value;
      };
      const path = part === schema.core ? name : `${part.id}:${name}`;
      if (type !== 'complex') add(path, attribute, first);
      const value = sub.get('value');
      if (value !== undefined)
        add(path, value, (resource) => (first(resource) as { value?: unknown } | undefined)?.value);
      for (const inner of sub.values())
        add(
          `${path}.${inner.name}`,
          inner,
          (resource) => (first(resource) as Record<string, unknown> | undefined)?.[inner.name],
        );
    }
  return paths;
}

/** Absent keys last going up and first going down; ties in the order of the list, and against it. */
function inOrder(
  resources: readonly ScimResource[],
  keyOf: (resource: ScimResource) => Key,
  order: string,
): ScimResource[] {
  const up = resources
    .map((resource, place) => ({ resource, place, key: keyOf(resource) }))
    .sort((left, right) => compareKeys(left.key, right.key) || left.place - right.place)
    .map(({ resource }) => resource);
  return order === 'ascending' ? up : up.reverse();
}

function compareKeys(left: Key, right: Key): number {
  if (left === right) return 0;
  if (left === undefined || right === undefined) return left === undefined ? 1 : -1;
  return Buffer.compare(Buffer.from(String(left)), Buffer.from(String(right)));
}
