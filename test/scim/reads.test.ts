import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import { postgresMissing } from '../support/database.ts';
import { connect, freshStorage, settingsFor, startGateway, startTenant, type TestGateway } from '../support/gateway.ts';

interface List {
  readonly schemas: string[];
  readonly totalResults: number;
  readonly startIndex: number;
  readonly itemsPerPage: number;
  readonly Resources: Resource[];
}
interface Resource {
  readonly id: string;
  readonly schemas: string[];
  readonly userName?: string;
  readonly displayName?: string;
  readonly externalId: string;
  readonly meta: { resourceType: string; location: string; version: string; created: string; lastModified: string };
  readonly groups?: { value: string; $ref: string; display: string; type: string }[];
  readonly members?: { value: string; $ref: string; type: string }[];
  readonly [name: string]: unknown;
}
interface ScimError {
  readonly schemas: string[];
  readonly status: string;
  readonly scimType?: string;
  readonly detail: string;
}

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const query = (parameters: Record<string, string>): string => `?${new URLSearchParams(parameters)}`;

for (const kind of ['embedded', 'postgres'] as const)
  describe(`SCIM reads (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    let tenant: Tenant;
    let graph: GraphServer;
    let api: TestGateway;
    let reader: string;
    const users = 75;

    before(async () => {
      tenant = makeTenant({ users, groups: 8, membersPerGroup: 15 });
      graph = await startTenant(tenant);
      api = await startGateway(await freshStorage(kind));
      await connect(api, settingsFor(tenant, graph));
      const app = await api.call<{ id: string }>('POST', '/api/v1/apps', { name: 'Reader' });
      reader = (await api.call<{ token: string }>('POST', `/api/v1/apps/${app.body.id}/tokens`, {})).body.token;
    });
    after(async () => {
      await api?.close();
      await graph?.close();
    });

    async function get<Body = List>(path: string, status = 200): Promise<Body> {
      const answer = await api.call<Body>('GET', `/scim/v2${path}`, undefined, reader);
      assert.equal(answer.status, status, `${path}: ${JSON.stringify(answer.body)}`);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/scim\+json/);
      return answer.body;
    }

    it('pages through everybody once, whatever the page size', async () => {
      for (const count of [1, 7, 50, 74, 75, 76, 1000]) {
        const seen: string[] = [];
        for (let startIndex = 1; ; startIndex += count) {
          const page = await get(
            `/Users${query({ startIndex: String(startIndex), count: String(count), attributes: 'userName' })}`,
          );
          assert.equal(page.totalResults, users);
          assert.equal(page.itemsPerPage, page.Resources.length);
          seen.push(...page.Resources.map(({ id }) => id));
          if (page.Resources.length < count) break;
        }
        assert.equal(seen.length, users);
        assert.equal(new Set(seen).size, users);
      }
    });

    it('takes odd page parameters as the RFC says', async () => {
      assert.equal((await get(`/Users${query({ count: '0' })}`)).Resources.length, 0);
      assert.equal((await get(`/Users${query({ count: '-5' })}`)).itemsPerPage, 0);
      assert.equal((await get(`/Users${query({ startIndex: '-3', count: '2' })}`)).startIndex, 1);
      assert.equal((await get(`/Users${query({ startIndex: '1000000000000' })}`)).Resources.length, 0);
      assert.equal((await get(`/Users${query({ count: '1000000000' })}`)).itemsPerPage, users);
      const wrong = await get<ScimError>(`/Users${query({ count: 'many' })}`, 400);
      assert.equal(wrong.scimType, 'invalidValue');
    });

    it('serves one resource with absolute location, weak version, groups and manager', async () => {
      const { Resources } = await get(
        `/Users${query({ filter: `groups pr and ${ENTERPRISE}:manager.value pr`, count: '1' })}`,
      );
      const [user] = Resources;
      assert.ok(user);
      assert.equal(user.meta.location, `${api.base}/scim/v2/Users/${user.id}`);
      const one = await get<Resource>(`/Users/${user.id}`);
      assert.deepEqual(one, user);
      assert.match(one.meta.version, /^W\/"\d+"$/);
      const group = await get<Resource>(`/Groups/${one.groups?.[0]?.value}`);
      assert.equal(one.groups?.[0]?.$ref, group.meta.location);
      assert.equal(one.groups?.[0]?.display, group.displayName);
      assert.ok(
        group.members?.some(
          ({ value, $ref, type }) => value === user.id && $ref === user.meta.location && type === 'User',
        ),
      );
      const { manager } = one[ENTERPRISE] as { manager: { value: string; $ref: string } };
      const boss = await get<Resource>(`/Users/${manager.value}`);
      assert.deepEqual(manager, { value: boss.id, $ref: boss.meta.location });
      const found = async (op: string) =>
        (await get(`/Users${query({ filter: `${ENTERPRISE}:manager.$ref ${op}`, count: '0' })}`)).totalResults;
      const reports = (await get(`/Users${query({ filter: `${ENTERPRISE}:manager.value eq "${boss.id}"` })}`))
        .totalResults;
      assert.ok(reports > 0);
      assert.equal(await found(`eq "${manager.$ref}"`), reports);
      assert.equal((await found('pr')) + (await found('eq null')), (await get('/Users?count=0')).totalResults);
      const total = async (endpoint: string, filter: string) =>
        (await get(`${endpoint}${query({ filter, count: '0' })}`)).totalResults;
      for (const rest of [`manager eq "${boss.id}"`, `manager[value eq "${boss.id}"]`, 'department pr'])
        for (const endpoint of ['/Users', '/'])
          for (const [open, close] of [
            ['', ''],
            ['userName pr and not (', ')'],
          ])
            assert.equal(
              await total(endpoint, `${open}${rest}${close}`),
              await total(endpoint, `${open}${ENTERPRISE}:${rest}${close}`),
              `${endpoint} ${open}${rest}`,
            );
      const path = `/scim/v2/Groups${query({ filter: 'manager pr' })}`;
      const nobody = await api.call<{ scimType: string }>('GET', path, undefined, reader);
      assert.deepEqual([nobody.status, nobody.body.scimType], [400, 'invalidFilter']);
    });

    it('answers 304 to the version it has just given', async () => {
      const [user] = (await get('/Users?count=1')).Resources;
      const headers = { authorization: `Bearer ${reader}`, 'if-none-match': user?.meta.version ?? '' };
      const same = await fetch(user?.meta.location ?? '', { headers });
      assert.equal(same.status, 304);
      assert.equal(same.headers.get('etag'), user?.meta.version);
      assert.equal(
        (await fetch(user?.meta.location ?? '', { headers: { ...headers, 'if-none-match': 'W/"999"' } })).status,
        200,
      );
    });

    it('projects attributes and excluded attributes, sub-attributes and URNs', async () => {
      const [named] = (
        await get(
          `/Users${query({ attributes: `userName,name.givenName,emails.value,${ENTERPRISE}:department`, filter: 'name.givenName pr and emails pr', count: '1' })}`,
        )
      ).Resources;
      assert.ok(named);
      assert.deepEqual(Object.keys(named).sort(), ['emails', 'id', 'name', 'schemas', ENTERPRISE, 'userName'].sort());
      assert.deepEqual(Object.keys(named['name'] as object), ['givenName']);
      assert.deepEqual(Object.keys((named['emails'] as object[])[0] ?? {}), ['value']);
      assert.deepEqual(Object.keys(named[ENTERPRISE] as object), ['department']);
      const [without] = (await get(`/Groups${query({ excludedAttributes: 'members,meta.created', count: '1' })}`))
        .Resources;
      assert.equal(without?.members, undefined);
      assert.equal(without?.meta.created, undefined);
      assert.ok(without?.meta.location);
      const both = await get<ScimError>(`/Users${query({ attributes: 'userName', excludedAttributes: 'name' })}`, 400);
      assert.equal(both.scimType, 'invalidValue');
    });

    it('filters by members, groups, values in one element, and times', async () => {
      const group = (await get(`/Groups${query({ filter: 'members pr', count: '1' })}`)).Resources[0];
      const member = group?.members?.find(({ type }) => type === 'User')?.value ?? '';
      assert.ok(
        (await get(`/Groups${query({ filter: `members.value eq "${member}"` })}`)).Resources.some(
          ({ id }) => id === group?.id,
        ),
      );
      assert.ok(
        (
          await get(
            `/Groups${query({ filter: `members[value eq "${member}" and type eq "User"] and id eq "${group?.id}"` })}`,
          )
        ).totalResults === 1,
      );
      const users = group?.members?.filter(({ type }) => type === 'User').length;
      assert.equal((await get(`/Users${query({ filter: `groups.value eq "${group?.id}"` })}`)).totalResults, users);
      assert.equal(
        (await get(`/Users${query({ filter: 'meta.lastModified gt "2999-01-01T00:00:00Z"' })}`)).totalResults,
        0,
      );
      assert.equal((await get(`/Users${query({ filter: 'userName eq "nobody"' })}`)).totalResults, 0);
      const upper = (await get('/Users?count=1')).Resources[0]?.userName?.toUpperCase();
      assert.equal((await get(`/Users${query({ filter: `userName eq "${upper}"` })}`)).totalResults, 1);
    });

    it('answers 400 invalidFilter to a filter it cannot do, never an empty list', async () => {
      for (const filter of [
        'userName',
        'userName eq',
        'shoeSize eq 44',
        'active gt true',
        'userName eq "a" and',
        '__proto__.x eq "y"',
        `userName eq "${'x'.repeat(20_000)}"`,
      ]) {
        const error = await get<ScimError>(`/Users${query({ filter })}`, 400);
        assert.equal(error.scimType, 'invalidFilter', filter.slice(0, 40));
        assert.equal(error.status, '400');
      }
    });

    it('describes itself truthfully', async () => {
      const config = await get<Record<string, { supported: boolean }>>('/ServiceProviderConfig');
      assert.deepEqual(
        ['patch', 'bulk', 'filter', 'changePassword', 'sort', 'etag'].map((name) => config[name]?.supported),
        [true, true, true, false, true, true],
      );
      const types = await get('/ResourceTypes');
      assert.deepEqual(
        types.Resources.map(({ id }) => id),
        ['User', 'Group'],
      );
      for (const document of [...types.Resources, ...(await get('/Schemas')).Resources])
        assert.deepEqual(await get(new URL(document.meta.location).pathname.replace('/scim/v2', '')), document);
      assert.equal((await get<ScimError>(`/Schemas${query({ filter: 'id pr' })}`, 403)).status, '403');
      const { Resources } = await get('/Users?count=100');
      const known = new Set((await get('/Schemas')).Resources.map(({ id }) => id));
      assert.ok(Resources.every(({ schemas }) => schemas.every((schema) => known.has(schema))));
    });

    it('refuses writes, strangers and unknown things in SCIM form', async () => {
      for (const [method, path] of [
        ['POST', '/Users'],
        ['PUT', '/Users/x'],
        ['PATCH', '/Groups/x'],
        ['DELETE', '/Users/x'],
      ] as const) {
        const refused = await api.call<ScimError>(method, `/scim/v2${path}`, {}, reader);
        assert.equal(refused.status, 403);
        assert.equal(refused.body.status, '403');
      }
      const stranger = await api.call<ScimError>('GET', '/scim/v2/Users', undefined, 'nonsense');
      assert.equal(stranger.status, 401);
      assert.match(stranger.headers.get('www-authenticate') ?? '', /^Bearer/);
      assert.deepEqual(stranger.body.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error']);
      for (const path of [
        '/Users/00000000-0000-4000-8000-000000000000',
        "/Users/x'%20or%20true",
        '/Nothing',
        '/Schemas/urn:nothing',
      ])
        assert.equal((await get<ScimError>(path, 404)).status, '404');
    });
  });
